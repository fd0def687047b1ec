//! The feed.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::Clock;
use counterfoil::command::Command;
use counterfoil::event::{Body, Event, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp, Processing, Update};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Cursor, Entry, Era, LedgerId, PaymentStore, Position, StoreError, StoreErrorKind};
use tokio::time::timeout;
use uuid::Uuid;

use super::shown::{Shown as _, assert_same};
use super::trial::{Trial, card_payment, ok, soon};
use crate::desk::created;
use crate::fixtures::{caller, credits, invoice, scope, usd, wallet};

/// The feed behind `after` to its end, in pages of `limit`.
async fn rest(store: &dyn PaymentStore, of: Option<&Scope>, after: Position, limit: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut after = after;
    loop {
        let page = ok(store.feed(of, after, limit).await);
        assert!(page.entries.len() <= limit);
        for entry in &page.entries {
            assert!(after < entry.position && entry.position <= page.next, "positions rise");
            after = entry.position;
        }
        if page.entries.is_empty() && page.next <= after {
            return entries;
        }
        after = page.next;
        entries.extend(page.entries);
    }
}

async fn whole(trial: &Trial, of: Option<&Scope>) -> Vec<Entry> {
    rest(&*trial.store, of, Position::START, 1_000).await
}

/// Whose event it is, and its place there.
fn place(entry: &Entry) -> (Scope, StreamId, u64) {
    (entry.event.scope().clone(), entry.event.stream().clone(), entry.event.sequence())
}

/// Two scopes that do a bit of everything, one after the other.
fn everything(trial: &Trial) -> Vec<Command> {
    let (desk, other) = (&trial.desk, caller("other"));
    let mut commands = Vec::new();
    for caller in [&trial.caller, &other, &trial.caller, &other, &trial.caller] {
        let recorded = desk.create(caller, card_payment().recorded_only());
        let payment = created(&recorded);
        let notes =
            Update::to(PaymentStatus::Succeeded).with_error_message("noted".parse().expect("a message"));
        commands.extend([
            desk.top_up(caller, NewTopUp::new(wallet("w"), usd(100))),
            recorded,
            desk.create(caller, NewPayment::new(usd(70), invoice("inv_1"), credits("w"))),
            desk.update(caller, payment, notes),
            desk.update(caller, payment, Update::to(PaymentStatus::Refunded)),
        ]);
    }
    commands
}

async fn fill(trial: &Trial) {
    for command in everything(trial) {
        trial.done(&command).await;
    }
}

pub(super) async fn events_come_in_the_order_of_their_commits(trial: &mut Trial) {
    assert_same(&whole(trial, None).await, &[], "of an empty store");
    let mut expected = Vec::new();
    let mut versions: BTreeMap<(Scope, StreamId), u64> = BTreeMap::new();
    for command in everything(trial) {
        let after = expected.last().map_or(Position::START, |entry: &Entry| entry.position);
        trial.done(&command).await;
        let news = rest(&*trial.store, None, after, 1_000).await;
        let mut risen = BTreeSet::new();
        for head in trial.heads().await {
            let before =
                versions.insert((head.scope.clone(), head.stream.clone()), head.version).unwrap_or(0);
            risen.extend((before + 1..=head.version).map(|at| (head.scope.clone(), head.stream.clone(), at)));
        }
        assert_eq!(
            news.iter().map(place).collect::<BTreeSet<_>>(),
            risen,
            "all that it did, and nothing else"
        );
        assert_eq!(news.len(), risen.len(), "each once");
        expected.extend(news);
    }
    assert_same(&whole(trial, None).await, &expected, "all of it at once");
    assert_in_order(&expected);
    for entry in &expected {
        let (scope, stream, sequence) = place(entry);
        let stored = trial.history(&scope, &stream).await;
        let stored: Vec<Arc<Event>> =
            stored.into_iter().filter(|event| event.sequence() == sequence).collect();
        assert_same(slice::from_ref(&entry.event), &stored, "the feed shows what the history has");
    }
}

/// Each stream's events in their order without a gap, and those of one command together.
fn assert_in_order(entries: &[Entry]) {
    let mut last: BTreeMap<_, u64> = BTreeMap::new();
    let mut before: Option<&Entry> = None;
    for entry in entries {
        let (scope, stream, sequence) = place(entry);
        let version = last.entry((scope, stream)).or_default();
        assert_eq!(sequence, *version + 1, "{}", entry.line());
        *version = sequence;
        if let Body::Debited(entered) | Body::Credited(entered) = entry.event.body() {
            let paid = before.is_some_and(|before| {
                before.event.scope() == entry.event.scope()
                    && *before.event.stream() == StreamId::Payment(entered.payment)
            });
            let line = entry.line();
            assert!(paid, "a wallet's event stands behind the payment's, where both are shown: {line}");
        }
        before = Some(entry);
    }
}

/// INVARIANTS 40; time is data, never order.
pub(super) async fn a_clock_that_steps_back_moves_nothing(trial: &mut Trial) {
    let start = trial.desk.clock().now();
    let mut expected: Vec<Entry> = Vec::new();
    for seconds in [50, 40, 45, 10, 60, 0] {
        trial.desk.clock().set(start.saturating_add(Duration::from_secs(seconds)));
        let after = expected.last().map_or(Position::START, |entry| entry.position);
        trial.charging().await;
        trial.top_up("w", 1).await;
        expected.extend(rest(&*trial.store, None, after, 1_000).await);
        assert_same(&whole(trial, None).await, &expected, "what is new stands behind what was there");
    }
    assert_eq!(expected.len(), 12);
}

pub(super) async fn any_page_size_gives_the_same_feed(trial: &mut Trial) {
    fill(trial).await;
    let all = whole(trial, None).await;
    for limit in [1, 2, 3, 7, all.len() - 1, all.len(), all.len() + 1, usize::MAX] {
        let paged = rest(&*trial.store, None, Position::START, limit).await;
        assert_same(&paged, &all, &format!("in pages of {limit}"));
    }
    let nothing = ok(trial.store.feed(None, Position::START, 0).await);
    assert_eq!((nothing.entries.len(), nothing.next), (0, Position::START), "nothing was looked at");
}

pub(super) async fn reading_goes_on_from_every_position(trial: &mut Trial) {
    fill(trial).await;
    for of in [None, Some(&trial.caller.scope)] {
        let all = whole(trial, of).await;
        for (at, entry) in all.iter().enumerate() {
            for limit in [2, 1_000] {
                let behind = rest(&*trial.store, of, entry.position, limit).await;
                assert_same(&behind, &all[at + 1..], &format!("behind {:?}", entry.position));
            }
            let text = entry.position.to_string();
            assert_eq!(text.parse(), Ok(entry.position), "its text comes back");
            assert!(text.len() <= 32, "{text} has more than 32 bytes");
        }
    }
}

/// The position after the last event.
pub(super) async fn end(trial: &Trial) -> Position {
    ok(trial.store.feed(None, Position::START, 10_000).await).next
}

pub(super) async fn a_position_at_the_end_shows_nothing(trial: &mut Trial) {
    fill(trial).await;
    let end = end(trial).await;
    for of in [None, Some(&trial.caller.scope)] {
        let page = ok(trial.store.feed(of, end, 10).await);
        assert_eq!((page.entries.len(), page.next), (0, end));
    }
}

/// Positions that a feed cannot have given if it ends at `end`.
pub(super) fn unknown(end: Position) -> Vec<(&'static str, Position)> {
    let era = end.era().expect("the feed has events, so its end names an era");
    let last = ok(end.within(end, "a case"));
    let another = Era::new(LedgerId::new(era.ledger().bits() ^ 1), era.number());
    vec![
        ("of another ledger", another.position(1)),
        ("of a later era", era.next().position(1)),
        ("of an earlier era", Era::new(era.ledger(), era.number().wrapping_sub(1)).position(1)),
        ("one event beyond the end", era.position(last + 1)),
        ("far beyond the end", era.position(u64::MAX)),
    ]
}

/// Checks that an answer is the error for an unknown position.
pub(super) fn assert_unknown<T>(answer: Result<T, StoreError>, what: &str) {
    let kind = answer.err().map(|error| error.kind());
    assert_eq!(kind, Some(StoreErrorKind::UnknownPosition), "after a position {what}");
}

/// INVARIANTS 40: a follower notices that the store was restored or is another one.
pub(super) async fn unknown_positions_are_refused(trial: &mut Trial) {
    let another = Era::first(LedgerId::random()).position(1);
    assert_unknown(trial.store.feed(None, another, 10).await, "of another ledger, while there is no event");
    fill(trial).await;
    for (what, after) in unknown(end(trial).await) {
        for of in [None, Some(&trial.caller.scope), Some(&caller("nobody").scope)] {
            for limit in [0, 10] {
                assert_unknown(trial.store.feed(of, after, limit).await, what);
            }
        }
    }
}

/// INVARIANTS 40. A durable store is the same ledger after it is opened again. Any other store is a new ledger.
pub(super) async fn positions_belong_to_one_ledger(trial: &mut Trial) {
    trial.charging().await;
    let after = end(trial).await;
    trial.reopen().await;
    for _ in 0..2 {
        trial.charging().await;
    }
    let answer = trial.store.feed(None, after, 10).await;
    if trial.is_durable() {
        assert_eq!(ok(answer).entries.len(), 2, "the events since");
    } else {
        assert_unknown(answer, "of the earlier store");
    }
}

/// A feed goes on behind all that was looked at: there is no news for whoever has read it to its end.
pub(super) async fn a_follower_sleeps_though_others_wrote_last(trial: &mut Trial) {
    trial.charging().await;
    trial.done(&trial.desk.create(&caller("other"), card_payment())).await;
    assert_sleeps(trial, &trial.caller.scope).await;
}

/// Whoever has read the feed of `scope` to its end sleeps.
async fn assert_sleeps(trial: &Trial, scope: &Scope) {
    let mut after = Position::START;
    loop {
        let feed = ok(trial.store.feed(Some(scope), after, 10).await);
        if feed.entries.is_empty() && feed.next == after {
            break;
        }
        after = feed.next;
    }
    let news = timeout(Duration::from_millis(20), trial.store.news(after)).await;
    assert!(news.is_err(), "there is no news behind what was looked at, and it came back at once");
}

/// INVARIANTS 36.
pub(super) async fn a_scope_sees_its_own_events_only(trial: &mut Trial) {
    fill(trial).await;
    let all = whole(trial, None).await;
    let others = [scope("ACME", "production"), scope("acme ", "production"), scope("acme", "sandbox")];
    let known = [trial.caller.scope.clone(), caller("other").scope];
    for of in known.iter().chain(&others) {
        let own: Vec<Entry> = all.iter().filter(|entry| entry.event.scope() == of).cloned().collect();
        assert_eq!(own.is_empty(), others.contains(of));
        for limit in [1, 3, 1_000] {
            let paged = rest(&*trial.store, Some(of), Position::START, limit).await;
            assert_same(&paged, &own, &format!("of {of}, in pages of {limit}"));
        }
    }
}

/// It is looked at a bounded number of events at a time; whoever follows gets through all of them.
pub(super) async fn a_scope_finds_its_own_among_many_of_others(trial: &mut Trial) {
    for _ in 0..2 {
        crowd(trial, &caller("other")).await;
        trial.charging().await;
    }
    crowd(trial, &caller("other")).await;
    let own = |entry: &Entry| *entry.event.scope() == trial.caller.scope;
    let expected: Vec<Entry> = whole(trial, None).await.into_iter().filter(own).collect();
    assert_eq!(expected.len(), 2);
    for limit in [1, 1_000] {
        let shown = rest(&*trial.store, Some(&trial.caller.scope), Position::START, limit).await;
        assert_same(&shown, &expected, &format!("in pages of {limit}"));
    }
    assert_sleeps(trial, &trial.caller.scope).await;
    assert_sleeps(trial, &caller("nobody").scope).await;
}

/// Some hundred events of `caller`.
async fn crowd(trial: &Trial, caller: &Caller) {
    let top_up = |number: usize| NewTopUp::new(wallet(&number.to_string()), usd(1));
    let commands = |number| (0..50).map(|_| trial.desk.top_up(caller, top_up(number))).collect();
    for answer in trial.together_in_order((0..6).map(commands).collect()).await {
        ok(answer);
    }
}

pub(super) async fn what_writes_nothing_is_in_no_feed(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    trial.done(&create).await;
    let before = whole(trial, None).await;
    let nobody = PaymentId::new(Uuid::nil());
    trial.done(&create).await;
    trial.refused(&trial.desk.process(&trial.caller, created(&create), Processing::default())).await;
    trial.refused(&trial.desk.archive(&trial.caller, nobody)).await;
    trial.done(&trial.desk.update(&trial.caller, created(&create), Update::default())).await;
    assert_same(&whole(trial, None).await, &before, "nothing was written");
}

/// What a follower of the feed met, until it met the event of `last`.
async fn follow(store: Arc<dyn PaymentStore>, of: Option<Scope>, last: Vec<PaymentId>) -> Vec<Entry> {
    let mut met: Vec<Entry> = Vec::new();
    let mut after = Position::START;
    let mut left: BTreeSet<StreamId> = last.into_iter().map(StreamId::Payment).collect();
    while !left.is_empty() {
        let page = ok(store.feed(of.as_ref(), after, 3).await);
        for entry in &page.entries {
            left.remove(entry.event.stream());
        }
        met.extend(page.entries);
        if page.next == after && !left.is_empty() {
            ok(store.news(after).await);
        }
        after = page.next;
        tokio::task::yield_now().await;
    }
    met
}

/// INVARIANTS 40.
pub(super) async fn followers_meet_each_event_once_while_others_write(trial: &mut Trial) {
    let callers = [trial.caller.clone(), caller("other")];
    let last = callers.each_ref().map(|caller| trial.desk.create(caller, card_payment()));
    let both = last.each_ref().map(created).to_vec();
    let mut followers = Vec::new();
    for (of, last) in [
        (None, both),
        (Some(callers[0].scope.clone()), vec![created(&last[0])]),
        (Some(callers[1].scope.clone()), vec![created(&last[1])]),
    ] {
        followers.push((of.clone(), tokio::spawn(follow(trial.store.clone(), of, last))));
    }
    let writers: Vec<_> = (0..4).map(|number| writes(trial, &callers[number % 2])).collect();
    for answer in trial.together_in_order(writers).await {
        ok(answer);
    }
    for command in &last {
        trial.done(command).await;
    }
    for (of, follower) in followers {
        let met = soon("a follower of the feed", follower).await;
        // Had anything come up before a position that was read already, it would be here and not there.
        assert_same(&met, &whole(trial, of.as_ref()).await, &format!("a follower of {of:?}"));
        assert_in_order(&met);
        let heads = ok(trial.store.heads(&Cursor::START, 10_000).await);
        let own = heads.iter().filter(|head| of.as_ref().is_none_or(|of| head.scope == *of));
        assert_eq!(met.len() as u64, own.map(|head| head.version).sum::<u64>());
    }
}

fn writes(trial: &Trial, caller: &Caller) -> Vec<Command> {
    let mut commands = Vec::new();
    for _ in 0..10 {
        let paid = trial.desk.create(caller, NewPayment::new(usd(1), invoice("inv_1"), credits("w")));
        let payment = created(&paid);
        commands.push(trial.desk.top_up(caller, NewTopUp::new(wallet("w"), usd(1))));
        commands.push(paid);
        commands.push(trial.desk.update(caller, payment, Update::to(PaymentStatus::Refunded)));
    }
    commands
}
