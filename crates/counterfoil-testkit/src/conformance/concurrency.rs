//! Callers that meet.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Waker};

use counterfoil::account::AccountId;
use counterfoil::command::{Command, Receipt, Rejection, Request};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{ExecuteError, Key, Lookup};

use super::trial::{Trial, card_payment, ok, place, refusal, split};
use crate::desk::{created, started};
use crate::fixtures::{credits, evidence, invoice, key, not_sent, succeeded, usd, wallet};

type Answers = Vec<Result<Receipt, ExecuteError>>;

pub(super) async fn parallel_debits_never_overdraw(trial: &mut Trial) {
    trial.top_up("w", 100).await;
    let new = NewPayment::new(usd(30), invoice("inv_1"), credits("w"));
    let commands = (0..20).map(|_| trial.desk.create(&trial.caller, new.clone())).collect();
    assert_eq!(statuses(trial.together(commands).await), (3, 17));
    assert_eq!(trial.balance("w").await, 10);

    // The same over payments that are there already, each of which has a row of its own.
    trial.top_up("w", 90).await;
    let recorded: Vec<Command> =
        (0..20).map(|_| trial.desk.create(&trial.caller, new.clone().recorded_only())).collect();
    let process =
        |create: &Command| trial.desk.process(&trial.caller, created(create), Processing::default());
    let commands = recorded.iter().map(process).collect();
    trial.together(recorded).await.into_iter().for_each(|answer| drop(ok(answer)));
    assert_eq!(statuses(trial.together(commands).await), (3, 17));
    assert_eq!(trial.balance("w").await, 10);
}

/// How many succeeded and how many failed.
fn statuses(answers: Answers) -> (usize, usize) {
    let statuses: Vec<PaymentStatus> = answers
        .into_iter()
        .filter_map(|answer| ok(answer).payment().map(|payment| payment.status()))
        .collect();
    let count = |status| statuses.iter().filter(|other| **other == status).count();
    (count(PaymentStatus::Succeeded), count(PaymentStatus::Failed))
}

pub(super) async fn parallel_top_ups_all_count(trial: &mut Trial) {
    let new = NewTopUp::new(wallet("w"), usd(5));
    let commands = (0..20).map(|_| trial.desk.top_up(&trial.caller, new.clone())).collect();
    let answers = trial.together(commands).await;
    let sequences: BTreeSet<u64> = answers.into_iter().map(|answer| ok(answer).sequence).collect();
    assert_eq!(sequences, (1..=20).collect());
    assert_eq!(trial.balance("w").await, 100);
}

pub(super) async fn one_key_has_one_effect(trial: &mut Trial) {
    let recorded = trial.desk.create(&trial.caller, card_payment().recorded_only());
    trial.done(&recorded).await;
    let how = Processing::default().with_idempotency_key(key("k"));
    // Only recorded: an attempt would meet the others at what is paid, too.
    let new = card_payment().with_idempotency_key(key("k")).recorded_only();
    let create = |_| trial.desk.create(&trial.caller, new.clone());
    let process = |_| trial.desk.process(&trial.caller, created(&recorded), how.clone());
    let top_up = NewTopUp::new(wallet("w"), usd(5)).with_idempotency_key(key("k"));
    let top_up = |_| trial.desk.top_up(&trial.caller, top_up.clone());
    for commands in
        [(0..16).map(create).collect(), (0..16).map(process).collect(), (0..16).map(top_up).collect()]
    {
        one_took_effect(trial.together(commands).await);
    }
    assert_eq!(trial.heads().await.len(), 3);
    assert_eq!(trial.payment(created(&recorded)).await.attempts().count(), 1);
    assert_eq!(trial.balance("w").await, 5);
}

/// Of those that wait while another commits, several may ask under one key.
pub(super) async fn keys_asked_side_by_side_have_one_effect_each(trial: &mut Trial) {
    const KEYS: usize = 5;
    for round in 0..4 {
        let ask = |at: usize| {
            let new = card_payment().with_idempotency_key(key(&format!("{round} {}", at % KEYS)));
            trial.desk.create(&trial.caller, new.recorded_only())
        };
        let mut of_each: [Answers; KEYS] = Default::default();
        let answers = trial.together((0..6 * KEYS).map(ask).collect()).await;
        answers.into_iter().zip((0..KEYS).cycle()).for_each(|(answer, key)| of_each[key].push(answer));
        of_each.into_iter().for_each(one_took_effect);
        assert_eq!(trial.heads().await.len(), (round + 1) * KEYS);
    }
}

pub(super) async fn one_command_has_one_effect(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    let top_up = trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(5)));
    for command in [create, top_up] {
        one_took_effect(trial.together(vec![command; 16]).await);
    }
    assert_eq!(trial.heads().await.len(), 2);
}

fn one_took_effect(answers: Answers) {
    let receipts: Vec<Receipt> = answers.into_iter().map(ok).collect();
    let places: Vec<_> = receipts.iter().map(place).collect();
    assert!(places.iter().all(|other| *other == places[0]), "equal receipts: {places:?}");
    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
}

pub(super) async fn of_two_requests_under_one_key_one_wins(trial: &mut Trial) {
    let ask = |cents| {
        let new = NewPayment::new(usd(cents), invoice("inv_1"), credits("w"));
        trial.desk.create(&trial.caller, new.with_idempotency_key(key("k")))
    };
    let answers = trial.together((0..16).map(|at| ask(1 + at % 2)).collect()).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (8, 8));
    one_took_effect(won);
    for answer in lost {
        assert!(matches!(refusal(answer), Rejection::KeyMismatch { .. }));
    }
    assert_eq!(trial.heads().await.len(), 1);
}

pub(super) async fn one_attempt_is_live_at_a_time(trial: &mut Trial) {
    let recorded = trial.desk.create(&trial.caller, card_payment().recorded_only());
    trial.done(&recorded).await;
    let payment = created(&recorded);
    for number in 1..4 {
        let process = || trial.desk.process(&trial.caller, payment, Processing::default());
        let answers = trial.together((0..8).map(|_| process()).collect()).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "one attempt was started");
        for answer in lost {
            assert!(matches!(refusal(answer), Rejection::NotAllowed { .. }));
        }
        let stored = trial.payment(payment).await;
        let numbers: Vec<u32> = stored.attempts().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=number).collect::<Vec<u32>>());
        let live = stored.live_attempt().expect("one is live").id;
        trial.report(payment, live, evidence(not_sent(), 1)).await;
    }
}

pub(super) async fn a_report_is_written_once(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    trial.done(&create).await;
    let said = evidence(succeeded(None), 1);
    let report = |_| trial.desk.report(&trial.caller, created(&create), started(&create), said.clone());
    let answers = trial.together((0..16).map(report).collect()).await;
    one_took_effect(answers);
    assert_eq!(trial.payment(created(&create)).await.version(), 2);
}

pub(super) async fn a_dropped_future_changes_only_who_hears(trial: &mut Trial) {
    let commands: Vec<Command> = (0..16).map(|_| trial.desk.create(&trial.caller, card_payment())).collect();
    let (polled, spawned) = commands.split_at(8);
    for command in polled {
        let mut future = pin!(trial.store.execute(command.clone()));
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    for command in spawned {
        let (store, command) = (trial.store.clone(), command.clone());
        let task = tokio::spawn(async move { store.execute(command).await });
        tokio::task::yield_now().await;
        task.abort();
    }
    for command in &commands {
        // Whether it had been written is open; that it is now, and once, is not.
        trial.done(command).await;
        assert!(trial.done(command).await.replayed);
        assert_eq!(trial.payment(created(command)).await.version(), 1);
    }
    assert_eq!(trial.heads().await.len(), commands.len());
}

/// A command that writes a payment and a wallet is seen in both or in neither.
pub(super) async fn readers_see_whole_commands(trial: &mut Trial) {
    trial.top_up("w", 100).await;
    let scope = trial.caller.scope.clone();
    let new = NewPayment::new(usd(1), invoice("inv_1"), credits("w"));
    let commands: Vec<Command> = (0..50).map(|_| trial.desk.create(&trial.caller, new.clone())).collect();
    let ids: Vec<PaymentId> = commands.iter().map(created).collect();
    let wallet = AccountId::wallet(&wallet("w"));
    let mut keys: Vec<Key> = ids.iter().map(|id| Key::Payment(scope.clone(), *id)).collect();
    keys.push(Key::Account(scope.clone(), wallet.clone()));
    let store = trial.store.clone();
    let writer = tokio::spawn(async move {
        for command in commands {
            ok(store.execute(command).await);
        }
    });
    loop {
        let over = writer.is_finished();
        let state = trial.read(&keys).await;
        let paid = ids.iter().filter(|id| matches!(state.payment(&scope, **id), Lookup::Present(_))).count();
        let Lookup::Present(account) = state.account(&scope, &wallet) else {
            panic!("the wallet is missing")
        };
        assert_eq!(account.balance(usd(0).currency()), usd(100 - i64::try_from(paid).unwrap_or(0)));
        if over {
            assert_eq!(paid, 50);
            break;
        }
        tokio::task::yield_now().await;
    }
    ok(writer.await);
}

pub(super) async fn of_two_requests_with_one_id_one_wins(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment().recorded_only());
    let ask = |cents| {
        let mut command = create.clone();
        if let Request::Create(create) = &mut command.request {
            create.amount = usd(cents);
        }
        command
    };
    let (done, refused) = split(trial.together((0..16).map(|at| ask(1 + at % 2)).collect()).await);
    assert_eq!((done.len(), refused.len()), (8, 8));
    assert_eq!(done.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert_eq!(trial.payment(created(&create)).await.version(), 1);
}

/// Commands that come together may be committed together; each is answered for itself.
pub(super) async fn a_refused_command_harms_no_neighbour(trial: &mut Trial) {
    let nobody = PaymentId::new(uuid::Uuid::nil());
    for _ in 0..8 {
        let commands: Vec<Command> = (0..24)
            .map(|at| match at % 4 {
                1 => {
                    trial.desk.create(&trial.caller, NewPayment::new(usd(0), invoice("inv_1"), credits("w")))
                }
                3 => trial.desk.archive(&trial.caller, nobody),
                _ => trial.desk.create(&trial.caller, card_payment().recorded_only()),
            })
            .collect();
        let answers = trial.together(commands.clone()).await;
        for ((at, command), answer) in commands.iter().enumerate().zip(answers) {
            match at % 4 {
                1 => assert_eq!(refusal(answer), Rejection::AmountNotPositive),
                3 => assert_eq!(refusal(answer), Rejection::PaymentNotFound(nobody)),
                _ => {
                    let receipt = ok(answer);
                    let payment = receipt.payment().map(|payment| payment.id());
                    assert_eq!(
                        (payment, receipt.replayed),
                        (Some(created(command)), false),
                        "its own answer"
                    );
                    trial.payment(created(command)).await;
                }
            }
        }
    }
    assert_eq!(trial.heads().await.len(), 8 * 12);
}
