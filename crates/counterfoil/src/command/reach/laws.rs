//! What must hold in every state and of every step.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::{Command, Rejection, Request};
use super::{Next, Node, moves, step};
use crate::account::{AccountId, Totals};
use crate::event::{Event, evolve_payment};
use crate::money::Money;
use crate::payment::{Attention, DisputeStage, DisputeStatus, Operation, OperationId, Payment, Review};
use crate::status::{Action, OperationStatus, PaymentStatus, allowed};

type Law = Result<(), String>;

fn law(number: &str, holds: bool, told: impl FnOnce() -> String) -> Law {
    if holds { Ok(()) } else { Err(format!("INVARIANTS {number} broken: {}", told())) }
}

/// The laws of a step that was taken.
pub(super) fn hold(before: &Node, next: &Next, command: &Command) -> Law {
    let (was, is) = (&before.payment, &next.node.payment);
    if !next.wrote {
        let due = matches!(command.request, Request::Lapse(_) | Request::Poll(_));
        law("45", !due, || format!("what is due was not done at {}", was.status()))?;
        return law("15", was == is, || "what changes nothing changed something".into());
    }
    law("15", facts(was) != facts(is) || notes(&next.events), || {
        format!("an event without a change: {:?}", next.events)
    })?;
    grow(was, is, command)?;
    follow(before, next)?;
    by_command(was, is, command)?;
    retried(was, is, command)?;
    stands(&next.node)?;
    exact(&next.node)
}

/// All that a step can change about a payment, but for who and when.
fn facts(payment: &Payment) -> String {
    let operations = payment.operations().iter().map(|operation| {
        let sent = (operation.lease_until, operation.resent_until);
        let decided = (&operation.set_aside, &operation.allocation, operation.ended_payment);
        (operation.id, operation.reports.clone(), decided, operation.expired, operation.polls, sent)
    });
    let operations: Vec<_> = operations.collect();
    let (references, disputes) = (&payment.references, payment.disputes());
    format!(
        "{:?} {:?} {operations:?} {disputes:?} {references:?} {:?} {:?} {:?}",
        payment.submitted, payment.closed, payment.polls, payment.misfits, payment.dismissed
    )
}

/// Events that keep what is of no consequence: how often somebody asked.
fn notes(events: &[std::sync::Arc<Event>]) -> bool {
    events.iter().any(|event| event.body().kind() == "gateway.polled")
}

/// INVARIANTS 1, 19, 32, 42: what only grows.
fn grow(was: &Payment, is: &Payment, command: &Command) -> Law {
    let decides = matches!(command.request, Request::Resolve(_));
    for operation in was.operations() {
        let Some(after) = is.operation(operation.id) else {
            return law("1", false, || format!("{} is gone", operation.id));
        };
        // What was held is not what was charged, and an operator may decide otherwise.
        let is_decided = decides || operation.is_hold() != after.is_hold() || after.is_resolved();
        let [before, after] = [operation, after].map(|of| of.reports.largest_success());
        law("1", is_decided || after >= before, || format!("{} moved {before}, then {after}", operation.id))?;
    }
    let is_decided = is.operations().iter().any(Operation::is_resolved);
    let [before, after] = [was, is].map(|payment| payment.authorized().minor());
    law("1", is_decided || after >= before, || format!("{before} was authorized, then {after}"))?;
    let times = |p: &Payment| [p.succeeded_at, p.failed_at, p.refunded_at, p.voided_at];
    let kept = times(was).into_iter().zip(times(is)).all(|(was, is)| was.is_none() || was == is);
    law("19", kept && was.updated_at() < is.updated_at(), || "a time was moved".into())?;
    law("32", is.version() > was.version(), || "the version did not rise".into())?;
    for (dispute, after) in was.disputes().iter().zip(is.disputes()) {
        law("42", dispute.stage() <= after.stage(), || "a dispute's stage fell".into())?;
        let closed = matches!(dispute.status(), DisputeStatus::Won | DisputeStatus::Lost);
        let open = matches!(after.status(), DisputeStatus::NeedsResponse | DisputeStatus::UnderReview);
        let reopened = closed && open && dispute.stage() == after.stage();
        law("42", !reopened, || "a closed dispute was open again".into())?;
    }
    Ok(())
}

/// INVARIANTS 32, 38: folding the events gives the state, and so do its bytes.
fn follow(before: &Node, next: &Next) -> Law {
    let mut folded = (*before.payment).clone();
    for event in &next.events {
        let decoded = Event::decode(event.bytes(), event.hash());
        law("38", decoded.as_ref() == Ok(event), || format!("{decoded:?} is not {event:?}"))?;
        folded = evolve_payment(Some(&folded), event).map_err(|damage| format!("38: {damage}"))?;
    }
    law("38", folded == *next.node.payment, || "folding gives another payment".into())?;
    let row = Payment::decode_row(folded.terms().clone(), &folded.encode_row());
    law("38", row.as_ref() == Ok(&folded), || format!("its row reads {row:?}"))?;
    law("32", folded.version() == before.payment.version() + next.events.len() as u64, || {
        "the version did not rise by one with every event".into()
    })
}

/// INVARIANTS 3: no command makes more go back than there is.
fn by_command(was: &Payment, is: &Payment, command: &Command) -> Law {
    let evidence = matches!(
        command.request,
        Request::Report(_) | Request::Notify(_) | Request::Discover(_) | Request::Resolve(_)
    );
    let resolved = was.status() == PaymentStatus::Processing;
    law("3", evidence || resolved || is.excess_returned() <= was.excess_returned(), || {
        "a command gave back what there is not".into()
    })
}

/// INVARIANTS 44: scheduled attempts use up the schedule, manual ones leave it as it was; and only a failed payment is
/// opened again.
fn retried(was: &Payment, is: &Payment, command: &Command) -> Law {
    let scheduled = is.attempts().filter(|attempt| attempt.kind.is_scheduled() && attempt.is_requested());
    let arrived = scheduled.filter(|attempt| attempt.status() != OperationStatus::NotSent).count();
    let most = command.policy.retries.len();
    law("44", arrived <= most, || format!("{arrived} scheduled attempts, of {most}"))?;
    if let Request::Report(report) = &command.request {
        let over = was.operation(report.operation).is_some_and(|known| was.is_reopened_since(known));
        let ended = is.operation(report.operation).is_some_and(|known| known.ended_payment);
        return law("26", !over || !ended, || "an earlier attempt ended it again".into());
    }
    let Request::Process(process) = &command.request else { return Ok(()) };
    let [before, after] = [was, is].map(|payment| payment.attempts().last());
    let arrived =
        |attempt: &Operation| attempt.is_requested() && attempt.status() != OperationStatus::NotSent;
    let manual = process.number.is_none() && before.is_some_and(arrived);
    let beside = after.map(|attempt| attempt.kind.retry()) == before.map(|attempt| attempt.kind.retry());
    law("44", !manual || beside, || "a manual attempt moved the schedule".into())?;
    let reopened = was.reopened != is.reopened;
    law("44", reopened == (was.status() == PaymentStatus::Failed), || "opened again while open".into())
}

/// INVARIANTS 2, 3, 7, 8, 10, 13, 14, 16, 18, 43, 47.
fn stands(node: &Node) -> Law {
    use PaymentStatus::{
        Authorized, Failed, Initiated, Overpaid, PartiallyCaptured, PartiallyRefunded, Pending, Processing,
        Refunded, RequiresAction, Succeeded, Voided,
    };
    let payment = &node.payment;
    let status = payment.status();
    law("10", status == payment.derive(), || format!("it is {status}, not {}", payment.derive()))?;
    let (captured, refunded) = (payment.captured().minor(), payment.refunded().minor());
    let all = captured > 0 && refunded >= captured;
    law("13", (status == Refunded) == all, || format!("{status}: {refunded} of {captured}"))?;
    let some = 0 < refunded && refunded < captured;
    law("13", (status == PartiallyRefunded) == some, || format!("{status}: {refunded} of {captured}"))?;
    let money = matches!(status, Succeeded | Overpaid | PartiallyCaptured | PartiallyRefunded | Refunded);
    law("14", money == (captured > 0), || format!("{status} with {captured} captured"))?;
    let held = payment.held().minor();
    let may_hold = !matches!(status, Failed | Voided | Initiated | Pending | Processing | RequiresAction);
    law("14", may_hold || held == 0, || format!("{status} with {held} held"))?;
    law("14", status != Authorized || held > 0, || "authorized, and nothing held".into())?;
    sums(payment)?;
    let exceeded = payment.all_reviews().contains(&Review::Exceeded);
    law(
        "2, 3",
        exceeded || (payment.excess_returned() == 0 && payment.captured_beyond_holds() == 0),
        || "more than there is, and no review".into(),
    )?;
    let live = payment.attempts().filter(|attempt| attempt.status().is_live()).count();
    let flagged = payment.all_reviews().contains(&Review::Contradiction);
    law("16", live <= 1 || flagged, || format!("{live} live attempts"))?;
    let numbers: Vec<u32> = payment.attempts().map(|attempt| attempt.number).collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    law("18", numbers == expected, || format!("attempts are numbered {numbers:?}"))?;
    ends(payment)?;
    totals(node)
}

/// INVARIANTS 7, 8, 43: each amount, added up in another way.
fn sums(payment: &Payment) -> Law {
    let operations = payment.operations();
    let add = |which: &dyn Fn(&Operation) -> Option<i64>| operations.iter().filter_map(which).sum::<i64>();
    let moved = |operation: &Operation| operation.moved().map(Money::minor);
    let gross = |o: &Operation| {
        let is_done = matches!(o.status(), OperationStatus::Succeeded | OperationStatus::Reversed);
        o.ever_moved().filter(|_| is_done).map_or(0, Money::minor)
    };
    let came: i64 = payment
        .attempts()
        .map(|attempt| {
            let own = if attempt.is_hold() { 0 } else { gross(attempt) };
            let is_of_it = |c: &&Operation| c.parent().map(OperationId::Attempt) == Some(attempt.id);
            let captures = || payment.captures().filter(is_of_it).filter(|c| !c.is_set_apart());
            let back = |o: &Operation| o.returned().map_or(0, Money::minor);
            let returned: i64 = captures().map(back).sum::<i64>() + back(attempt);
            (own.max(captures().map(gross).sum()) - returned).max(0)
        })
        .sum();
    let taken = came + add(&|o| if o.id.is_capture() && o.parent().is_none() { moved(o) } else { None });
    let undone = add(&|o| if o.is_reversal() { moved(o) } else { None });
    let captured = (taken - undone).max(0);
    law("7", payment.captured().minor() == captured, || format!("captured is not {captured}"))?;
    let back = add(&|o| if o.id.is_refund() { moved(o) } else { None });
    law("7", payment.refunded().minor() == back, || format!("refunded is not {back}"))?;
    let open = add(&|o| {
        let out = o.id.is_refund() || o.is_reversal();
        (out && o.is_reserved()).then(|| o.amount.minor())
    });
    let [disputed, charged_back] = disputed(payment);
    let refundable = (captured - back - open - disputed - charged_back).max(0);
    law("8, 43", payment.refundable().minor() == refundable, || {
        format!("refundable is {}, not {refundable}", payment.refundable())
    })?;
    law("43", payment.charged_back().minor() == charged_back, || format!("{charged_back} is charged back"))?;
    law("43", payment.disputed().minor() == disputed + charged_back, || {
        format!("{disputed} is disputed, and {charged_back} charged back")
    })
}

/// What disputes reserve that are not lost, and what lost ones took.
fn disputed(payment: &Payment) -> [i64; 2] {
    let mut sums = [0, 0];
    for dispute in payment.disputes() {
        let amount = dispute.amount().unwrap_or(payment.terms().amount).minor();
        let (withdrawn, reinstated) = (dispute.withdrawn().minor(), dispute.reinstated().minor());
        let chargeback = dispute.stage() > DisputeStage::Inquiry;
        match dispute.status() {
            DisputeStatus::Lost if chargeback => sums[1] += (amount.max(withdrawn) - reinstated).max(0),
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview if chargeback => {
                sums[0] += amount.max(withdrawn - reinstated);
            }
            _ => sums[0] += (withdrawn - reinstated).max(0),
        }
    }
    sums
}

/// INVARIANTS 47: nothing waits for ever unseen.
fn ends(payment: &Payment) -> Law {
    use PaymentStatus::{Authorized, Initiated, PartiallyCaptured, Pending, Processing, RequiresAction};
    let open = matches!(
        payment.status(),
        Initiated | Pending | Processing | RequiresAction | Authorized | PartiallyCaptured
    );
    let commanded = [Action::Process, Action::Capture, Action::Void, Action::Fail]
        .into_iter()
        .any(|action| allowed(payment.status(), action));
    let seen = payment.next_due().is_some() || payment.needs(Attention::Stuck) || commanded;
    law("47", !open || seen, || format!("{} waits for nothing", payment.status()))?;
    let waiting = |operation: &&Operation| operation.gateway.is_some() && operation.status().is_live();
    let waits = payment.operations().iter().any(|operation| waiting(&operation));
    law("47", !waits || payment.next_due().is_some() || payment.is_stuck(), || {
        "an open operation is neither due nor stuck".into()
    })
}

/// INVARIANTS 7: the destination comes to what its one payment comes to.
fn totals(node: &Node) -> Law {
    let payment = &node.payment;
    let currency = payment.terms().amount.currency();
    let totals = node.destination.as_ref().map(|account| account.totals(currency)).unwrap_or_default();
    let live = payment.attempts().filter(|attempt| attempt.status().is_live());
    let live: i64 = live.map(|attempt| attempt.amount.minor()).sum();
    let (captured, pending) = (payment.captured().minor(), live + payment.held().minor());
    let [disputed, charged_back] = disputed(payment);
    let expected = [captured, pending, payment.refunded().minor(), disputed, charged_back];
    let Totals { paid, pending, refunded, disputed, charged_back } = totals;
    law("7", [paid, pending, refunded, disputed, charged_back] == expected.map(i128::from), || {
        format!("the destination comes to {totals:?}, not {expected:?}")
    })?;
    let destination = AccountId::destination(&payment.terms().destination);
    law("7", node.destination.as_ref().is_none_or(|account| *account.id() == destination), || {
        "another destination".into()
    })
}

/// INVARIANTS 4: what can be taken is accepted, one minor unit more is refused.
fn exact(node: &Node) -> Law {
    let payment = &node.payment;
    if payment.archived_at().is_some() {
        return Ok(());
    }
    let refund = |minor| Request::Refund(moves::refund(Uuid::from_u128(999), Some(moves::money(minor))));
    if allowed(payment.status(), Action::Refund) {
        let most = payment.refundable_at_once().minor();
        let is_too_much = |no: &Rejection| matches!(no, Rejection::ExceedsRefundable { .. });
        exactly(node, most, refund, is_too_much, of_one_charge)?;
        // What went back elsewhere may be of all that came.
        let most = payment.refundable().minor();
        let record = |minor| moves::record_refund(Uuid::from_u128(999), moves::money(minor), None);
        exactly(node, most, record, is_too_much, |_| Ok(()))?;
    }
    let capture =
        |minor| Request::Capture(moves::capture(Uuid::from_u128(999), Some(moves::money(minor)), true));
    if allowed(payment.status(), Action::Capture) {
        let most = payment.capturable().minor();
        let is_too_much = |no: &Rejection| matches!(no, Rejection::ExceedsCapturable { .. });
        exactly(node, most, capture, is_too_much, of_one_charge)?;
    }
    voids(node, true)?;
    voids(node, false)
}

/// INVARIANTS 4, 12: a void is accepted where the actions offer it, and takes what they say; a hold that was captured is
/// never released, but its capture is reversed where the gateway can, and else refused for that reason.
fn voids(node: &Node, reverses: bool) -> Law {
    let payment = &node.payment;
    let request = Request::Void(moves::void(Uuid::from_u128(999), reverses));
    let command = moves::starts()[0].ask(Some(payment), request);
    let possible = payment.actions(command.at, &command.policy, &moves::reversals(reverses));
    let offered = possible.into_iter().find(|possible| possible.action == Action::Void);
    let offered = offered.ok_or("12: a void is no action")?;
    let next = match step(Some(node), &command) {
        Ok(next) => next,
        Err(rejection) => {
            law("12", !offered.allowed, || format!("a void is offered, and refused: {rejection}"))?;
            let told = !matches!(rejection, Rejection::CaptureNotReversible { .. })
                || offered.reason.as_ref().is_some_and(|reason| rejection.to_string().contains(reason));
            return law("12", told, || format!("{rejection}, but the actions say {:?}", offered.reason));
        }
    };
    law("12", offered.allowed, || format!("a void was taken that is not offered: {:?}", offered.reason))?;
    let Some(void) = next.node.payment.operations().get(payment.operations().len()) else { return Ok(()) };
    let reserved = Some(void.amount) == offered.max_amount;
    law("4", reserved, || format!("a void takes {}, offered were {:?}", void.amount, offered.max_amount))?;
    let of = void.parent().and_then(|of| payment.operation(of.into()));
    let releases = of.is_some_and(Operation::is_hold) && !payment.held().is_zero();
    law("12", void.is_reversal() != releases, || format!("a void of {of:?} is {:?}", void.kind))?;
    let of_capture = of.is_some_and(Operation::is_hold) && !releases;
    law("12", void.kind.reversed_capture().is_some() == of_capture, || {
        format!("{void:?} reverses something else")
    })
}

fn exactly(
    node: &Node,
    most: i64,
    ask: impl Fn(i64) -> Request,
    is_too_much: impl Fn(&Rejection) -> bool,
    holds_after_all: fn(&Payment) -> Law,
) -> Law {
    let ask = |minor| step(Some(node), &moves::starts()[0].ask(Some(&node.payment), ask(minor)));
    if most > 0 {
        let all = ask(most);
        law("4", all.as_ref().is_ok_and(|next| next.wrote), || {
            format!("{most}, which is there, was refused")
        })?;
        if let Ok(next) = all {
            holds_after_all(&next.node.payment)?;
        }
    }
    let more = ask(most + 1).err();
    law("4", more.as_ref().is_some_and(is_too_much), || format!("more than {most} was taken: {more:?}"))
}

/// INVARIANTS 4, 46: a gateway is asked to give back of a charge what it brought and nobody has, or may get, and
/// what is said to have gone back past gateways had come past them.
fn of_one_charge(payment: &Payment) -> Law {
    let operations = payment.operations();
    let Some(back) = operations.last().filter(|last| last.id.is_refund() || last.is_reversal()) else {
        return Ok(());
    };
    let gone = |o: &&Operation| {
        (o.id.is_refund() || o.is_reversal()) && (o.status().is_live() || o.moved().is_some())
    };
    let of_the_same = |o: &&Operation| o.parent() == back.parent() && o.gateway == back.gateway;
    let out = operations.iter().filter(gone).filter(of_the_same);
    let out: i64 = out.map(|o| o.moved().unwrap_or(o.amount).minor()).sum();
    let by = |o: &&Operation| match back.parent() {
        Some(charge) => o.id == OperationId::Attempt(charge) || o.parent() == Some(charge),
        None => o.gateway.is_none(),
    };
    let came = operations.iter().filter(|o| o.is_inflow()).filter(by).filter_map(Operation::moved);
    let came: i64 = came.map(Money::minor).sum();
    law("4, 46", out <= came, || format!("{out} go back of {came} that came by {:?}", back.parent()))
}

/// INVARIANTS 12, 20: only evidence that is about nothing may be refused; a refused command is refused for a reason
/// that the payment gives.
pub(super) fn may_refuse(command: &Command, rejection: &Rejection) -> Law {
    let defect = matches!(rejection, Rejection::Defect(_) | Rejection::IllegalMove(_));
    law("11", !defect, || format!("{rejection}"))?;
    match &command.request {
        Request::Report(_) => law("28", false, || format!("evidence was refused: {rejection}")),
        Request::Notify(_) => {
            law("28", matches!(rejection, Rejection::NothingKnown(_) | Rejection::NameRequired), || {
                format!("a notification was refused: {rejection}")
            })
        }
        _ => Ok(()),
    }
}

/// INVARIANTS 26, 27: any two things that are said lead to the same in either order, and once more changes nothing.
pub(super) fn any_order(node: &Node, evidence: &[(String, Request)]) -> Law {
    let start = &moves::starts()[0];
    let say = |node: &Node, request: &Request| {
        step(Some(node), &start.ask(Some(&node.payment), request.clone()))
            .map(|next| next.node)
            .map_err(|error| format!("{error}: {request:?}"))
    };
    for (place, (first, one)) in evidence.iter().enumerate() {
        let after_one = say(node, one)?;
        let again = say(&after_one, one)?;
        law("26", again.payment == after_one.payment, || format!("{first}, said twice, says more"))?;
        for (second, other) in &evidence[place + 1..] {
            let there = outcome(&say(&after_one, other)?.payment);
            let back = outcome(&say(&say(node, other)?, one)?.payment);
            law("26", there == back, || format!("{first}, {second}: {there}\nnot {back}"))?;
        }
    }
    Ok(())
}

/// All that no order may change.
fn outcome(payment: &Payment) -> String {
    let operations: BTreeSet<(String, OperationStatus, Option<i64>)> = payment
        .operations()
        .iter()
        .map(|operation| (operation.id.to_string(), operation.status(), operation.moved().map(Money::minor)))
        .collect();
    let amounts =
        [payment.authorized(), payment.captured(), payment.held(), payment.refunded(), payment.disputed()];
    let disputes: Vec<_> =
        payment.disputes().iter().map(|dispute| (dispute.stage(), dispute.status())).collect();
    let charged_back = payment.charged_back();
    format!(
        "{} {amounts:?} {charged_back} {operations:?} {disputes:?} {:?}",
        payment.status(),
        payment.reviews()
    )
}
