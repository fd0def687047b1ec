//! What the children of fault campaigns do to the books: rounds of operations whose outcomes can be told.
//!
//! An operation is a writer and a number, and its command follows from these alone, so who survives can ask once more.
//! Its name is the actor of its events: whatever is in the journal says which operation made it.

mod books;
mod expect;
mod told;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use books::{Books, Checked};
use counterfoil::command::Command;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewTopUp};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::Actor;
use counterfoil_testkit::Desk;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    card, credits, customer, evidence, gateway_operation, invoice, key, scope, succeeded, usd, wallet,
};
pub(crate) use expect::ROUND;
pub(crate) use told::{Place, Said, Told, word};

/// What went wrong, in the words of whoever knows most about it.
pub(crate) fn words(error: impl fmt::Debug) -> String {
    format!("{error:?}")
}

/// An operation: which writer's, and which one of its.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Op {
    pub(crate) writer: u16,
    pub(crate) number: u64,
}

impl Op {
    /// Its command, the same each time.
    pub(crate) fn command(self) -> Command {
        round(self.writer, self.number / ROUND).swap_remove(self.place())
    }

    /// Its place in its round.
    fn place(self) -> usize {
        usize::try_from(self.number % ROUND).expect("a small number")
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.writer, self.number)
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(text: &str) -> Result<Op, String> {
        let parse = || {
            let (writer, number) = text.split_once('-')?;
            Some(Op { writer: writer.parse().ok()?, number: number.parse().ok()? })
        };
        parse().ok_or_else(|| format!("{text:?} is no operation's name"))
    }
}

/// A writer's round of operations, each on what those before it made. `expect` says what comes of them.
pub(crate) fn round(writer: u16, round: u64) -> Vec<Command> {
    Round::new(writer, round).commands()
}

/// Makes the commands of a round, each by an actor of its own.
struct Round {
    desk: Desk,
    scope: Scope,
    writer: u16,
    number: u64,
}

impl Round {
    /// Rounds are a second apart, so their ids are their own too.
    fn new(writer: u16, round: u64) -> Round {
        let desk = Desk::new(writer);
        desk.clock().advance(Duration::from_secs(round));
        let scope = scope(&format!("tenant {}", writer % 3), "production");
        Round { desk, scope, writer, number: round * ROUND }
    }

    /// Who asks for the next operation.
    fn caller(&mut self) -> Caller {
        let op = Op { writer: self.writer, number: self.number };
        self.number += 1;
        Caller::new(self.scope.clone(), Actor::new(op.to_string()).expect("a valid name"))
    }

    fn commands(mut self) -> Vec<Command> {
        let name = format!("{}-{}", self.writer, self.number);
        let mut commands = self.credits(&name);
        commands.append(&mut self.charge(&name));
        commands.append(&mut self.hold(&name));
        commands
    }

    /// Credits come into a wallet that several writers share, go out of it, and come back.
    fn credits(&mut self, name: &str) -> Vec<Command> {
        let shared = format!("wallet-{}", self.writer % 2);
        let top_up = NewTopUp::new(wallet(&shared), usd(30)).with_idempotency_key(key(name));
        let spent = NewPayment::new(usd(40), customer(&shared), credits(&shared));
        let caller = [0; 4].map(|_| self.caller());
        let spent = self.desk.create(&caller[1], spent.with_idempotency_key(key(name)));
        let back = NewRefund::of(usd(15)).with_idempotency_key(key(name));
        vec![
            self.desk.top_up(&caller[0], top_up.clone()),
            spent.clone(),
            self.desk.top_up(&caller[2], top_up),
            self.desk.refund(&caller[3], created(&spent), back),
        ]
    }

    /// A card is charged and some of it goes back; what was said before is said again, and too much is asked for.
    fn charge(&mut self, name: &str) -> Vec<Command> {
        let caller = [0; 8].map(|_| self.caller());
        let key = key(&format!("{name}-card"));
        let new =
            |cents| NewPayment::new(usd(cents), invoice(name), card()).with_idempotency_key(key.clone());
        let charge = self.desk.create(&caller[0], new(100));
        let payment = created(&charge);
        let charged =
            |id: &str| evidence(succeeded(None), 1).with_gateway_operation_id(gateway_operation(id));
        let some = NewRefund::of(usd(40)).with_idempotency_key(key.clone());
        let refund = self.desk.refund(&caller[3], payment, some);
        vec![
            charge.clone(),
            self.desk.report(&caller[1], payment, started(&charge), charged(name)),
            self.desk.create(&caller[2], new(100)),
            refund.clone(),
            self.desk.report(&caller[4], payment, started(&refund), charged(&format!("{name}-back"))),
            self.desk.refund(&caller[5], payment, NewRefund::of(usd(61))),
            self.desk.report(&caller[6], payment, started(&charge), charged(name)),
            self.desk.create(&caller[7], new(101)),
        ]
    }

    /// Money is held and taken; and some comes in cash.
    fn hold(&mut self, name: &str) -> Vec<Command> {
        let caller = [0; 5].map(|_| self.caller());
        let key = key(&format!("{name}-hold"));
        let new = NewPayment::new(usd(80), customer(&format!("customer-{}", self.writer)), card());
        let hold = self.desk.create(&caller[0], new.captured_later().with_idempotency_key(key.clone()));
        let payment = created(&hold);
        let done = || evidence(succeeded(None), 2);
        let taken = NewCapture::of(usd(50)).with_idempotency_key(key);
        let capture = self.desk.capture(&caller[2], payment, taken);
        let cash =
            NewPayment::new(usd(7), customer("everybody"), counterfoil::payment::PaymentMethod::Offline);
        vec![
            hold.clone(),
            self.desk.report(&caller[1], payment, started(&hold), done()),
            capture.clone(),
            self.desk.report(&caller[3], payment, started(&capture), done()),
            self.desk.create(&caller[4], cash),
        ]
    }
}
