//! News: who waits for the journal to grow, and who tells that it has.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use counterfoil::store::{StoreError, StoreErrorKind};
use tokio::sync::watch;

pub(crate) const WAITING: &str = "waiting for news";

/// The end of the journal; in its place why nobody can tell any more.
type Told = Result<i64, StoreError>;

/// The one who tells. When it is dropped, nothing is left to wait for.
#[derive(Debug)]
pub(crate) struct Teller(watch::Sender<Told>);

/// What is told.
#[derive(Debug, Clone)]
pub(crate) struct News(watch::Receiver<Told>);

impl Teller {
    /// Of a journal that ends here.
    pub(crate) fn new(end: i64) -> Teller {
        Teller(watch::Sender::new(Ok(end)))
    }

    /// The journal ends here now, for every reader, and durably.
    pub(crate) fn tell(&self, end: i64) {
        self.0.send_if_modified(|told| {
            let is_news = !matches!(told, Ok(before) if *before == end);
            *told = Ok(end);
            is_news
        });
    }

    /// Nobody can tell any more.
    pub(crate) fn fail(self, error: StoreError) {
        self.0.send_modify(|told| *told = Err(error));
    }

    pub(crate) fn news(&self) -> News {
        News(self.0.subscribe())
    }
}

impl News {
    /// Whether there is somebody who can tell.
    pub(crate) fn can_come(&self) -> bool {
        self.0.borrow().is_ok() && self.0.has_changed().is_ok()
    }

    /// Waits for an end behind `after`. What was told last counts too, so nothing is missed by coming late.
    pub(crate) async fn wait(&mut self, after: i64) -> Result<(), StoreError> {
        let is_news = |told: &Told| told.as_ref().map_or(true, |end| *end > after);
        match sheltered(self.0.wait_for(is_news)).await {
            Ok(told) => told.as_ref().map(|_| ()).map_err(StoreError::clone),
            Err(_) => Err(closed()),
        }
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, WAITING)
}

/// Waits for `future`. That its waker panics is its host's doing, and shown neither to whoever wakes it nor to who else
/// is to be woken.
async fn sheltered<F: Future>(future: F) -> F::Output {
    struct Sheltered(Waker);
    impl Wake for Sheltered {
        fn wake(self: Arc<Self>) {
            let _ = catch_unwind(AssertUnwindSafe(|| self.0.wake_by_ref()));
        }
    }
    let mut future = pin!(future);
    poll_fn(|context| {
        let waker = Waker::from(Arc::new(Sheltered(context.waker().clone())));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}
