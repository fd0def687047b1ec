//! Work that must not stop halfway.

use counterfoil::command::Receipt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;

/// The requests that write and are under way, whether or not somebody still waits for their answers.
///
/// A host that goes down in good order lets nobody in any more, [ends the streams](Self::end_streams), awaits [`finished`](Self::finished), and only
/// then closes the store.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Flows {
    /// Ends the answers that go on by themselves, the streams of events, which would keep their connections open: to
    /// be called before connections are waited for.
    pub fn end_streams(&self) {
        self.closing.cancel();
    }

    /// Waits until none is under way. Streams are ended too.
    pub async fn finished(&self) {
        self.end_streams();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// When streams end.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Carries `work` to its end in a task of its own: a caller who hangs up must not leave a charge that
    /// nobody writes down.
    pub(crate) async fn carry<E>(
        &self,
        work: impl Future<Output = Result<Receipt, E>> + Send + 'static,
    ) -> Result<Receipt, ApiError>
    where
        E: Send + 'static,
        ApiError: From<E>,
    {
        match self.tasks.spawn(work).await {
            Ok(done) => done.map_err(ApiError::from),
            // It panicked, or the runtime goes down: nobody knows how far it came.
            Err(_) => Err(ApiError::in_doubt(None)),
        }
    }
}
