//! The process that is recorded.

use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use counterfoil::command::{Command, Receipt};
use counterfoil::ledger::{NewPayment, NewRefund, NewTopUp};
use counterfoil::payment::PaymentMethod;
use counterfoil::scope::Caller;
use counterfoil::store::{ExecuteError, PaymentStore, Position};
use counterfoil::text::Metadata;
use counterfoil_sqlite::{Defect, SqliteOptions, SqliteStore};
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::{Desk, block_on, fixtures};

use super::Synchronous;
use super::saying::{Saying, TENANTS};
use crate::dice::Dice;

/// How often the file is opened.
const ROUNDS: u16 = 3;
/// How many commands a round executes, about.
const COMMANDS: usize = 40;

/// Writes to the file in a folder and says what was acknowledged: `FOLDER SEED GENERATION SYNCHRONOUS`.
pub(crate) fn work(args: &[String]) {
    let [folder, seed, generation, synchronous] = args else { panic!("FOLDER SEED GENERATION SYNCHRONOUS") };
    let normal = synchronous == Synchronous::Normal.word();
    let synchronous = if normal { Synchronous::Normal } else { Synchronous::Full };
    let (seed, generation) = (seed.parse().expect("a number"), generation.parse().expect("a number"));
    let mut dice = Dice::new(seed);
    for _ in 0..generation {
        let _ = dice.number();
    }
    for round in 0..ROUNDS {
        let store = Arc::new(open(&Path::new(folder).join("books.db"), synchronous, &mut dice));
        say(&Saying::Opened(journal_end(store.as_ref())));
        match dice.below(4) {
            0 => batches(&store, generation * 1_024 + round * 64, &mut dice),
            1 => callers(&store, generation * 1_024 + round * 64, 1, &mut dice),
            _ => callers(&store, generation * 1_024 + round * 64, 8, &mut dice),
        }
        if round + 1 < ROUNDS || dice.one_in(2) {
            block_on(store.close()).expect("a store that closes");
        } else {
            // Some never come to closing.
            std::process::exit(0);
        }
    }
}

fn open(path: &Path, synchronous: Synchronous, dice: &mut Dice) -> SqliteStore {
    let pages = dice.of(&[4, 12, 40, 10_000]);
    let group = dice.of(&[2, 16, 512]);
    let options = SqliteOptions::default().with_checkpoint_pages(pages).with_group_limit(group);
    let options = match synchronous {
        Synchronous::Full => options,
        Synchronous::Normal => options.with_defect(Defect::SynchronousNormal),
    };
    options.with_readers(1).open(path).expect("a store that opens")
}

/// So many callers at once.
fn callers(store: &Arc<SqliteStore>, desk: u16, count: u16, dice: &mut Dice) {
    thread::scope(|scope| {
        for number in 0..count {
            let (mut hand, store) = (Hand::new(desk + number, dice.fork()), store.clone());
            scope.spawn(move || {
                let mut said = 0;
                while said < COMMANDS / usize::from(count) {
                    for command in hand.commands() {
                        let answer = block_on(store.execute(command.clone()));
                        tell(&command, answer);
                        said += 1;
                    }
                }
            });
        }
    });
}

/// One caller, with many commands at a time.
fn batches(store: &SqliteStore, desk: u16, dice: &mut Dice) {
    let mut hand = Hand::new(desk, dice.fork());
    let mut said = 0;
    while said < COMMANDS {
        let count = 1 + dice.below(12);
        let commands: Vec<Command> = (0..count).flat_map(|_| hand.commands()).collect();
        said += commands.len();
        let answers = store.execute_batch(&commands);
        commands.iter().zip(answers).for_each(|(command, answer)| tell(command, answer));
    }
}

/// One who asks for things.
struct Hand {
    desk: Desk,
    dice: Dice,
    caller: Caller,
}

impl Hand {
    fn new(desk: u16, mut dice: Dice) -> Hand {
        let caller = fixtures::caller(dice.of(&TENANTS));
        Hand { desk: Desk::new(desk), dice, caller }
    }

    /// What is asked next, one after the other. All of it can be done; a wallet may be empty.
    fn commands(&mut self) -> Vec<Command> {
        let Hand { desk, dice, caller } = self;
        let invoice = fixtures::invoice(dice.of(&["inv_1", "inv_2"]));
        let mut commands = match dice.below(4) {
            0 => vec![desk.top_up(caller, NewTopUp::new(fixtures::wallet("w"), fixtures::usd(3)))],
            1 => {
                let credits = PaymentMethod::Credits(fixtures::wallet("w"));
                vec![desk.create(caller, NewPayment::new(fixtures::usd(1), invoice, credits))]
            }
            2 => {
                let mut new = NewPayment::new(fixtures::usd(5), invoice, fixtures::card()).recorded_only();
                new.metadata = notes(dice);
                vec![desk.create(caller, new)]
            }
            _ => {
                // Of a customer: while an invoice's payment is under way, no other is begun.
                let new = NewPayment::new(fixtures::usd(9), fixtures::customer("cus_1"), fixtures::card());
                let create = desk.create(caller, new);
                let (payment, attempt) = (created(&create), started(&create));
                let said = fixtures::evidence(fixtures::succeeded(None), 1);
                let report = desk.report(caller, payment, attempt, said);
                let refund = desk.refund(caller, payment, NewRefund::of(fixtures::usd(2)));
                vec![create, report, refund]
            }
        };
        if dice.one_in(5) {
            commands.extend(commands.last().cloned());
        }
        commands
    }
}

/// Nothing, or so much that it takes pages of its own.
fn notes(dice: &mut Dice) -> Metadata {
    let entries = dice.of(&[0, 1, 25]);
    let note = |number| (format!("note {number}"), "x".repeat(400));
    Metadata::new((0..entries).map(note)).expect("notes that fit")
}

fn tell(command: &Command, answer: Result<Receipt, ExecuteError>) {
    match answer {
        Ok(receipt) => say(&Saying::Done {
            tenant: command.caller.scope.tenant().to_string(),
            stream: receipt.stream.to_string(),
            sequence: receipt.sequence,
        }),
        Err(ExecuteError::Rejected(_)) => {}
        Err(error) => panic!("the store failed: {error:?}"),
    }
}

/// How many events can be read.
fn journal_end(store: &dyn PaymentStore) -> usize {
    let (mut after, mut count) = (Position::START, 0);
    loop {
        let feed = block_on(store.feed(None, after, 1_000)).expect("a feed that can be read");
        if feed.next == after {
            return count;
        }
        (after, count) = (feed.next, count + feed.entries.len());
    }
}

/// One call to the system for each, whose place in the recording is when it was said.
fn say(saying: &Saying) {
    stdout().lock().write_all(format!("{saying}\n").as_bytes()).expect("somebody who listens");
}
