//! Idempotency: invariants 15, 20 to 23, and 33.

use counterfoil::claim::{Claim, ClaimKey, ClaimKind, RequestField};
use counterfoil::command::{Command, Rejection, Request};
use counterfoil::id::{AttemptId, CaptureId, PaymentId, RefundId, TopUpId, VoidId};
use counterfoil::money::Money;
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil::text::IdempotencyKey;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{Answer, Script, block_on, run};
use proptest::prelude::*;
use uuid::Uuid;

use crate::watched::{Watched, config};

proptest! {
    #![proptest_config(config(200))]

    /// Invariants 15, 23 and 33: what is refused, and what changes no fact, writes nothing.
    #[test]
    fn what_does_not_write_leaves_the_books_as_they_were(script in Script::any(40)) {
        for step in Watched::run(&script).steps.iter().filter(|step| !step.answer.wrote()) {
            prop_assert_eq!(&step.heads[0], &step.heads[1], "{:?}", &step.command);
            prop_assert_eq!(&step.before, &step.after);
        }
    }

    /// Invariants 23 and 33 once more: without the refused commands the books are the same, to the byte.
    #[test]
    fn refused_commands_might_as_well_not_have_been(script in Script::any(40)) {
        let watched = Watched::run(&script);
        let accepted = MemoryStore::new();
        for step in watched.steps.iter().filter(|step| !matches!(step.answer, Answer::Refused(_))) {
            let answer = Answer::of(block_on(accepted.execute(step.command.clone())));
            prop_assert_eq!(&answer, &step.answer);
        }
        let digest = |store| block_on(verify(store)).unwrap().digest;
        prop_assert_eq!(digest(&accepted), digest(&watched.store));
    }

    /// Invariant 23: a key is bound exactly if something was made under it.
    #[test]
    fn a_refused_request_binds_no_key(script in Script::any(40)) {
        let store = MemoryStore::new();
        for command in script.commands() {
            let Some(key) = key_of(&command) else {
                let _ = block_on(store.execute(command));
                continue;
            };
            let before = claim(&store, &key);
            let answer = Answer::of(block_on(store.execute(command)));
            let after = claim(&store, &key);
            match answer {
                Answer::Refused(_) => prop_assert_eq!(after, before),
                Answer::Done { stream, sequence, replayed } => {
                    // What its gateway's id found was made under another key, or none.
                    let Some(claim) = after else {
                        prop_assert!(replayed && before.is_none());
                        continue;
                    };
                    prop_assert_eq!((&claim.stream, claim.sequence), (&stream, sequence));
                    prop_assert!(before.is_none_or(|before| before == claim));
                }
            }
        }
    }

    /// Invariants 20 and 21, after whatever happened and whatever happens in between: a key that made
    /// something gives its receipt to an equal request, and names what differs to another.
    #[test]
    fn a_key_keeps_its_receipt(script in Script::any(30), later in Script::any(10)) {
        let watched = Watched::run(&script);
        let execute = |command: &Command| Answer::of(block_on(watched.store.execute(command.clone())));
        later.commands().iter().for_each(|command| drop(execute(command)));
        for step in watched.steps.iter().filter(|step| step.answer.wrote() && key_of(&step.command).is_some()) {
            let Answer::Done { stream, sequence, .. } = &step.answer else { continue };
            let again = with_new_ids(&step.command);
            let done = Answer::Done { stream: stream.clone(), sequence: *sequence, replayed: true };
            prop_assert_eq!(execute(&again), done);
            if let Some((other, field)) = with_another_amount(&again) {
                let mismatch = Rejection::KeyMismatch { stream: stream.clone(), fields: vec![field] };
                prop_assert_eq!(execute(&other), Answer::Refused(mismatch));
            }
        }
    }

    /// Invariant 20: however often each command is executed, it has one effect.
    #[test]
    fn executing_everything_twice_changes_nothing(script in Script::any(40)) {
        let (once, twice) = (MemoryStore::new(), MemoryStore::new());
        let expected = block_on(run(&script, &once));
        for (command, answer) in script.commands().into_iter().zip(&expected.answers) {
            for _ in 0..2 {
                let got = Answer::of(block_on(twice.execute(command.clone())));
                match (answer, got) {
                    (Answer::Done { stream, .. }, Answer::Done { stream: again, .. }) => {
                        prop_assert_eq!(stream, &again);
                    }
                    (Answer::Refused(_), Answer::Refused(_)) => {}
                    (answer, got) => prop_assert!(false, "{:?}, then {:?}", answer, got),
                }
            }
        }
        prop_assert_eq!(block_on(verify(&twice)).unwrap().digest, expected.digest);
    }
}

pub(crate) fn key_of(command: &Command) -> Option<ClaimKey> {
    let (kind, key): (ClaimKind, Option<&IdempotencyKey>) = match &command.request {
        Request::Create(create) => (ClaimKind::CreateKey, create.idempotency_key.as_ref()),
        Request::Process(process) => (ClaimKind::ProcessKey, process.idempotency_key.as_ref()),
        Request::RecordAttempt(record) => (ClaimKind::RecordKey, record.idempotency_key.as_ref()),
        Request::RecordRefund(record) => (ClaimKind::RefundKey, record.idempotency_key.as_ref()),
        Request::TopUp(top_up) => (ClaimKind::TopUpKey, top_up.idempotency_key.as_ref()),
        Request::Capture(capture) => (ClaimKind::CaptureKey, capture.idempotency_key.as_ref()),
        Request::Refund(refund) => (ClaimKind::RefundKey, refund.idempotency_key.as_ref()),
        Request::Void(void) => (ClaimKind::VoidKey, void.idempotency_key.as_ref()),
        _ => return None,
    };
    key.map(|key| ClaimKey { scope: command.caller.scope.clone(), kind, name: key.as_str().into() })
}

pub(crate) fn claim(store: &dyn PaymentStore, key: &ClaimKey) -> Option<Claim> {
    let state = block_on(store.read(&[Key::Claim(key.clone())])).unwrap();
    match state.claim(key) {
        Lookup::Present(claim) => Some((**claim).clone()),
        _ => None,
    }
}

/// The same request, as another call of the same caller makes it.
fn with_new_ids(command: &Command) -> Command {
    let mut command = command.clone();
    match &mut command.request {
        Request::Create(create) => {
            create.payment = PaymentId::new(Uuid::max());
            create.process = create.process.map(|_| AttemptId::new(Uuid::max()));
        }
        Request::Process(process) => process.attempt = AttemptId::new(Uuid::max()),
        Request::RecordAttempt(record) => record.attempt = AttemptId::new(Uuid::max()),
        Request::RecordRefund(record) => record.refund = RefundId::new(Uuid::max()),
        Request::TopUp(top_up) => top_up.top_up = TopUpId::new(Uuid::max()),
        Request::Capture(capture) => capture.capture = CaptureId::new(Uuid::max()),
        Request::Refund(refund) => refund.refund = RefundId::new(Uuid::max()),
        Request::Void(void) => void.void = VoidId::new(Uuid::max()),
        _ => {}
    }
    command
}

fn with_another_amount(command: &Command) -> Option<(Command, RequestField)> {
    let mut command = command.clone();
    let amount = match &mut command.request {
        Request::Create(create) => &mut create.amount,
        Request::TopUp(top_up) => &mut top_up.amount,
        Request::Capture(capture) => capture.amount.as_mut()?,
        Request::Refund(refund) => refund.amount.as_mut()?,
        Request::RecordRefund(record) => record.amount.as_mut()?,
        _ => return None,
    };
    *amount = Money::from_minor(amount.minor() - 1, amount.currency()).ok()?;
    Some((command, RequestField::Amount))
}
