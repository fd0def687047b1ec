//! Waiting as a store waits.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// Waits for `future`. That its waker panics is its host's doing, and shown neither to whoever wakes it nor to who else
/// is to be woken.
pub(crate) async fn sheltered<F: Future>(future: F) -> F::Output {
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
