//! Money that was charged or held, and what is due.

use std::time::Duration;

use counterfoil::account::Owed;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Overpayment, Policy, Resolution};
use counterfoil::id::{AttemptId, DisputeId};
use counterfoil::ledger::{NewCapture, NewRecordedRefund, NewRefund, NewResolution, NewVoid, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::Work;
use counterfoil::scope::Caller;
use uuid::Uuid;

use super::told::notification;
use super::{
    destination, gateway, gateway_id, has_gateway, idempotency_key, known, message, metadata, operation,
};
use crate::fixtures;
use crate::script::{STEP, Step};

/// The steps of kinds 37 and up.
pub(super) fn step(bytes: [u8; STEP], caller: Option<Caller>, payment: usize) -> Step {
    let [kind, who, _, name, amount, what, how, when] = bytes;
    let operation = operation(name);
    match kind % 64 {
        37..=41 => Step::Capture { caller, payment, new: capture(name, amount, what) },
        42..=44 => Step::Refund { caller, payment, new: refund(name, amount, what, how) },
        45 => Step::Queued { caller, payment, operation, cancels: what % 4 == 3 },
        46 => Step::RecordRefund { caller, payment, new: recorded_refund(bytes) },
        47 | 48 => Step::Void { caller, payment, new: void(name, what) },
        49..=54 => Step::Notify {
            caller,
            payment,
            by_id: who / 16 < 14,
            operation: (when / 64 == 1).then_some(operation),
            parent: parent(who),
            said: notification([who, name, amount, what, how, when]),
        },
        55 | 56 => Step::Resolve {
            caller,
            payment,
            operation: (how.is_multiple_of(2)).then_some(operation),
            other: usize::from(when % 4),
            new: NewResolution::new(resolution(amount, what), message(how)),
        },
        57 => Step::Register {
            caller: super::caller(who),
            destination: destination(how.wrapping_add(12)),
            owed: owed(amount, what),
        },
        58 | 59 => Step::Due { payment, waits: what < 224 },
        60 => Step::Poll {
            caller,
            payment,
            operation: (how % 8 > 0).then_some(operation),
            polls: u32::from(when.leading_zeros().saturating_sub(2).min(3) as u8),
            resend: what % 4 == 3,
        },
        61 => Step::Lapse { caller, payment, work: lapsing(what) },
        62 => Step::Process {
            caller,
            payment,
            how: Processing::default(),
            number: Some(2 + u32::from(what % 4)),
            known: known(when),
            gateway: has_gateway(how),
        },
        _ => Step::Rules { policy: rules(what) },
    }
}

/// Parts of what is usual; and what cannot be.
fn part(amount: u8) -> Option<Money> {
    let (minor, currency) = match amount % 16 {
        0..=4 => return None,
        5..=8 => (300, Currency::USD),
        9 => (400, Currency::USD),
        10 => (1, Currency::USD),
        11 => (1_000, Currency::USD),
        12 => (999, Currency::USD),
        13 => (0, Currency::USD),
        14 => (300, Currency::JPY),
        _ => (Money::MAX_MINOR, Currency::USD),
    };
    Some(fixtures::money(minor, currency))
}

fn capture(name: u8, amount: u8, what: u8) -> NewCapture {
    let mut new = part(amount).map_or_else(NewCapture::all, NewCapture::of);
    if what % 8 < 5 {
        new = new.keeping_the_rest();
    }
    new.queued = what / 8 % 8 == 7;
    new.idempotency_key = idempotency_key(name);
    new
}

fn refund(name: u8, amount: u8, what: u8, how: u8) -> NewRefund {
    let mut new = part(amount).map_or_else(NewRefund::all, NewRefund::of);
    new.reason = (what % 4 == 3).then(|| message(how));
    if how % 8 == 7 {
        new = new.with_metadata(metadata(0));
    }
    new.queued = how % 8 == 6;
    new.idempotency_key = idempotency_key(name);
    new
}

/// Mostly off-gateway, and now; else at any gateway, under any name, long ago or in the future.
fn recorded_refund([_, _, _, name, amount, what, how, when]: [u8; STEP]) -> NewRecordedRefund {
    let refund = refund(name, amount, what, how);
    let mut new = NewRecordedRefund::default();
    (new.amount, new.reason, new.metadata) = (refund.amount, refund.reason, refund.metadata);
    new.idempotency_key = refund.idempotency_key;
    new.gateway = gateway(what / 4);
    new.gateway_refund_id = gateway_id(how / 8).map(fixtures::gateway_operation);
    new.occurred_at = match when % 16 {
        0..=11 => None,
        15 => Some(Timestamp::MAX),
        second => Some(fixtures::second(second.into())),
    };
    new
}

fn void(name: u8, what: u8) -> NewVoid {
    let mut new = NewVoid::default();
    new.reason = (what % 4 == 3).then(|| message(what / 4));
    new.queued = what % 8 == 6;
    new.idempotency_key = idempotency_key(name);
    new
}

fn resolution(amount: u8, what: u8) -> Resolution {
    match what % 16 {
        0 | 1 => Resolution::Succeeded { amount: None },
        2 => Resolution::Succeeded { amount: part(amount) },
        3 | 4 => Resolution::Failed,
        5 => Resolution::NotSent,
        6 => Resolution::Dismissed,
        7 => Resolution::Returned { amount: part(amount) },
        8..=11 => Resolution::Allocated { attempt: AttemptId::new(Uuid::nil()) },
        12 => Resolution::Another,
        13 | 14 => Resolution::Won { dispute: DisputeId::new(Uuid::nil()) },
        _ => Resolution::Lost { dispute: DisputeId::new(Uuid::nil()), amount: part(amount) },
    }
}

/// Mostly no parent is reported, else one by our name.
fn parent(who: u8) -> Option<usize> {
    match who % 16 {
        0 | 1 => Some(0),
        2 => Some(1),
        _ => None,
    }
}

fn owed(amount: u8, what: u8) -> Owed {
    let (minor, currency) = match amount % 16 {
        0..=4 => (1_000, Currency::USD),
        5..=9 => (2_000, Currency::USD),
        10 => (500, Currency::USD),
        11..=14 => (20_000, Currency::USD),
        _ => (1_000, Currency::JPY),
    };
    let number = what.is_multiple_of(4).then(|| "No. 8".parse().expect("a valid number"));
    Owed { amount_due: fixtures::money(minor, currency), number, payable: what < 248 }
}

fn lapsing(what: u8) -> Work {
    match what % 8 {
        0..=4 => Work::Expire,
        5 | 6 => Work::GiveUp,
        _ => Work::Retry { number: 2 + u32::from(what / 64) },
    }
}

/// Each rule by itself, and mostly without the one that refuses much.
fn rules(what: u8) -> Policy {
    let mut policy = if what & 1 == 0 { fixtures::retrying() } else { Policy::default() };
    if what & 2 == 0 {
        policy = policy.charging_beside_doubt();
    }
    if what & 4 != 0 {
        policy = policy.with_overpayment(Overpayment::Accept);
    }
    if what & 8 != 0 {
        policy = policy.with_polls([5, 60].map(Duration::from_secs));
    }
    if what & 16 != 0 {
        policy = policy.owing_charged_back();
    }
    if what & 32 != 0 {
        policy = policy.processing_failed();
    }
    if what == 255 { policy.with_strict_destinations() } else { policy }
}
