//! The suite that every store passes.
//!
//! A case is a behaviour of the [`PaymentStore`] contract. Each gets a store of its own, and when it is over
//! the books are verified once more. [`conformance!`](crate::conformance!) makes a test of every case; a harness of one's
//! own goes through [`Case::all`].
//!
//! A case takes milliseconds on a store in memory. It runs in a runtime and a thread of its own, so nothing has to be set up
//! around it, and it fails after a minute if it does not come to an end. What it finds is said by a panic, as by any test.
//! (One case lets wakers panic on purpose, which shows on stderr where tests are not captured.)
//!
//! What can be seen from outside is covered, errors of the place that the store stands on are not: crashes, disks
//! that fail and connections that break are for the store's own tests.

mod accounts;
mod attention;
mod attribution;
mod bounds;
mod cases;
mod claims;
mod close;
mod concurrency;
mod destinations;
mod disputes;
mod dropped;
mod due;
mod elsewhere;
mod evidence;
mod execute;
mod feed;
mod gateway_entries;
mod heads;
mod history;
mod list;
mod money;
mod names;
mod news;
mod paging;
mod queued;
mod scope;
mod scripts;
mod shelf;
mod shown;
mod trial;
mod update;
mod visible;

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use counterfoil::store::PaymentStore;
use tokio::runtime::{Builder, Runtime};

use trial::Trial;

/// How long a case may take: far longer than it does.
const LIMIT: Duration = Duration::from_secs(60);

/// Opens the store that is tried. Any closure that gives one does: what it owns (a temporary folder, a
/// running server) lives as long as the case.
///
/// The first call gives an empty store. A later one, after the store was closed, opens the same books again
/// if the store is durable, and empty ones if it is not.
pub trait Open: Send + Sync + 'static {
    /// The store.
    fn open(&self) -> Pin<Box<dyn Future<Output = Arc<dyn PaymentStore>> + Send>>;
}

impl<F, R, S> Open for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = S> + Send + 'static,
    S: PaymentStore,
{
    fn open(&self) -> Pin<Box<dyn Future<Output = Arc<dyn PaymentStore>> + Send>> {
        let opening = self();
        Box::pin(async move { Arc::new(opening.await) as Arc<dyn PaymentStore> })
    }
}

/// One behaviour that every store must show.
pub struct Case {
    name: &'static str,
    run: for<'a> fn(&'a mut Trial) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

impl Case {
    /// All of them.
    #[must_use]
    pub const fn all() -> &'static [Case] {
        CASES
    }

    /// The one called `name`. Panics if there is none.
    #[must_use]
    pub fn named(name: &str) -> &'static Case {
        let case = Case::all().iter().find(|case| case.name == name);
        case.unwrap_or_else(|| panic!("there is no case {name}"))
    }

    /// What it is called, its topic first.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Tries it, with as many threads as it takes for commands to meet. Panics if the store fails it.
    pub fn run(&'static self, open: impl Open) {
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build();
        self.run_in(runtime.expect("a runtime can be built"), open);
    }

    /// Tries it in a runtime of the caller's choice, which needs its time enabled. With one thread, tasks take turns in
    /// the same way each time; with several they meet.
    pub fn run_in(&'static self, runtime: Runtime, open: impl Open) {
        let (running, over) = mpsc::channel::<()>();
        // In a thread of its own: a store that never comes back cannot be stopped, only left behind.
        let thread = thread::spawn(move || {
            let _running = running;
            runtime.block_on(async {
                let mut trial = Trial::new(open).await;
                (self.run)(&mut trial).await;
                trial.end().await;
            });
        });
        let left = over.recv_timeout(LIMIT);
        let ended = left == Err(RecvTimeoutError::Disconnected);
        assert!(ended, "{} did not come to an end within {} seconds", self.name, LIMIT.as_secs());
        thread.join().unwrap_or_else(|panic| resume_unwind(panic));
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// Makes a test of every case, in a module of the given name: `cargo test NAME::claims` runs a topic.
///
/// The second argument gives the store, as [`Open`] says. It is evaluated once per case.
///
/// ```
/// use counterfoil_memory::MemoryStore;
///
/// counterfoil_testkit::conformance!(memory, || async { MemoryStore::new() });
/// # fn main() {}
/// ```
///
/// A store that needs something to stand on owns it: here a folder of its own, which lives as long as the case.
///
/// ```
/// # use std::path::{Path, PathBuf};
/// # use counterfoil_memory::MemoryStore;
/// # mod tempfile {
/// #     pub struct TempDir;
/// #     impl TempDir { pub fn path(&self) -> &super::Path { super::Path::new("") } }
/// #     pub fn tempdir() -> std::io::Result<TempDir> { Ok(TempDir) }
/// # }
/// # struct MyStore;
/// # impl MyStore { async fn open(_: PathBuf) -> std::io::Result<MemoryStore> { Ok(MemoryStore::new()) } }
/// counterfoil_testkit::conformance!(on_disk, {
///     let folder = tempfile::tempdir().unwrap();
///     move || {
///         let path = folder.path().join("books.db");
///         async move { MyStore::open(path).await.unwrap() }
///     }
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance {
    ($module:ident, $open:expr $(,)?) => {
        $crate::__for_each_case! { [$crate::__conformance_tests] $module ($open) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$module:ident ($open:expr)] $($topic:ident { $($case:ident,)+ })+) => {
        mod $module {
            #[allow(unused_imports, reason = "what opens the store may be named in full")]
            use super::*;

            fn store_of_this_module() -> impl $crate::conformance::Open {
                $open
            }

            $(mod $topic {$(
                #[test]
                fn $case() {
                    let name = concat!(stringify!($topic), "::", stringify!($case));
                    $crate::conformance::Case::named(name).run(super::store_of_this_module());
                }
            )+})+
        }
    };
}

macro_rules! table {
    ([] $($topic:ident { $($case:ident,)+ })+) => {
        const CASES: &[Case] = &[$($(Case {
            name: concat!(stringify!($topic), "::", stringify!($case)),
            run: |trial| Box::pin($topic::$case(trial)),
        },)+)+];
    };
}

crate::__for_each_case! { [table] }
