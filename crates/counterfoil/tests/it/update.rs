//! Writing down what became of a payment elsewhere.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Policy, Rejection, settable};
use counterfoil::ledger::{Ledger, LedgerError, NewPayment, NewTopUp, Update};
use counterfoil::payment::{PaymentMethod, Review};
use counterfoil::status::Cause;
use counterfoil::status::PaymentStatus::{
    self, Failed, Initiated, Pending, Processing, Refunded, RequiresAction, Succeeded, Voided,
};
use counterfoil::text::Metadata;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, usd, wallet};

struct Books {
    ledger: Ledger,
    clock: Arc<ManualClock>,
}

impl Books {
    fn new() -> Books {
        let clock = Arc::new(ManualClock::default());
        let ledger = Ledger::new(Arc::new(MemoryStore::new()))
            .with_gateway(Arc::new(Sandbox::new().with_clock(clock.clone())))
            // Many payments of one invoice, some of which nobody knows the end of.
            .with_policy(Policy::default().charging_beside_doubt())
            .with_clock(clock.clone());
        Books { ledger, clock }
    }

    /// A payment that stands there.
    async fn at(&self, status: PaymentStatus) -> counterfoil::id::PaymentId {
        let card = |name| PaymentMethod::Card(Some(instrument(name)));
        let new = |method| NewPayment::new(usd(100), invoice("inv_1"), method);
        let (new, then) = match status {
            Initiated => (new(card("pm_1")).recorded_only(), None),
            Pending => (new(PaymentMethod::Offline).recorded_only(), None),
            Processing => (new(card("pm_sandbox_timeout_unknown")), None),
            RequiresAction => (new(card("pm_sandbox_action")), None),
            Succeeded => (new(card("pm_1")), None),
            Failed => (new(card("pm_sandbox_decline")), None),
            Refunded | Voided => (new(card("pm_1")), Some(status)),
            other => panic!("no way to {other} yet"),
        };
        let made = self.ledger.create(&caller("acme"), new).await.unwrap();
        let id = made.payment().unwrap().id();
        if let Some(status) = then {
            self.ledger.update(&caller("acme"), id, Update::to(status)).await.unwrap();
        }
        id
    }

    async fn set(&self, id: counterfoil::id::PaymentId, update: Update) -> Result<(), LedgerError> {
        self.ledger.update(&caller("acme"), id, update).await.map(|_| ())
    }
}

/// INVARIANTS 11, 12: what can be set from where is the table that is published, and nothing else.
#[tokio::test]
async fn a_status_can_be_set_where_the_table_says_so() {
    let table = [
        (Initiated, vec![Pending, Succeeded, Failed, Voided]),
        (Pending, vec![Succeeded, Failed, Voided]),
        (Processing, vec![Succeeded, Failed]),
        (RequiresAction, vec![Voided]),
        (Succeeded, vec![Refunded, Voided]),
        (Failed, vec![]),
        (Refunded, vec![]),
        (Voided, vec![]),
    ];
    let books = Books::new();
    for (from, allowed) in table {
        assert_eq!(settable(from).collect::<Vec<_>>(), allowed, "{from}");
        for to in PaymentStatus::ALL.iter().copied().filter(|to| *to != from) {
            let id = books.at(from).await;
            let before = books.ledger.payment(&caller("acme").scope, id).await.unwrap().unwrap();
            let result = books.set(id, Update::to(to)).await;
            let after = books.ledger.payment(&caller("acme").scope, id).await.unwrap().unwrap();
            if allowed.contains(&to) {
                result.unwrap();
                assert_eq!(after.status(), to, "from {from}");
            } else {
                let expected = Rejection::NotSettable { payment: id, status: from, to };
                assert_eq!(result.unwrap_err().rejection(), Some(&expected));
                assert_eq!(before, after);
            }
        }
    }
    verify(books.ledger.store().as_ref()).await.unwrap();
}

/// INVARIANTS 15, 32.
#[tokio::test]
async fn what_changes_nothing_writes_nothing_and_what_was_changed_meanwhile_is_a_conflict() {
    let books = Books::new();
    let id = books.at(Initiated).await;
    let notes = Metadata::new([("order", "7")]).unwrap();
    let change = || Update::default().with_metadata(notes.clone());
    books.set(id, change().if_version(1)).await.unwrap();
    let version = async || {
        let payment = books.ledger.payment(&caller("acme").scope, id).await.unwrap().unwrap();
        (payment.version(), payment.metadata().clone())
    };
    assert_eq!(version().await, (2, notes.clone()));
    books.set(id, change()).await.unwrap();
    books.set(id, Update::to(Initiated)).await.unwrap();
    books.set(id, change().if_version(1)).await.unwrap();
    assert_eq!(version().await.0, 2, "it was so already");

    let other = Update::default().with_metadata(Metadata::default()).if_version(1);
    let refused = books.set(id, other.clone()).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::VersionConflict { payment: id, version: 2 }));
    books.set(id, other.if_version(2)).await.unwrap();
    assert_eq!(version().await, (3, Metadata::default()));
}

/// INVARIANTS 19.
#[tokio::test]
async fn a_moment_is_kept_as_it_is_given_but_never_one_to_come() {
    let books = Books::new();
    let moment = Timestamp::from_unix_micros(7_000_000).unwrap();
    books.clock.set(Timestamp::from_unix_micros(9_000_000).unwrap());
    let id = books.at(Initiated).await;
    let later = books.clock.now().successor();
    let refused = books.set(id, Update::to_since(Succeeded, later)).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::InFuture(later)));
    books.set(id, Update::to_since(Succeeded, moment)).await.unwrap();
    books.set(id, Update::to_since(Refunded, moment.successor())).await.unwrap();
    let payment = books.ledger.payment(&caller("acme").scope, id).await.unwrap().unwrap();
    assert_eq!(payment.succeeded_at(), Some(moment));
    assert_eq!(payment.refunded_at(), Some(moment.successor()));
    assert!(payment.updated_at() >= books.clock.now());
}

/// INVARIANTS 17: nobody settles what may still be on its way.
#[tokio::test]
async fn a_persons_word_counts_as_evidence_and_is_marked_once_nobody_is_on_the_way() {
    let books = Books::new();
    let ledger = books.ledger.clone().with_gateway(Arc::new(Hanging("sandbox".parse().unwrap())));
    let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None));
    let call = tokio::spawn(async move { ledger.create(&caller("acme"), new).await });
    tokio::task::yield_now().await;
    let query = counterfoil::store::Query::new(counterfoil::store::Filter::default(), 1);
    let page = books.ledger.list(&caller("acme").scope, &query).await.unwrap();
    let (id, until) = (page.payments[0].id(), page.payments[0].live_attempt().unwrap().runs_until().unwrap());
    let refused = books.set(id, Update::to(Succeeded)).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::InFlight { payment: id, until }));

    books.clock.set(until);
    let settled = books.ledger.update(&caller("acme"), id, Update::to(Succeeded)).await.unwrap();
    let payment = settled.payment().unwrap();
    assert_eq!((payment.status(), payment.captured()), (Succeeded, usd(100)));
    assert!(payment.reviews().contains(&Review::Resolved));
    let event = &books.ledger.history(&caller("acme").scope, &settled.stream, 1, 1).await.unwrap()[0];
    assert_eq!((event.cause(), event.actor().as_str()), (Cause::Resolution, "tester"));
    call.abort();
}

/// INVARIANTS 9: what is given back of credits is in the wallet again, in the same step.
#[tokio::test]
async fn credits_go_back_to_their_wallet() {
    for to in [Refunded, Voided] {
        let books = Books::new();
        let caller = caller("acme");
        books.ledger.top_up(&caller, NewTopUp::new(wallet("w"), usd(150))).await.unwrap();
        let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Credits(wallet("w")));
        let id = books.ledger.create(&caller, new).await.unwrap().payment().unwrap().id();
        books.set(id, Update::to(to)).await.unwrap();
        books.set(id, Update::to(to)).await.unwrap();
        let wallet = books.ledger.wallet(&caller.scope, &wallet("w")).await.unwrap().unwrap();
        assert_eq!(wallet.balances().collect::<Vec<_>>(), [usd(150)], "{to}");
        verify(books.ledger.store().as_ref()).await.unwrap();
    }
}

#[tokio::test]
async fn credits_are_paid_by_processing_and_never_recorded() {
    let books = Books::new();
    let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Credits(wallet("w")));
    let made = books.ledger.create(&caller("acme"), new.recorded_only()).await.unwrap();
    let id = made.payment().unwrap().id();
    let refused = books.set(id, Update::to(Succeeded)).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::NotRecordable(_))));
}

#[tokio::test]
async fn one_name_at_a_gateway_is_one_payment() {
    let books = Books::new();
    let (one, other) = (books.at(Initiated).await, books.at(Initiated).await);
    let name = |name: &str| Update::default().with_gateway_payment_id(name.parse().unwrap());
    books.set(one, name("pi_1")).await.unwrap();
    let refused = books.set(other, name("pi_1")).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::GatewayIdTaken(_))));
    books.set(one, name("pi_2")).await.unwrap();
    books.set(one, name("pi_1")).await.unwrap();
    let refused = books.set(other, name("pi_2")).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::GatewayIdTaken(_))), "a name is not given up");
}

/// A gateway whose calls take for ever.
#[derive(Debug)]
struct Hanging(counterfoil::text::GatewayName);

#[async_trait::async_trait]
impl counterfoil::gateway::Gateway for Hanging {
    fn name(&self) -> &counterfoil::text::GatewayName {
        &self.0
    }

    fn finality(&self) -> counterfoil::gateway::Finality {
        counterfoil::gateway::Finality::After(Duration::ZERO)
    }

    async fn charge(&self, _: &counterfoil::gateway::Charge) -> counterfoil::payment::Evidence {
        std::future::pending().await
    }

    async fn capture(&self, _: &counterfoil::gateway::Modification) -> counterfoil::payment::Evidence {
        std::future::pending().await
    }

    async fn refund(&self, _: &counterfoil::gateway::Modification) -> counterfoil::payment::Evidence {
        std::future::pending().await
    }

    async fn void(&self, _: &counterfoil::gateway::Modification) -> counterfoil::payment::Evidence {
        std::future::pending().await
    }

    async fn inquire(&self, _: &counterfoil::gateway::Inquiry) -> Option<counterfoil::payment::Evidence> {
        None
    }

    async fn look_up(&self, _: &counterfoil::gateway::LookUp) -> Option<counterfoil::payment::Evidence> {
        None
    }
}
