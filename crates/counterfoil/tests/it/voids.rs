//! Captures and voids that a gateway declines, and voids of captured money, through a ledger.

use std::sync::Arc;

use counterfoil::command::{Receipt, Rejection};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, NewCapture, NewPayment, NewRefund, NewVoid};
use counterfoil::payment::{Irreversible, OperationId, Payment, PaymentMethod, Possible};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::text::Message;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, key, usd};

struct Shop {
    ledger: Ledger,
    sandbox: Arc<Sandbox>,
}

impl Shop {
    fn new(sandbox: Sandbox) -> Shop {
        let sandbox = Arc::new(sandbox);
        let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(sandbox.clone());
        Shop { ledger, sandbox }
    }

    /// A payment of 100 cents that is held.
    async fn hold(&self, card: &str) -> PaymentId {
        let method = PaymentMethod::Card(Some(instrument(card)));
        let new = NewPayment::new(usd(100), invoice("inv_1"), method).captured_later();
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().id()
    }

    async fn capture(&self, payment: PaymentId, new: NewCapture) -> Receipt {
        self.ledger.capture(&caller("acme"), payment, new).await.unwrap()
    }

    async fn void(&self, payment: PaymentId, new: NewVoid) -> Receipt {
        self.ledger.void(&caller("acme"), payment, new).await.unwrap()
    }

    async fn refused_void(&self, payment: PaymentId) -> Rejection {
        let refused = self.ledger.void(&caller("acme"), payment, NewVoid::new()).await.unwrap_err();
        refused.rejection().unwrap().clone()
    }

    async fn now(&self, payment: PaymentId) -> Arc<Payment> {
        self.ledger.payment(&caller("acme").scope, payment).await.unwrap().unwrap()
    }

    /// What is said of a void.
    async fn offered(&self, payment: PaymentId) -> Possible {
        let actions = self.ledger.actions(&*self.now(payment).await);
        actions.into_iter().find(|possible| possible.action == Action::Void).unwrap()
    }
}

/// What a receipt tells of the operation: its id, how it stands, code and message.
fn told(receipt: &Receipt) -> (OperationId, OperationStatus, Option<&str>, Option<&str>) {
    let operation = receipt.operation().unwrap();
    let code = operation.failure().map(|failure| failure.code.as_str());
    (operation.id, operation.status(), code, operation.error_message().map(Message::as_str))
}

/// INVARIANTS 8, 20: a decline is told, to a repeat under its key too, and frees what it had reserved.
#[tokio::test]
async fn declined_captures_and_voids_are_told_to_their_callers() {
    let shop = Shop::new(Sandbox::new());
    let payment = shop.hold("pm_sandbox_capture_decline").await;
    let asked = NewCapture::of(usd(40)).with_idempotency_key(key("c"));
    let first = shop.capture(payment, asked.clone()).await;
    let (_, status, code, message) = told(&first);
    let expected =
        (OperationStatus::Failed, Some("capture_declined"), Some("the gateway declined the capture"));
    assert_eq!((status, code, message), expected);
    let stands = first.payment().unwrap();
    assert_eq!((stands.status(), stands.capturable()), (PaymentStatus::Authorized, usd(100)));
    let again = shop.capture(payment, asked).await;
    assert_eq!((again.replayed, told(&again)), (true, told(&first)));

    let payment = shop.hold("pm_sandbox_void_decline").await;
    let asked = NewVoid::new().with_idempotency_key(key("v"));
    let first = shop.void(payment, asked.clone()).await;
    let (_, status, code, message) = told(&first);
    let expected = (OperationStatus::Failed, Some("void_declined"), Some("the gateway declined the void"));
    assert_eq!((status, code, message), expected);
    let again = shop.void(payment, asked).await;
    assert_eq!((again.replayed, told(&again)), (true, told(&first)));
    assert_eq!(shop.now(payment).await.voids().count(), 1);
}

/// INVARIANTS 24: what is open is told as open, and a repeat tells its end once it is known.
#[tokio::test]
async fn open_captures_and_voids_are_told_to_their_callers() {
    let shop = Shop::new(Sandbox::new());
    let payment = shop.hold("pm_sandbox_void_timeout").await;
    let part = shop.capture(payment, NewCapture::of(usd(40)).keeping_the_rest()).await;
    let asked = NewVoid::new().with_idempotency_key(key("v"));
    let open = shop.void(payment, asked.clone()).await;
    assert_eq!(told(&open).1, OperationStatus::Unknown);
    let end = shop.void(payment, asked).await;
    assert_eq!((told(&end).0, told(&end).1), (told(&open).0, OperationStatus::Succeeded));
    let payment = end.payment().unwrap();
    let captures: Vec<OperationId> = payment.captures().map(|capture| capture.id).collect();
    let voids: Vec<OperationId> = payment.voids().map(|void| void.id).collect();
    assert_eq!((captures, voids), (vec![told(&part).0], vec![told(&open).0]));
}

/// INVARIANTS 12, 46: the capture goes back as if it had never been, here and at the gateway.
#[tokio::test]
async fn void_of_a_captured_hold_reverses_the_capture() {
    for amount in [100, 60] {
        let shop = Shop::new(Sandbox::new());
        let payment = shop.hold("pm_1").await;
        let captured = shop.capture(payment, NewCapture::of(usd(amount))).await;
        assert_eq!(shop.offered(payment).await.max_amount, Some(usd(amount)));
        let voided = shop.void(payment, NewVoid::new()).await;
        let void = voided.operation().unwrap();
        assert_eq!((void.status(), void.amount), (OperationStatus::Succeeded, usd(amount)));
        assert_eq!(void.kind.reversed_capture().map(OperationId::from), Some(told(&captured).0));
        let after = voided.payment().unwrap();
        assert_eq!((after.status(), after.captured(), after.held()), (PaymentStatus::Voided, usd(0), usd(0)));
        assert!(after.reviews().is_empty());
        let there = (shop.sandbox.captured(payment), shop.sandbox.held(payment));
        assert_eq!(there, (None, None), "the sandbox took it back too");
        verify(shop.ledger.store().as_ref()).await.unwrap();
    }
}

/// INVARIANTS 8: a reversal that the gateway declines leaves the money captured, and a refund can give it back.
#[tokio::test]
async fn declined_reversal_of_a_capture_leaves_the_money_captured() {
    let shop = Shop::new(Sandbox::new());
    let payment = shop.hold("pm_sandbox_void_decline").await;
    shop.capture(payment, NewCapture::all()).await;
    let declined = shop.void(payment, NewVoid::new()).await;
    assert_eq!(told(&declined).2, Some("void_declined"));
    let stands = declined.payment().unwrap();
    assert_eq!((stands.status(), stands.refundable()), (PaymentStatus::Succeeded, usd(100)));
    shop.ledger.refund(&caller("acme"), payment, NewRefund::all()).await.unwrap();
    assert_eq!(shop.now(payment).await.status(), PaymentStatus::Refunded);
}

/// INVARIANTS 12, 23: refused where the gateway cannot, as `actions` says; nothing is written, and no gateway called.
#[tokio::test]
async fn void_of_a_captured_hold_is_refused_where_it_cannot_be_reversed() {
    let shop = Shop::new(Sandbox::new().without_capture_reversals());
    let payment = shop.hold("pm_1").await;
    let before = shop.capture(payment, NewCapture::all()).await.payment().unwrap().version();
    let reason = Irreversible::ByGateway("sandbox".parse().unwrap());
    let refused = shop.refused_void(payment).await;
    assert_eq!(refused, Rejection::CaptureNotReversible { payment, reason });
    let why = "its hold was captured, and gateway sandbox cannot reverse a capture; use a refund";
    assert_eq!(refused.to_string(), format!("payment {payment} cannot be voided: {why}"));
    let offered = shop.offered(payment).await;
    assert_eq!((offered.allowed, offered.reason.as_deref()), (false, Some(why)));
    assert_eq!((shop.now(payment).await.version(), shop.sandbox.calls()), (before, 2));
    shop.ledger.refund(&caller("acme"), payment, NewRefund::all()).await.unwrap();
}

/// INVARIANTS 12: a void reverses one capture; of several none.
#[tokio::test]
async fn void_of_a_hold_that_was_captured_in_parts_is_refused() {
    let shop = Shop::new(Sandbox::new());
    let payment = shop.hold("pm_1").await;
    shop.capture(payment, NewCapture::of(usd(60)).keeping_the_rest()).await;
    shop.capture(payment, NewCapture::all()).await;
    let refused = shop.refused_void(payment).await;
    assert_eq!(refused, Rejection::CaptureNotReversible { payment, reason: Irreversible::InParts });
    let why = "its hold was captured in several parts; use a refund";
    assert_eq!(shop.offered(payment).await.reason.as_deref(), Some(why));
    shop.ledger.refund(&caller("acme"), payment, NewRefund::all()).await.unwrap();
    assert_eq!(shop.now(payment).await.status(), PaymentStatus::Refunded);
}
