//! What gateways tell.

use counterfoil::command::{About, Told};
use counterfoil::ledger::Notification;
use counterfoil::payment::{
    DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, Failure, FailureClass, Outcome,
};
use counterfoil::text::{ErrorCode, NotificationId, PaymentUrl};

use super::{gateway_id, message, money};
use crate::fixtures::{self, Said};

pub(super) fn evidence(id: u8, amount: u8, what: u8, how: u8, when: u8) -> Evidence {
    let evidence = fixtures::evidence(outcome(amount, what, how), u32::from(when % 4));
    // Any outcome may come with an amount.
    let evidence = match evidence.amount {
        None if !evidence.is_success() && amount % 4 == 3 => evidence.with_amount(money(amount)),
        _ => evidence,
    };
    match gateway_id(id) {
        Some(id) => evidence.with_gateway_operation_id(fixtures::gateway_operation(id)),
        None => evidence,
    }
}

fn outcome(amount: u8, what: u8, how: u8) -> Said {
    let error_message = message(how);
    match what % 16 {
        0 | 8 | 9 => fixtures::succeeded(None),
        1 | 10 => fixtures::succeeded(Some(money(amount))),
        2 | 11 => {
            let class = FailureClass::ALL[usize::from(how) % FailureClass::ALL.len()];
            Outcome::Failed(Failure { class, code: ErrorCode::lossy("declined"), message: error_message })
                .into()
        }
        3 => Outcome::Pending.into(),
        4 | 12 | 13 => {
            let url = PaymentUrl::new("https://pay.example/1").expect("a valid address");
            Outcome::RequiresAction { payment_url: (how % 2 == 1).then_some(url) }.into()
        }
        5 | 6 => Outcome::NotSent { error_message }.into(),
        14 => Outcome::Canceled { error_message }.into(),
        15 => Outcome::Reversed { error_message }.into(),
        _ => Outcome::Unknown { error_message }.into(),
    }
}

/// A notification, but for our names in it.
pub(super) fn notification([who, name, amount, what, how, when]: [u8; 6]) -> Notification {
    let gateway = if how >= 240 { fixtures::other_gateway() } else { fixtures::gateway() };
    let about = About {
        gateway_payment_id: gateway_id(when / 32).map(|id| id.parse().expect("a valid id")),
        gateway_attempt_id: (who % 16 == 3).then(|| fixtures::gateway_operation(attempt_name(how))),
        gateway_dispute_id: (what % 16 > 9 && name > 15).then(|| dispute_id(name)),
        ..About::default()
    };
    // Some are told twice, and some names for different things.
    let id = format!("ntf_{}", u32::from(name) * 256 + u32::from(if name < 128 { what } else { 0 }));
    let said = Notification::new(
        gateway,
        id.parse().expect("a valid id"),
        about,
        told(name, amount, what, how, when),
    );
    if how % 4 == 3 { said.with_funds(funds(when)) } else { said }
}

fn told(name: u8, amount: u8, what: u8, how: u8, when: u8) -> Told {
    let end = evidence(name / 8, amount, what / 16, how, when);
    match what % 16 {
        0 | 1 => Told::Attempt(end),
        2 => Told::Authorization(end),
        3 | 4 => Told::Capture(named(end, name)),
        5 | 6 => Told::Refund(named(end, name)),
        7 => Told::Void(end),
        8 | 9 => Told::Returned(returned(end, name, how)),
        10 | 11 => Told::Dispute(dispute(DisputeWordKind::Opened, amount, how, when)),
        12 => Told::Dispute(dispute(DisputeWordKind::Updated, amount, how, when)),
        13 => Told::Dispute(dispute(won_or_lost(name), amount, how, when)),
        14 => Told::Dispute(dispute(DisputeWordKind::FundsWithdrawn, amount, how, when)),
        _ => Told::Dispute(dispute(DisputeWordKind::FundsReinstated, amount, how, when)),
    }
}

/// What adds up has a name, or is refused.
fn named(evidence: Evidence, name: u8) -> Evidence {
    match name / 8 {
        0 => evidence,
        other => evidence.with_gateway_operation_id(fixtures::gateway_operation(attempt_name(other))),
    }
}

fn returned(mut evidence: Evidence, name: u8, how: u8) -> Evidence {
    let error_message = message(0);
    evidence.outcome = match how % 4 {
        2 => Outcome::ReturnCanceled { error_message },
        _ => Outcome::Reversed { error_message },
    };
    if evidence.amount.is_some() { named(evidence, name) } else { evidence }
}

/// One of the few names that gateways give to operations.
fn attempt_name(which: u8) -> &'static str {
    gateway_id(5 + which % 3).unwrap_or("ch_5")
}

fn won_or_lost(name: u8) -> DisputeWordKind {
    if name.is_multiple_of(2) { DisputeWordKind::Won } else { DisputeWordKind::Lost }
}

fn dispute(kind: DisputeWordKind, amount: u8, how: u8, when: u8) -> DisputeWord {
    let stages = DisputeStage::ALL;
    let stage = match how % 8 {
        0..=4 => DisputeStage::Chargeback,
        other => stages[usize::from(other) % stages.len()],
    };
    let mut word = DisputeWord::new(kind, fixtures::second(u32::from(when % 4))).at_stage(stage);
    if amount % 16 > 2 {
        word = word.with_amount(money(amount));
    }
    if when % 8 == 5 {
        word = word.with_due_by(fixtures::second(u32::from(how)));
    }
    if when % 8 == 6 {
        word = word.with_reason(ErrorCode::lossy("fraudulent"), message(how));
    }
    if how % 16 > 8 {
        word = word.with_status(DisputeStatus::ALL[usize::from(when / 64)]);
    }
    word
}

fn dispute_id(name: u8) -> counterfoil::text::GatewayDisputeId {
    let id = if name % 8 == 7 { "dp_2" } else { "dp_1" };
    id.parse().expect("a valid id")
}

fn funds(when: u8) -> NotificationId {
    let id = if when.is_multiple_of(2) { "txn_1" } else { "txn_2" };
    id.parse().expect("a valid id")
}
