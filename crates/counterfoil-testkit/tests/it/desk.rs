//! The person at the desk of a simulation: that it is found when nobody is shown what a person has to see.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Notify, Receipt, Report, Request, Resolution, Told, Update};
use counterfoil::event::{Event, StreamId};
use counterfoil::id::{PaymentId, UpdateId};
use counterfoil::payment::{Attention, Evidence, References};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreStatus,
};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::failed;
use counterfoil_testkit::simulate::Setup;
use uuid::Uuid;

use super::simulate::found;

/// What it does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It takes a person's word for the gateway's, so that nothing marks it.
    TakesGuessesForTruth,
    /// It hears nothing more of what somebody dismissed, and says that it did.
    ForgetsWhatWasDismissed,
    /// Its list of what is marked is empty.
    HidesReviews,
    /// Its list of what is stuck is empty.
    HidesStuck,
}

#[derive(Debug)]
struct Careless {
    inner: MemoryStore,
    wrong: Wrong,
    dismissed: Mutex<BTreeSet<PaymentId>>,
}

impl Careless {
    fn new(wrong: Wrong) -> Careless {
        Careless { inner: MemoryStore::new(), wrong, dismissed: Mutex::default() }
    }

    /// What it makes of a command.
    fn meant(&self, command: &Command) -> Option<Request> {
        let mut dismissed = self.dismissed.lock().unwrap();
        match (self.wrong, &command.request) {
            (Wrong::TakesGuessesForTruth, Request::Resolve(resolve)) => {
                let outcome = match resolve.resolution {
                    Resolution::Succeeded { amount } => counterfoil_testkit::fixtures::succeeded(amount),
                    Resolution::Failed => failed(counterfoil::payment::FailureClass::Soft),
                    _ => return None,
                };
                let mut evidence = Evidence::new(outcome.outcome, command.at);
                evidence.amount = outcome.amount;
                let operation = resolve.operation?;
                Some(Request::Report(Report { payment: resolve.payment, operation, evidence }))
            }
            (Wrong::ForgetsWhatWasDismissed, Request::Resolve(resolve)) => {
                if resolve.resolution == Resolution::Dismissed {
                    dismissed.insert(resolve.payment);
                }
                None
            }
            (Wrong::ForgetsWhatWasDismissed, Request::Notify(notify)) if !is_of_dispute(notify) => {
                let payment = notify.about.payment.filter(|payment| dismissed.contains(payment))?;
                let change = References::default();
                let update = UpdateId::new(Uuid::nil());
                Some(Request::Update(Update { update, payment, if_version: None, change, target: None }))
            }
            _ => None,
        }
    }
}

/// What is told of a dispute is another law's matter.
fn is_of_dispute(notify: &Notify) -> bool {
    matches!(notify.told, Told::Dispute(_))
}

#[async_trait]
impl PaymentStore for Careless {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, mut command: Command) -> Result<Receipt, ExecuteError> {
        if let Some(request) = self.meant(&command) {
            command.request = request;
        }
        self.inner.execute(command).await
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.inner.read(keys).await
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        let hidden = match query.filter.attention {
            Some(Attention::Review) => self.wrong == Wrong::HidesReviews,
            Some(Attention::Stuck) => self.wrong == Wrong::HidesStuck,
            _ => false,
        };
        let mut query = query.clone();
        if hidden {
            query.filter.ids = Some(Vec::new());
        }
        self.inner.list(scope, &query).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.inner.history(scope, stream, after, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.inner.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.inner.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.inner.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

/// Invariant 46: where the books differ, somebody can see why.
#[test]
fn a_guess_that_nothing_marks_is_found() {
    let failure = found(&Setup::over(|| Careless::new(Wrong::TakesGuessesForTruth)));
    assert!(failure.what.starts_with("invariant 46 is broken"), "{failure}");
    assert!(failure.story.iter().any(|line| line.contains("a guess")), "{failure}");
}

/// Invariant 46: what a gateway tells after a dismissal makes the books agree, or a review.
#[test]
fn what_is_told_after_a_dismissal_and_dropped_is_found() {
    let failure = found(&Setup::over(|| Careless::new(Wrong::ForgetsWhatWasDismissed)));
    assert!(failure.what.starts_with("invariant 46 is broken"), "{failure}");
    assert!(failure.story.iter().any(|line| line.contains("review.dismissed")), "{failure}");
}

/// Invariant 47: nothing waits unseen.
#[test]
fn lists_that_hide_what_waits_for_a_person_are_found() {
    for wrong in [Wrong::HidesReviews, Wrong::HidesStuck] {
        let failure = found(&Setup::over(move || Careless::new(wrong)));
        assert!(failure.what.starts_with("invariant 47 is broken"), "{failure}");
    }
}
