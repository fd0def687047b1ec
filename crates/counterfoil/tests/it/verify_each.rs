//! Each fault that is told, at the event where it is; everything else about the books is as it should be, hashes
//! included. INVARIANTS 9, 11, 19, 38, 39, 40.

use std::sync::Arc;

use counterfoil::account::{Account, GatewayEntry, GatewayEntryKind};
use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::event::{Body, Event, Hash, StreamId};
use counterfoil::ledger::{Ledger, NewPayment, NewRefund};
use counterfoil::payment::{OperationId, Payment, PaymentMethod};
use counterfoil::store::{Feed, Head, Key, Position, Record};
use counterfoil::verify::{Problem, verify};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, invoice, usd};

use crate::liar::{ERA, Forge, Liar, Lies, linked};
use crate::verify::{books, fault};

/// A lie, the problem that it makes, and where: in the stream of this name, at which event.
struct Case(&'static str, Lies, fn(&Problem) -> bool, &'static str, u64);

/// The name of a stream that is known only once it is there: cash that was refunded twice.
const CASH: &str = "cash";
const WALLET: &str = "wallet:w";
const GATEWAY: &str = "gateway:sandbox";

/// Whether it is this problem. The unit test of `Problem` looks here for each that there is.
macro_rules! is {
    ($problem:ident) => {
        |problem| matches!(problem, Problem::$problem { .. })
    };
}

#[tokio::test]
async fn each_problem_is_found_at_its_event() {
    let cases = [unreadable(), out_of_place(), forged(), moved(), stored(), listed(), fed()];
    for Case(what, lies, is_it, stream, sequence) in cases.into_iter().flatten() {
        let (store, cash) = refunded_books().await;
        let fault = fault(verify(&Liar { store, lies }).await);
        let found = (fault.stream.to_string().replace(&cash, CASH), fault.sequence);
        assert_eq!(found, (stream.to_owned(), sequence), "{what}: {:?}", fault.problem);
        assert!(is_it(&fault.problem), "{what}: {:?}", fault.problem);
    }
}

/// [`books`], and a payment in cash with two refunds; with the name of its stream.
async fn refunded_books() -> (MemoryStore, String) {
    let store = books().await;
    let ledger = Ledger::new(store.clone());
    let cash = NewPayment::new(usd(900), invoice("inv_4"), PaymentMethod::Offline);
    let cash = ledger.create(&caller("acme"), cash).await.unwrap().payment().unwrap().id();
    let fee = GatewayEntry::new("fee_1".parse().unwrap(), usd(40), Timestamp::EPOCH);
    let (gateway, kind) = ("sandbox".parse().unwrap(), GatewayEntryKind::Fee);
    ledger.record_gateway_entry(&caller("acme"), gateway, kind, fee).await.unwrap();
    for minor in [100, 200] {
        ledger.refund(&caller("acme"), cash, NewRefund::of(usd(minor))).await.unwrap();
    }
    drop(ledger);
    (Arc::into_inner(store).unwrap(), StreamId::Payment(cash).to_string())
}

fn unreadable() -> Vec<Case> {
    fn event(is_lost: fn(&Event) -> bool) -> Lies {
        Lies { lost_event: Some(is_lost), ..Lies::default() }
    }
    fn row(is_lost: fn(&Key) -> bool) -> Lies {
        Lies { lost_row: Some(is_lost), ..Lies::default() }
    }
    vec![
        Case("an event", event(|event| is_of_wallet(event, 2)), is!(Unreadable), WALLET, 2),
        Case("a wallet", row(|key| is_account(key, WALLET)), is!(UnreadableRow), WALLET, 3),
        Case("a name", row(is_top_up), is!(UnreadableRow), WALLET, 1),
        Case(
            "a destination without a stream",
            row(|key| is_account(key, "destination:INVOICE:inv_4")),
            is!(UnreadableRow),
            "destination:INVOICE:inv_4",
            0,
        ),
    ]
}

/// Events that are not those of their stream.
fn out_of_place() -> Vec<Case> {
    fn history(lie: fn(&mut Vec<Arc<Event>>)) -> Lies {
        Lies { history: Some(lie), ..Lies::default() }
    }
    let swapped = history(|events| {
        if let [_, second, third] = &mut events[..] {
            std::mem::swap(second, third);
        }
    });
    let other_hash = history(|events| {
        for event in events.iter_mut().filter(|event| is_of_wallet(event, 2)) {
            *event = Arc::new(Event::decode(event.bytes(), Hash::new([7; 32])).unwrap());
        }
    });
    vec![
        Case("two are swapped", swapped, is!(OutOfPlace), CASH, 2),
        Case(
            "one is missing",
            heads(|heads| of_wallet(heads).for_each(|head| head.version += 1)),
            is!(OutOfPlace),
            WALLET,
            4,
        ),
        Case("a hash", other_hash, is!(Hash), WALLET, 2),
    ]
}

/// What a changed event says.
fn forged() -> Vec<Case> {
    vec![
        Case("the same time", forge(|event, before| later(event, before, 0)), is!(Time), WALLET, 2),
        Case("an earlier time", forge(|event, before| later(event, before, -1)), is!(Time), WALLET, 2),
        Case("half of one posting", forge(half_posted), is!(Unbalanced), WALLET, 1),
        Case("half of a top-up posted", forge(topped_up_by_half), is!(Postings), WALLET, 1),
        Case("half of a fee posted", forge(half_of_fee), is!(Postings), GATEWAY, 1),
        Case("a fee posted to another account", forge(fee_of_another), is!(Postings), GATEWAY, 1),
        Case("half of a payment posted", forge(paid_by_half), is!(Postings), CASH, 1),
        Case("another currency posted", forge(refunded_in_euros), is!(Postings), CASH, 3),
        Case("a wallet overdrawn", forge(|event, _| debited(event, 8_000)), is!(Evolve), WALLET, 3),
        Case("one refund twice", forge(refunded_again), is!(Evolve), CASH, 3),
        Case(
            "less from a wallet than posted",
            forge(|event, _| debited(event, 499)),
            is!(Balance),
            WALLET,
            0,
        ),
        Case("more from a wallet than posted", forge(posted_to_another), is!(Balance), WALLET, 0),
    ]
}

/// Moves by the clock that it cannot make: a payment that succeeds; and a refund, while its payment stays where it is.
fn moved() -> Vec<Case> {
    let forge_first = forge(|event, _| is_of_cash(event, 1).then(|| by_the_clock(event)));
    let forge_last = forge(|event, _| is_of_cash(event, 3).then(|| by_the_clock(event)));
    vec![
        Case("a payment moved", forge_first, |problem| is_move_of(problem, "payment"), CASH, 1),
        Case("a refund moved", forge_last, |problem| is_move_of(problem, "operation"), CASH, 3),
    ]
}

/// Rows that are not what the events make.
fn stored() -> Vec<Case> {
    fn row(lie: fn(Record) -> Option<Record>) -> Lies {
        Lies { row: Some(lie), ..Lies::default() }
    }
    let no_claim =
        row(|record| Some(record).filter(|it| !matches!(it, Record::Claim(claim) if claim.sequence == 2)));
    let no_wallet = row(|record| Some(record).filter(|it| !is_account(&it.key(), WALLET)));
    let nothing_paid =
        row(|record| Some(record).filter(|it| !is_account(&it.key(), "destination:INVOICE:inv_4")));
    let nothing_owed =
        row(|record| Some(record).filter(|it| !is_account(&it.key(), "destination:INVOICE:inv_3")));
    vec![
        Case("a name that is not taken", no_claim, is!(Claim), WALLET, 2),
        Case("another status", row(|record| Some(succeeded(record))), is!(Row), CASH, 3),
        Case("no wallet", no_wallet, is!(Row), WALLET, 3),
        Case("nothing is owed", nothing_owed, is!(Row), "destination:INVOICE:inv_3", 1),
        Case(
            "more is owed",
            row(|record| Some(owing_more(record))),
            is!(Row),
            "destination:INVOICE:inv_3",
            1,
        ),
        Case(
            "one in doubt",
            row(|record| Some(doubting(record))),
            is!(Totals),
            "destination:INVOICE:inv_4",
            0,
        ),
        Case("nothing is paid", nothing_paid, is!(Totals), "destination:INVOICE:inv_4", 0),
        Case("another sum is paid", forge(less_paid), is!(Totals), "destination:INVOICE:inv_4", 0),
    ]
}

/// Streams that are listed otherwise than they are.
fn listed() -> Vec<Case> {
    let unlisted = heads(|heads| heads.retain(|head| !head.stream.to_string().ends_with("inv_3")));
    let again = heads(|heads| heads.extend(heads.last().cloned()));
    vec![
        Case(
            "another end",
            heads(|heads| of_wallet(heads).for_each(|head| head.hash = Hash::ZERO)),
            is!(Head),
            WALLET,
            3,
        ),
        Case("one is listed twice", again, is!(Head), WALLET, 0),
        Case("one is not listed", unlisted, is!(Unlisted), "destination:INVOICE:inv_3", 1),
    ]
}

/// A feed that is not the streams.
fn fed() -> Vec<Case> {
    fn journal(lie: fn(&mut Vec<Arc<Event>>)) -> Lies {
        Lies { journal: Some(lie), ..Lies::default() }
    }
    let at_once = Lies { feed: Some(first_at_start), ..Lies::default() };
    let beyond = Lies { feed: Some(|feed| feed.next = ERA.position(1)), ..Lies::default() };
    let unlinked = journal(|events| {
        events[0] = Arc::new(Event::decode(events[0].bytes(), Hash::new([7; 32])).unwrap());
    });
    let another_end = journal(|events| {
        let before = events[1].hash();
        let end = events.iter_mut().find(|event| is_of_wallet(event, 3)).unwrap();
        *end = Arc::new(linked(&debited(end, 499).unwrap(), before));
    });
    let one_more = journal(|events| {
        let end = events.iter().find(|event| is_of_wallet(event, 3)).unwrap();
        let bytes = changed(end.bytes(), b"wallet:w\x03", b"wallet:w\x04");
        events.push(Arc::new(linked(&bytes, end.hash())));
    });
    vec![
        Case("two are told in the wrong order", journal(|events| events.swap(0, 1)), is!(Feed), WALLET, 2),
        Case("two stand at one position", at_once, is!(Feed), WALLET, 1),
        Case("one stands behind the end", beyond, is!(Feed), WALLET, 2),
        Case("another hash is told", unlinked, is!(Feed), WALLET, 1),
        Case("another end is told", another_end, is!(Feed), WALLET, 3),
        Case("more is told than there is", one_more, is!(Feed), WALLET, 4),
        Case("the last one is not told", journal(|events| drop(events.pop())), is!(NotFed), CASH, 3),
    ]
}

fn forge(forge: Forge) -> Lies {
    Lies { forge: Some(forge), ..Lies::default() }
}

fn heads(lie: fn(&mut Vec<Head>)) -> Lies {
    Lies { heads: Some(lie), ..Lies::default() }
}

fn of_wallet(heads: &mut [Head]) -> impl Iterator<Item = &mut Head> {
    heads.iter_mut().filter(|head| head.stream.to_string() == WALLET)
}

fn is_account(key: &Key, name: &str) -> bool {
    matches!(key, Key::Account(_, account) if account.as_str() == name)
}

fn is_top_up(key: &Key) -> bool {
    matches!(key, Key::Claim(claim) if claim.kind == ClaimKind::TopUp)
}

fn is_of_wallet(event: &Event, sequence: u64) -> bool {
    event.sequence() == sequence && event.stream().to_string() == WALLET
}

/// Only it was asked for 900, and only it has further events.
fn is_of_cash(event: &Event, sequence: u64) -> bool {
    let its_own = match event.body() {
        Body::Created(new) => new.terms.amount == usd(900),
        body => matches!(body, Body::Started(_)),
    };
    its_own && event.sequence() == sequence
}

fn is_move_of(problem: &Problem, what: &str) -> bool {
    matches!(problem, Problem::Move(illegal) if illegal.what == what)
}

/// The second of a wallet, so much later than the first.
fn later(event: &Event, before: &[Arc<Event>], micros: i64) -> Option<Vec<u8>> {
    let time = |at: Timestamp| signed(at.unix_micros());
    let first = before.last()?.at().unix_micros();
    let at = Timestamp::from_unix_micros(first + micros)?;
    is_of_wallet(event, 2).then(|| changed(event.bytes(), &time(event.at()), &time(at)))
}

fn half_posted(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    is_of_wallet(event, 1).then(|| changed(event.bytes(), &dollars(-1_000), &dollars(-500)))
}

/// Postings stand behind what they are of.
fn posted(event: &Event, minor: i64, instead: i64) -> Vec<u8> {
    let one = changed(event.bytes(), &dollars(minor), &dollars(instead));
    changed(&one, &dollars(-minor), &dollars(-instead))
}

fn topped_up_by_half(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    is_of_wallet(event, 1).then(|| posted(event, 1_000, 500))
}

fn half_of_fee(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    is_fee(event).then(|| posted(event, 40, 20))
}

fn fee_of_another(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    is_fee(event).then(|| changed(event.bytes(), b"fees:sandbox", b"fees:sandpit"))
}

fn is_fee(event: &Event) -> bool {
    matches!(event.body(), Body::Fee(_))
}

fn paid_by_half(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    is_of_cash(event, 1).then(|| posted(event, 900, 450))
}

/// As it is posted, too; but the sum of what is paid is another one.
fn less_paid(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    let attempted = || changed(&posted(event, 900, 899), &dollars(900), &dollars(899));
    is_of_cash(event, 1).then(|| changed(&attempted(), &dollars(900), &dollars(899)))
}

fn refunded_in_euros(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    let euros = |minor| [b"EUR".to_vec(), signed(minor)].concat();
    let one = || changed(event.bytes(), &dollars(200), &euros(200));
    is_of_cash(event, 3).then(|| changed(&one(), &dollars(-200), &euros(-200)))
}

fn refunded_again(event: &Event, before: &[Arc<Event>]) -> Option<Vec<u8>> {
    let refund = |event: &Event| match event.body() {
        Body::Started(start) => match start.operation {
            OperationId::Refund(id) => Some(id.as_uuid().into_bytes()),
            _ => None,
        },
        _ => None,
    };
    is_of_cash(event, 3)
        .then(|| changed(event.bytes(), &refund(event).unwrap(), &refund(&before[1]).unwrap()))
}

/// The debit of the wallet, of another amount.
fn debited(event: &Event, minor: i64) -> Option<Vec<u8>> {
    is_of_wallet(event, 3).then(|| changed(event.bytes(), &dollars(500), &dollars(minor)))
}

fn posted_to_another(event: &Event, _: &[Arc<Event>]) -> Option<Vec<u8>> {
    let of_credits = event.postings().iter().any(|posting| posting.account.as_str() == WALLET);
    let of_payment = matches!(event.stream(), StreamId::Payment(_));
    (of_credits && of_payment).then(|| changed(event.bytes(), b"wallet:w", b"wallet:x"))
}

/// The cause stands behind the actor.
fn by_the_clock(event: &Event) -> Vec<u8> {
    let caused = |cause| [event.actor().as_str().as_bytes(), &[cause]].concat();
    changed(event.bytes(), &caused(1), &caused(4))
}

/// The row of the cash with another status, which stands behind the hash.
fn succeeded(record: Record) -> Record {
    let Record::Payment(payment) = &record else { return record };
    if payment.terms().amount != usd(900) {
        return record;
    }
    let status = |number| [payment.head().as_bytes(), &[3, 1, number][..]].concat();
    let row = changed(&payment.encode_row(), &status(9), &status(7));
    Record::Payment(Arc::new(Payment::decode_row(payment.terms().clone(), &row).unwrap()))
}

/// The row of a destination of which more is owed.
fn owing_more(record: Record) -> Record {
    other_row(record, "destination:INVOICE:inv_3", |row| changed(row, &dollars(7), &dollars(8)))
}

/// The row of a destination with a payment of which nobody knows what became of it.
fn doubting(record: Record) -> Record {
    // The last field: an id, and a time.
    other_row(record, "destination:INVOICE:inv_4", |row| [row, &[10, 17], &[1; 16], &[0]].concat())
}

fn other_row(record: Record, name: &str, other: fn(&[u8]) -> Vec<u8>) -> Record {
    match &record {
        Record::Account(account) if account.id().as_str() == name => {
            let (scope, id) = (account.scope().clone(), account.id().clone());
            let row = other(&account.encode_row());
            Record::Account(Arc::new(Account::decode_row(scope, id, &row).unwrap()))
        }
        _ => record,
    }
}

fn first_at_start(feed: &mut Feed) {
    if let Some(first) = feed.entries.first_mut() {
        first.position = Position::START;
    }
}

/// An amount as it stands in an event.
fn dollars(minor: i64) -> Vec<u8> {
    [b"USD".to_vec(), signed(minor)].concat()
}

/// An integer as it stands in an event.
fn signed(value: i64) -> Vec<u8> {
    let mut left = (value << 1 ^ value >> 63).cast_unsigned();
    let mut bytes = Vec::new();
    while left > 127 {
        bytes.push(u8::try_from(left & 127).unwrap() | 128);
        left >>= 7;
    }
    bytes.push(u8::try_from(left).unwrap());
    bytes
}

/// With the last `old` in them replaced by as many bytes.
fn changed(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).rposition(|window| window == old).unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}
