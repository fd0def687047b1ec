//! Work that must not stop halfway.

use counterfoil::command::Receipt;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;

/// The requests that write and are under way, whether or not somebody still waits for their answers.
///
/// A host that goes down in good order lets nobody in any more, awaits [`finished`](Self::finished), and only
/// then closes the store.
#[derive(Debug, Clone, Default)]
pub struct Flows(TaskTracker);

impl Flows {
    /// Waits until none is under way.
    pub async fn finished(&self) {
        self.0.close();
        self.0.wait().await;
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
        match self.0.spawn(work).await {
            Ok(done) => done.map_err(ApiError::from),
            // It panicked, or the runtime goes down: nobody knows how far it came.
            Err(_) => Err(ApiError::in_doubt(None)),
        }
    }
}
