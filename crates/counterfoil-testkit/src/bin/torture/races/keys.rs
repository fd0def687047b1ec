//! One key, many callers.

use counterfoil::command::{Command, Receipt, Rejection};
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewTopUp, NewVoid, Processing};
use counterfoil::payment::PaymentMethod;
use counterfoil_testkit::desk::created;
use counterfoil_testkit::fixtures::{card, credits, invoice, key, usd, wallet};

use super::meet::{Books, THREADS};
use super::money;
use crate::campaign::Counts;
use crate::dice::Dice;

/// What is asked for under the key.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Payment,
    /// One that is only recorded: those who ask for it meet nowhere but at the key.
    Record,
    Credits,
    TopUp,
    Attempt,
    Refund,
    Capture,
    Void,
}

const ALL: [Asked; 8] = [
    Asked::Payment,
    Asked::Record,
    Asked::Credits,
    Asked::TopUp,
    Asked::Attempt,
    Asked::Refund,
    Asked::Capture,
    Asked::Void,
];

/// All callers use one key, for one request or for two: one takes effect, once, and all who asked for it are told
/// the same; those who asked for the other one are told so.
pub(super) fn race(books: &Books, callers: usize, dice: &mut Dice) -> Result<Counts, String> {
    let asked = dice.of(&ALL);
    let requests = match asked {
        Asked::Attempt | Asked::Void => 1,
        _ => dice.of(&[1, 1, 2]),
    };
    let ask = prepared(books, asked)?;
    let commands: Vec<Command> = (0..callers).map(|place| ask(place % requests)).collect();
    let answers = books.together(&commands, dice.of(&THREADS))?;
    let told = |what: &str| format!("{asked:?}, one key, {callers} callers, {requests} requests: {what}");
    let winner =
        answers.iter().position(Result::is_ok).ok_or_else(|| told("nobody's took effect"))? % requests;
    let mut won = Vec::new();
    for (place, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(receipt) if place % requests == winner => won.push(receipt),
            Err(Rejection::KeyMismatch { .. }) if place % requests != winner => {}
            other => return Err(told(&format!("caller {place} is told {other:?}"))),
        }
    }
    won.push(once_more(books, &ask(winner)).map_err(|what| told(&what))?);
    one_effect(&won).map_err(|what| told(&what))?;
    Ok([("races", 1), ("callers", money::number(callers)), ("accepted", 1), ("keys", 1)].into())
}

/// A caller who comes late.
fn once_more(books: &Books, command: &Command) -> Result<Receipt, String> {
    match books.alone(command)? {
        Ok(receipt) if receipt.replayed => Ok(receipt),
        other => Err(format!("who comes late is told {other:?}")),
    }
}

fn one_effect(receipts: &[Receipt]) -> Result<(), String> {
    let effects = receipts.iter().filter(|receipt| !receipt.replayed).count();
    let place = |receipt: &Receipt| (receipt.stream.clone(), receipt.sequence);
    let first = receipts.first().map(place);
    let same = receipts.iter().all(|receipt| Some(place(receipt)) == first);
    match (effects, same) {
        (1, true) => Ok(()),
        (1, false) => Err("not all were told the same".to_owned()),
        _ => Err(format!("it took effect {effects} times")),
    }
}

/// Makes what the requests are about. Each of them has ids of its own, and the key.
fn prepared(books: &Books, asked: Asked) -> Result<Box<dyn Fn(usize) -> Command + '_>, String> {
    let Books { desk, caller, .. } = books;
    let cents = |request: usize| usd(if request == 0 { 10 } else { 11 });
    let new = move |method: PaymentMethod, request| {
        NewPayment::new(cents(request), invoice("inv_1"), method).with_idempotency_key(key("k"))
    };
    let top_up =
        move |cents| desk.top_up(caller, NewTopUp::new(wallet("w"), cents).with_idempotency_key(key("k")));
    Ok(match asked {
        Asked::Payment => Box::new(move |request| desk.create(caller, new(card(), request))),
        Asked::Record => Box::new(move |request| desk.create(caller, new(card(), request).recorded_only())),
        Asked::Credits => {
            books.done(&desk.top_up(caller, NewTopUp::new(wallet("w"), usd(15))))?;
            Box::new(move |request| desk.create(caller, new(credits("w"), request)))
        }
        Asked::TopUp => Box::new(move |request| top_up(cents(request))),
        Asked::Attempt => {
            let create =
                desk.create(caller, NewPayment::new(usd(10), invoice("inv_1"), card()).recorded_only());
            books.done(&create)?;
            let how = Processing::default().with_idempotency_key(key("k"));
            Box::new(move |_| desk.process(caller, created(&create), how.clone()))
        }
        Asked::Refund => {
            let paid = money::paid(books, 15)?;
            let refund = move |request| NewRefund::of(cents(request)).with_idempotency_key(key("k"));
            Box::new(move |request| desk.refund(caller, paid, refund(request)))
        }
        Asked::Capture => {
            let held = money::held(books, 15)?;
            let capture = move |request| NewCapture::of(cents(request)).with_idempotency_key(key("k"));
            Box::new(move |request| desk.capture(caller, held, capture(request)))
        }
        Asked::Void => {
            let paid = money::paid(books, 15)?;
            Box::new(move |_| desk.void(caller, paid, NewVoid::default().with_idempotency_key(key("k"))))
        }
    })
}
