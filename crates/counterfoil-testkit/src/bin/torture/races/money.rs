//! More is asked for than there is.

use counterfoil::account::{AccountId, Owed};
use counterfoil::command::{Command, Policy, Receipt, Rejection, Request};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewTopUp, NewVoid, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Key, Lookup};
use counterfoil_testkit::block_on;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{card, credits, customer, evidence, invoice, succeeded, usd, wallet};

use super::meet::{Answer, Books, THREADS};
use crate::campaign::Counts;
use crate::dice::Dice;

/// What the callers want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refunds,
    /// Of what was paid with credits: they go back at once.
    RefundsOfCredits,
    RefundsAndVoids,
    /// Which leave the rest of the hold.
    Captures,
    /// Which release the rest of the hold.
    LastCaptures,
    CapturesAndVoids,
    Debits,
    /// By payments that were there already.
    DebitsOfRecorded,
    /// Of an invoice, of which only so much is due.
    Charges,
}

const ALL: [Kind; 9] = [
    Kind::Refunds,
    Kind::RefundsOfCredits,
    Kind::RefundsAndVoids,
    Kind::Captures,
    Kind::LastCaptures,
    Kind::CapturesAndVoids,
    Kind::Debits,
    Kind::DebitsOfRecorded,
    Kind::Charges,
];

/// Where the money is that they want.
#[derive(Debug, Clone, Copy)]
enum Pot {
    Refundable(PaymentId),
    Capturable(PaymentId),
    Wallet,
    Due,
}

/// How much there is, and what is asked for; `None` is a void.
#[derive(Debug)]
struct Wants {
    kind: Kind,
    there: i64,
    asks: Vec<Option<i64>>,
}

/// Callers at once, who must get what there is: not more, and not less than fits.
pub(super) fn race(books: &Books, seed: u64, dice: &mut Dice) -> Result<Counts, String> {
    let wants = Wants::of(seed, dice);
    let (pot, commands) = prepared(books, &wants)?;
    let answers = books.together(&commands, dice.of(&THREADS))?;
    let left = pot.holds(books, wants.there)?;
    let judged = judge(&wants, &commands, &answers, left);
    let got = judged.map_err(|what| format!("{what}; {wants:?}, of which is left {left}"))?;
    Ok([("races", 1), ("callers", number(answers.len())), ("accepted", number(got))].into())
}

impl Wants {
    fn of(seed: u64, dice: &mut Dice) -> Wants {
        // As the rules have it for an example: 14 of the ones, one of the others.
        match seed % 100 {
            1 => return Wants { kind: Kind::Refunds, there: 100, asks: vec![Some(7); 40] },
            2 => return Wants { kind: Kind::Captures, there: 100, asks: vec![Some(60); 10] },
            3 => return Wants { kind: Kind::LastCaptures, there: 100, asks: vec![Some(60); 10] },
            _ => {}
        }
        let kind = dice.of(&ALL);
        let there = 1 + below(dice, 200);
        let callers = 2 + dice.below(23);
        let most = 1 + below(dice, there + there / 4);
        let same = dice.one_in(2).then_some(most);
        let ask = |dice: &mut Dice| match kind {
            Kind::RefundsAndVoids | Kind::CapturesAndVoids if dice.one_in(3) => None,
            _ => Some(same.unwrap_or_else(|| 1 + below(dice, most))),
        };
        Wants { kind, there, asks: (0..callers).map(|_| ask(dice)).collect() }
    }

    /// How much must be there for this caller. A charge is taken back as a whole, of a hold the rest is released.
    fn needs(&self, place: usize) -> i64 {
        let void = if self.kind == Kind::RefundsAndVoids { self.there } else { 1 };
        self.asks[place].unwrap_or(void)
    }
}

/// Makes what there is, and the commands that ask for it.
fn prepared(books: &Books, wants: &Wants) -> Result<(Pot, Vec<Command>), String> {
    let Books { desk, caller, .. } = books;
    let Wants { kind, there, asks } = wants;
    let void = |payment| desk.void(caller, payment, NewVoid::default());
    let debit = |cents| NewPayment::new(usd(cents), customer("cus_1"), credits("w"));
    Ok(match kind {
        Kind::Refunds | Kind::RefundsOfCredits | Kind::RefundsAndVoids => {
            let from_wallet = *kind == Kind::RefundsOfCredits;
            let payment = if from_wallet { paid_with_credits(books, *there) } else { paid(books, *there) }?;
            let refund = |ask: &Option<i64>| match ask {
                Some(cents) => desk.refund(caller, payment, NewRefund::of(usd(*cents))),
                None => void(payment),
            };
            (Pot::Refundable(payment), asks.iter().map(refund).collect())
        }
        Kind::Captures | Kind::LastCaptures | Kind::CapturesAndVoids => {
            let payment = held(books, *there)?;
            let new = |cents: i64| match kind {
                Kind::LastCaptures => NewCapture::of(usd(cents)),
                _ => NewCapture::of(usd(cents)).keeping_the_rest(),
            };
            let capture = |ask: &Option<i64>| match ask {
                Some(cents) => desk.capture(caller, payment, new(*cents)),
                None => void(payment),
            };
            (Pot::Capturable(payment), asks.iter().map(capture).collect())
        }
        Kind::Debits | Kind::DebitsOfRecorded => {
            books.done(&desk.top_up(caller, NewTopUp::new(wallet("w"), usd(*there))))?;
            let mut commands: Vec<Command> = Vec::new();
            for cents in asks.iter().flatten() {
                commands.push(if *kind == Kind::Debits {
                    desk.create(caller, debit(*cents))
                } else {
                    let create = desk.create(caller, debit(*cents).recorded_only());
                    books.done(&create)?;
                    desk.process(caller, created(&create), Processing::default())
                });
            }
            (Pot::Wallet, commands)
        }
        Kind::Charges => {
            let owed = Owed { amount_due: usd(*there), number: None, payable: true };
            books.done(&desk.register(caller, invoice("inv_1"), owed))?;
            let charge = |cents: &i64| NewPayment::new(usd(*cents), invoice("inv_1"), card());
            let charges = asks.iter().flatten().map(|cents| desk.create(caller, charge(cents)));
            (Pot::Due, charges.collect())
        }
    })
}

/// How many got something.
fn judge(wants: &Wants, commands: &[Command], answers: &[Answer], left: i64) -> Result<usize, String> {
    let mut got = Vec::new();
    let mut refused = Vec::new();
    for (place, (command, answer)) in commands.iter().zip(answers).enumerate() {
        match answer {
            Ok(receipt) if receipt.replayed => return Err(format!("{place} is a replay")),
            Ok(receipt) => match taken(command, receipt) {
                Some(cents) => got.push(cents),
                None => refused.push(place),
            },
            Err(rejection) if is_too_much(rejection) => refused.push(place),
            Err(rejection) => return Err(format!("{place} is refused by {rejection:?}")),
        }
    }
    let sum: i64 = got.iter().sum();
    if sum > wants.there {
        return Err(format!("they got {got:?}"));
    }
    if left != wants.there - sum {
        return Err(format!("they got {got:?}, and what is left is not the rest"));
    }
    // What there is only falls meanwhile: what would fit now would have fitted then.
    match refused.iter().find(|place| wants.needs(**place) <= left) {
        Some(place) => Err(format!("they got {got:?}, and {place} got nothing")),
        None => Ok(got.len()),
    }
}

/// What an accepted command took; `None` if the wallet was too empty.
fn taken(command: &Command, receipt: &Receipt) -> Option<i64> {
    let payment = receipt.payment()?;
    if matches!(command.request, Request::Create(_) | Request::Process(_)) {
        return (payment.status() != PaymentStatus::Failed).then(|| payment.terms().amount.minor());
    }
    let operation = payment.operation(started(command))?;
    Some(operation.amount.minor() + operation.kind.releases().map_or(0, Money::minor))
}

fn is_too_much(rejection: &Rejection) -> bool {
    matches!(
        rejection,
        Rejection::ExceedsRefundable { .. }
            | Rejection::ExceedsCapturable { .. }
            | Rejection::NothingToRelease { .. }
            | Rejection::ExceedsDue { .. }
            | Rejection::NotWhole { .. }
            | Rejection::NotAllowed { .. }
    )
}

impl Pot {
    /// How much is in it by now, of so much that there was.
    fn holds(self, books: &Books, there: i64) -> Result<i64, String> {
        let scope = &books.caller.scope;
        let wallet = AccountId::wallet(&wallet("w"));
        let destination = AccountId::destination(&invoice("inv_1"));
        let key = match self {
            Pot::Refundable(payment) | Pot::Capturable(payment) => Key::Payment(scope.clone(), payment),
            Pot::Wallet => Key::Account(scope.clone(), wallet.clone()),
            Pot::Due => Key::Account(scope.clone(), destination.clone()),
        };
        let state = block_on(books.store().read(&[key])).map_err(|error| format!("reading: {error:?}"))?;
        let cents = match self {
            Pot::Refundable(id) => present(state.payment(scope, id))?.refundable(),
            Pot::Capturable(id) => present(state.payment(scope, id))?.capturable(),
            Pot::Wallet => present(state.account(scope, &wallet))?.balance(Currency::USD),
            Pot::Due => {
                let totals = present(state.account(scope, &destination))?.totals(Currency::USD);
                totals.remaining(usd(there), &Policy::default())
            }
        };
        Ok(cents.minor())
    }
}

fn present<T>(found: Lookup<'_, T>) -> Result<&T, String> {
    match found {
        Lookup::Present(row) => Ok(row),
        _ => Err("what the race is about is missing".to_owned()),
    }
}

/// A card payment of so many cents that came.
pub(super) fn paid(books: &Books, cents: i64) -> Result<PaymentId, String> {
    charged(books, NewPayment::new(usd(cents), invoice("inv_1"), card()))
}

/// So many cents that are held.
pub(super) fn held(books: &Books, cents: i64) -> Result<PaymentId, String> {
    charged(books, NewPayment::new(usd(cents), invoice("inv_1"), card()).captured_later())
}

fn charged(books: &Books, new: NewPayment) -> Result<PaymentId, String> {
    let create = books.desk.create(&books.caller, new);
    books.done(&create)?;
    let said = evidence(succeeded(None), 1);
    books.done(&books.desk.report(&books.caller, created(&create), started(&create), said))?;
    Ok(created(&create))
}

fn paid_with_credits(books: &Books, cents: i64) -> Result<PaymentId, String> {
    books.done(&books.desk.top_up(&books.caller, NewTopUp::new(wallet("w"), usd(cents))))?;
    let new = NewPayment::new(usd(cents), invoice("inv_1"), credits("w"));
    let create = books.desk.create(&books.caller, new);
    books.done(&create)?;
    Ok(created(&create))
}

fn below(dice: &mut Dice, end: i64) -> i64 {
    i64::try_from(dice.roll(end.unsigned_abs())).unwrap_or(0)
}

pub(super) fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a count")
}
