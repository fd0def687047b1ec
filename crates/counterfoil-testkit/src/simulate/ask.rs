//! What a client asks of a ledger.

use std::time::Duration;

use counterfoil::account::Owed;
use counterfoil::clock::Timestamp;
use counterfoil::command::Receipt;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{
    Ledger, LedgerError, NewAttempt, NewCapture, NewPayment, NewRecordedRefund, NewRefund, NewResolution,
    NewTopUp, NewVoid, Processing, Update,
};
use counterfoil::money::Money;
use counterfoil::payment::{CaptureMethod, Destination, OperationId, Payment, PaymentMethod};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, PaymentStatus, allowed};
use counterfoil::text::{IdempotencyKey, Metadata};

use super::dice::Dice;
use crate::fixtures;

/// Instruments that steer the sandbox; others go well, or as a hostile gateway has it.
const CARDS: [&str; 14] = [
    "pm_sandbox_decline",
    "pm_sandbox_decline_hard",
    "pm_sandbox_decline_once",
    "pm_sandbox_pending",
    "pm_sandbox_action",
    "pm_sandbox_timeout_paid",
    "pm_sandbox_timeout_declined",
    "pm_sandbox_timeout_unknown",
    "pm_sandbox_down",
    "pm_sandbox_overpaid",
    "pm_sandbox_refund_fails",
    "pm_sandbox_refund_bounces",
    "pm_sandbox_capture_decline",
    "pm_sandbox_void_decline",
];

/// The clients' wallet. Like all names of theirs it is none that a service of somebody's own would use.
const WALLET: &str = "sim-wallet";

/// Something that is asked for, to the letter: asked again it is the same request.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Create(NewPayment),
    Process(PaymentId, Processing),
    Record(PaymentId, NewAttempt),
    RecordRefund(PaymentId, NewRecordedRefund),
    Capture(PaymentId, NewCapture),
    Refund(PaymentId, NewRefund),
    Void(PaymentId, NewVoid),
    TopUp(NewTopUp),
    Update(PaymentId, Update),
    Resolve(PaymentId, NewResolution),
    Register(Destination, Owed),
    Send(PaymentId, OperationId),
    Cancel(PaymentId, OperationId),
}

impl Ask {
    pub(super) async fn ask(self, ledger: &Ledger, caller: &Caller) -> Result<Receipt, LedgerError> {
        match self {
            Ask::Create(new) => ledger.create(caller, new).await,
            Ask::Process(id, how) => ledger.process(caller, id, how).await,
            Ask::Record(id, new) => ledger.record_attempt(caller, id, new).await,
            Ask::RecordRefund(id, new) => ledger.record_refund(caller, id, new).await,
            Ask::Capture(id, new) => ledger.capture(caller, id, new).await,
            Ask::Refund(id, new) => ledger.refund(caller, id, new).await,
            Ask::Void(id, new) => ledger.void(caller, id, new).await,
            Ask::TopUp(new) => ledger.top_up(caller, new).await,
            Ask::Update(id, update) => ledger.update(caller, id, update).await,
            Ask::Resolve(id, new) => ledger.resolve(caller, id, new).await,
            Ask::Register(destination, owed) => ledger.register(caller, destination, owed).await,
            Ask::Send(id, operation) => ledger.send(caller, id, operation).await,
            Ask::Cancel(id, operation) => ledger.cancel(caller, id, operation).await,
        }
    }

    /// Whether it has a key, so that it may be asked for again.
    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        match self {
            Ask::Create(new) => new.idempotency_key.as_ref(),
            Ask::Process(_, how) => how.idempotency_key.as_ref(),
            Ask::Record(_, new) => new.idempotency_key.as_ref(),
            Ask::RecordRefund(_, new) => new.idempotency_key.as_ref(),
            Ask::Capture(_, new) => new.idempotency_key.as_ref(),
            Ask::Refund(_, new) => new.idempotency_key.as_ref(),
            Ask::Void(_, new) => new.idempotency_key.as_ref(),
            Ask::TopUp(new) => new.idempotency_key.as_ref(),
            Ask::Update(..) | Ask::Resolve(..) | Ask::Register(..) | Ask::Send(..) | Ask::Cancel(..) => None,
        }
    }

    /// Whether it takes effect once if it is requested twice at the same time.
    pub(super) fn is_once(&self) -> bool {
        self.key().is_some() || matches!(self, Ask::Send(..))
    }

    /// The same key, and another request; `None` if there is nothing to change.
    pub(super) fn changed(&self) -> Option<Ask> {
        let more = |amount: Money| Money::from_minor(amount.minor() + 1, amount.currency()).ok();
        let mut other = self.clone();
        match &mut other {
            Ask::Create(new) => new.amount = more(new.amount)?,
            Ask::TopUp(new) => new.amount = more(new.amount)?,
            Ask::Capture(_, new) => new.amount = Some(more(new.amount?)?),
            Ask::Refund(_, new) => new.amount = Some(more(new.amount?)?),
            _ => return None,
        }
        self.key().map(|_| other)
    }

    /// A new payment.
    pub(super) fn payment(dice: &mut Dice, key: IdempotencyKey, now: Timestamp) -> Ask {
        let amount = fixtures::usd(100);
        let destination = match dice.below(6) {
            0 => fixtures::invoice("sim-inv-1"),
            place => fixtures::customer(&format!("sim-cus-{place}")),
        };
        let steered = if dice.one_in(3) { dice.pick(&CARDS).copied() } else { None };
        let card = steered.unwrap_or("pm_any");
        let method = match dice.below(16) {
            0 | 1 => fixtures::credits(WALLET),
            2 => PaymentMethod::Offline,
            _ => PaymentMethod::Card(Some(fixtures::instrument(card))),
        };
        let at_gateway = matches!(method, PaymentMethod::Card(_));
        let mut new = NewPayment::new(amount, destination, method).with_idempotency_key(key);
        if at_gateway && dice.one_in(3) {
            new = new.captured_later();
        }
        if dice.one_in(4) {
            let after = [90, 7_200].map(Duration::from_secs);
            new = new.expiring_at(now.saturating_add(dice.pick(&after).copied().unwrap_or_default()));
        }
        if dice.one_in(8) {
            new = new.recorded_only();
        } else if dice.one_in(6) {
            new = new.queued();
        }
        Ask::Create(new)
    }

    /// Something about a payment that it may be asked for, mostly.
    pub(super) fn about(dice: &mut Dice, payment: &Payment, key: IdempotencyKey) -> Option<Ask> {
        let id = payment.id();
        let queued = payment.operations().iter().find(|operation| operation.is_queued());
        if let Some(queued) = queued.filter(|_| dice.one_in(2)) {
            let cancels = dice.one_in(4);
            return Some(if cancels { Ask::Cancel(id, queued.id) } else { Ask::Send(id, queued.id) });
        }
        let is_queued = dice.one_in(6);
        let cents = i64::try_from(1 + dice.below(100)).unwrap_or(1);
        let part = fixtures::usd(cents);
        let is_manual = payment.terms().capture_method == CaptureMethod::Manual;
        if is_manual && payment.status() == PaymentStatus::Succeeded && dice.one_in(2) {
            // Where it was captured at once, the capture can be reversed.
            return Some(Ask::Void(id, NewVoid::default().with_idempotency_key(key)));
        }
        let actions = [Action::Process, Action::Capture, Action::Refund, Action::Refund, Action::Void];
        let likely: Vec<Action> =
            actions.into_iter().filter(|action| allowed(payment.status(), *action)).collect();
        let action = if dice.one_in(16) { dice.pick(&actions) } else { dice.pick(&likely) };
        let offline = matches!(payment.terms().method, PaymentMethod::Offline);
        Some(match action? {
            Action::Process if offline => Ask::Record(id, NewAttempt::succeeded().with_idempotency_key(key)),
            Action::Process => {
                let mut how = Processing::default().with_idempotency_key(key);
                how.queued = is_queued;
                // A failed payment takes another instrument only.
                let another = payment.status() == PaymentStatus::Failed || dice.one_in(4);
                let other = fixtures::instrument("pm_other");
                Ask::Process(id, if another { how.with_instrument(other) } else { how })
            }
            Action::Capture => {
                let mut new = if dice.one_in(2) { NewCapture::all() } else { NewCapture::of(part) };
                new.is_final = dice.one_in(2);
                new.queued = is_queued;
                Ask::Capture(id, new.with_idempotency_key(key))
            }
            Action::Void if dice.one_in(3) => {
                let mut new = NewVoid::default().with_idempotency_key(key);
                new.queued = is_queued;
                Ask::Void(id, new)
            }
            Action::Void => return None,
            _ => {
                let mut new = if dice.one_in(5) { NewRefund::all() } else { NewRefund::of(part) };
                new.queued = is_queued;
                Ask::Refund(id, new.with_idempotency_key(key))
            }
        })
    }

    /// More credits.
    pub(super) fn top_up(key: IdempotencyKey) -> Ask {
        Ask::TopUp(NewTopUp::new(fixtures::wallet(WALLET), fixtures::usd(150)).with_idempotency_key(key))
    }

    /// Other notes.
    pub(super) fn note(dice: &mut Dice, payment: &Payment) -> Ask {
        let value = dice.below(3).to_string();
        let metadata = Metadata::new([("order", value.as_str())]).unwrap_or_default();
        Ask::Update(payment.id(), Update::default().with_metadata(metadata))
    }

    /// Another instrument for what was declined.
    pub(super) fn instrument(payment: &Payment) -> Option<Ask> {
        let waits = payment.status() == PaymentStatus::Pending && payment.attempts().next().is_some();
        let update = || Update::default().with_instrument(fixtures::instrument("pm_other"));
        waits.then(|| Ask::Update(payment.id(), update()))
    }
}
