//! A store that fails when it is told to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreErrorKind, StoreStatus,
};

/// A call to a store.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Call<'a> {
    /// [`PaymentStore::execute`], of this command.
    Execute(&'a Command),
    /// [`PaymentStore::read`].
    Read,
    /// [`PaymentStore::list`].
    List,
    /// [`PaymentStore::due`].
    Due,
    /// [`PaymentStore::history`].
    History,
    /// [`PaymentStore::feed`].
    Feed,
    /// [`PaymentStore::news`].
    News,
    /// [`PaymentStore::heads`].
    Heads,
    /// [`PaymentStore::close`].
    Close,
}

/// How a call goes wrong.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// It does not: the inner store answers.
    None,
    /// Nothing is done. A command is answered [`NotCommitted`](ExecuteError::NotCommitted).
    Failed(StoreError),
    /// Nothing is done, and nobody knows: a command is answered [`Unknown`](ExecuteError::Unknown). Calls that
    /// only look just fail.
    NothingDone(StoreError),
    /// It is done, and nobody hears of it: a command is answered [`Unknown`](ExecuteError::Unknown), unless it
    /// was refused or failed by itself.
    Lost(StoreError),
    /// It panics with these words, before anything is done.
    Panic(&'static str),
}

impl Fault {
    /// Nothing is done, by a failure of `kind`.
    #[must_use]
    pub const fn failed(kind: StoreErrorKind) -> Fault {
        Fault::Failed(failure(kind))
    }

    /// Nothing is done, and nobody knows.
    #[must_use]
    pub const fn nothing_done(kind: StoreErrorKind) -> Fault {
        Fault::NothingDone(failure(kind))
    }

    /// It is done, and nobody hears of it.
    #[must_use]
    pub const fn lost(kind: StoreErrorKind) -> Fault {
        Fault::Lost(failure(kind))
    }
}

const fn failure(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "doing as a test told it")
}

type Rule = Box<dyn FnMut(Call<'_>) -> Fault + Send>;

/// A store that hands every call on to another one, but for those that are to go wrong.
///
/// What goes wrong is told by a list, one entry for each command that is executed, or by a rule that sees every
/// call. Both can be told anew at any time.
///
/// ```
/// use counterfoil::ledger::NewTopUp;
/// use counterfoil::store::{ExecuteError, PaymentStore, StoreErrorKind};
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::faulty::{Call, Fault, FaultyStore};
/// use counterfoil_testkit::fixtures::{caller, usd, wallet};
/// use counterfoil_testkit::{Desk, block_on};
///
/// let store = FaultyStore::new(MemoryStore::new());
/// let command = Desk::new(1).top_up(&caller("acme"), NewTopUp::new(wallet("w"), usd(100)));
///
/// store.next_commands([Fault::lost(StoreErrorKind::Io)]);
/// let first = block_on(store.execute(command.clone()));
/// assert!(matches!(first, Err(ExecuteError::Unknown(_))));
/// assert!(block_on(store.execute(command)).is_ok_and(|receipt| receipt.replayed), "it was done");
/// assert_eq!(store.executed(), 2, "every command that came is counted, so none has to be guessed");
///
/// store.rule(|call| match call {
///     Call::Read => Fault::failed(StoreErrorKind::Busy),
///     _ => Fault::None,
/// });
/// assert!(block_on(store.read(&[])).is_err());
/// ```
pub struct FaultyStore {
    inner: Arc<dyn PaymentStore>,
    rule: Mutex<Rule>,
    executed: AtomicUsize,
}

impl FaultyStore {
    /// A store in front of `inner`, which does nothing wrong yet.
    #[must_use]
    pub fn new(inner: impl PaymentStore) -> FaultyStore {
        FaultyStore::before(Arc::new(inner))
    }

    /// A store in front of one that others use too.
    #[must_use]
    pub fn before(inner: Arc<dyn PaymentStore>) -> FaultyStore {
        let rule: Rule = Box::new(|_| Fault::None);
        FaultyStore { inner, rule: Mutex::new(rule), executed: AtomicUsize::new(0) }
    }

    /// The next commands go wrong like this, one after the other; all after them go well.
    pub fn next_commands(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut faults: VecDeque<Fault> = faults.into_iter().collect();
        self.rule(move |call| match call {
            Call::Execute(_) => faults.pop_front().unwrap_or(Fault::None),
            _ => Fault::None,
        });
    }

    /// From now on `rule` says how each call goes.
    pub fn rule(&self, rule: impl FnMut(Call<'_>) -> Fault + Send + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
    }

    /// How many commands it was given, those that went wrong too. A flow that goes well tells so how many it takes,
    /// and how many there are to fail.
    #[must_use]
    pub fn executed(&self) -> usize {
        self.executed.load(Ordering::SeqCst)
    }

    /// The store behind it.
    #[must_use]
    pub fn inner(&self) -> &Arc<dyn PaymentStore> {
        &self.inner
    }

    /// What is to become of a call. Panics outside of the lock, so that the next one can be asked about.
    fn fault(&self, call: Call<'_>) -> Fault {
        let fault = {
            let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
            (*rule)(call)
        };
        match fault {
            Fault::Panic(words) => panic!("{words}"),
            fault => fault,
        }
    }

    fn looking(&self, call: Call<'_>) -> Result<(), StoreError> {
        match self.fault(call) {
            Fault::Failed(error) | Fault::NothingDone(error) | Fault::Lost(error) => Err(error),
            Fault::None | Fault::Panic(_) => Ok(()),
        }
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl PaymentStore for FaultyStore {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        self.executed.fetch_add(1, Ordering::SeqCst);
        match self.fault(Call::Execute(&command)) {
            Fault::Failed(error) => Err(ExecuteError::NotCommitted(error)),
            Fault::NothingDone(error) => Err(ExecuteError::Unknown(error)),
            Fault::Lost(error) => {
                self.inner.execute(command).await?;
                Err(ExecuteError::Unknown(error))
            }
            Fault::None | Fault::Panic(_) => self.inner.execute(command).await,
        }
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.looking(Call::Read)?;
        self.inner.read(keys).await
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.looking(Call::List)?;
        self.inner.list(scope, query).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.looking(Call::Due)?;
        self.inner.due(now, limit).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.looking(Call::History)?;
        self.inner.history(scope, stream, after, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.looking(Call::Feed)?;
        self.inner.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.looking(Call::News)?;
        self.inner.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.looking(Call::Heads)?;
        self.inner.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        match self.fault(Call::Close) {
            Fault::Failed(error) | Fault::NothingDone(error) => Err(error),
            Fault::Lost(error) => {
                self.inner.close().await?;
                Err(error)
            }
            Fault::None | Fault::Panic(_) => self.inner.close().await,
        }
    }
}
