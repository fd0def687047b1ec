//! The process whose calls go wrong: the same work each time, one command after the other.
#![allow(clippy::disallowed_methods, reason = "how long it takes to go on is told by a real clock")]

use std::fmt::Display;
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, exit};
use std::time::{Duration, Instant};

use counterfoil::command::{Command, Receipt};
use counterfoil::store::{ExecuteError, PaymentStore, Position, StoreErrorKind};
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::block_on;

use crate::defect;
use crate::work::{Op, ROUND, Said, Told, round, word};

/// Pages of log after which they are copied into the file.
const CHECKPOINT: u32 = 30;
/// How many rounds there are where nothing has to be waited for.
const ROUNDS: u64 = 3;
/// How soon the store must go on when nothing is in the way any more.
const SOON: Duration = Duration::from_secs(1);
/// More than there are faults one after the other.
const TRIES: u32 = 20;
/// How many answers that it cannot are heard before what is in the way is taken away.
const FAILURES: u32 = 5;

/// What will be in the way, and is taken away.
enum Obstacle {
    None,
    /// Files may not grow by more than so many bytes.
    Limit(u64),
    /// This file takes up the space.
    Ballast(PathBuf),
}

/// `DEFECT PATH` and `closes`, `leaves`, `limit BYTES` or `ballast FILE`.
pub(crate) fn work(args: &[String]) {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [defect, path, ref ends @ ..] = args[..] else { panic!("DEFECT, PATH and what it is to do") };
    let obstacle = match *ends {
        ["closes" | "leaves"] => Obstacle::None,
        ["limit", bytes] => Obstacle::Limit(bytes.parse().expect("a number")),
        ["ballast", file] => Obstacle::Ballast(file.into()),
        _ => panic!("what it is to do"),
    };
    block_on(async {
        let mut child = Child::open(defect, path.into());
        match obstacle {
            Obstacle::None => child.rounds(0..ROUNDS).await,
            obstacle => child.overcome(obstacle).await,
        }
        if ends != ["leaves"] {
            child.close().await;
            child.reopen();
            child.read().await;
            child.close().await;
        }
    });
    exit(0);
}

struct Child {
    defect: String,
    path: PathBuf,
    store: SqliteStore,
}

impl Child {
    fn open(defect: &str, path: PathBuf) -> Child {
        let store = open(defect, &path);
        Child { defect: defect.to_owned(), path, store }
    }

    fn reopen(&mut self) {
        self.store = open(&self.defect, &self.path);
    }

    async fn close(&self) {
        self.store.close().await.expect("closing is never refused");
    }

    async fn rounds(&mut self, rounds: std::ops::Range<u64>) {
        for number in rounds {
            for (place, command) in (number * ROUND..).zip(round(0, number)) {
                self.settle(Op { writer: 0, number: place }, &command).await;
            }
            self.read().await;
        }
        self.batch().await;
    }

    /// A group of commands, all of them in one commit, and none of them about what another one makes; what fails is
    /// settled one by one.
    async fn batch(&mut self) {
        let place = |writer| if writer < 6 { 0 } else { 16 };
        let refused = Op { writer: 11, number: 9 };
        let ops = (1..11).map(|writer| Op { writer, number: place(writer) }).chain([refused]);
        let group: Vec<(Op, Command)> = ops.map(|op| (op, op.command())).collect();
        for (op, _) in &group {
            tell(&Told { op: *op, said: Said::Asked });
        }
        let commands: Vec<Command> = group.iter().map(|(_, command)| command.clone()).collect();
        let answers = self.store.execute_batch(&commands);
        let mut failed = Vec::new();
        for ((op, command), answer) in group.into_iter().zip(&answers) {
            tell(&Told { op, said: Said::of(answer) });
            if could_not(answer).is_some() {
                failed.push((op, command));
            }
        }
        for (op, command) in failed {
            self.settle(op, &command).await;
        }
    }

    /// Asks until it is known what became of it. Who is told that the store is poisoned opens it again, when it has
    /// been told so three times.
    async fn settle(&mut self, op: Op, command: &Command) {
        let mut poisoned = 0;
        for _ in 0..TRIES {
            match self.ask(op, command).await {
                None => return,
                Some(StoreErrorKind::Poisoned) => poisoned += 1,
                Some(_) => {}
            }
            if poisoned == 3 {
                self.close().await;
                self.reopen();
                poisoned = 0;
            }
        }
        panic!("{op} is refused for ever");
    }

    /// Asks once. Of what kind the failure is, if it is one.
    async fn ask(&mut self, op: Op, command: &Command) -> Option<StoreErrorKind> {
        tell(&Told { op, said: Said::Asked });
        let answer = self.store.execute(command.clone()).await;
        tell(&Told { op, said: Said::of(&answer) });
        could_not(&answer)
    }

    /// Reads, once more if it fails.
    async fn read(&self) {
        for _ in 0..2 {
            match self.store.feed(None, Position::START, 10).await {
                Ok(_) => return say("read"),
                Err(error) => say(format_args!("unread {}", word(error.kind()))),
            }
        }
    }

    /// Works until the obstacle is met and some answers were failures, takes it away, and goes on.
    async fn overcome(&mut self, obstacle: Obstacle) {
        let mut ops = (0_u64..).flat_map(|number| (number * ROUND..).zip(round(0, number)));
        let mut failures = 0;
        for (number, command) in ops.by_ref() {
            if let (ROUND, Obstacle::Limit(bytes)) = (number, &obstacle) {
                let longest = fs::metadata(beside(&self.path, "-wal")).expect("a log").len();
                limit(&(longest + bytes).to_string());
            }
            let op = Op { writer: 0, number };
            while failures < FAILURES && self.ask(op, &command).await.is_some() {
                failures += 1;
                self.read().await;
            }
            if failures == FAILURES {
                match obstacle {
                    Obstacle::Limit(_) => limit("unlimited"),
                    Obstacle::Ballast(file) => fs::remove_file(file).expect("a file to remove"),
                    Obstacle::None => {}
                }
                say("relieved");
                let since = Instant::now();
                self.settle(op, &command).await;
                if since.elapsed() > SOON {
                    say(format_args!("late {}", since.elapsed().as_millis()));
                }
                break;
            }
        }
        for (number, command) in ops.take(40) {
            self.settle(Op { writer: 0, number }, &command).await;
        }
        self.batch().await;
    }
}

/// Opens the file, at the second try if the first one fails.
fn open(defect: &str, path: &Path) -> SqliteStore {
    for _ in 0..8 {
        match defect::named(defect).with_checkpoint_pages(CHECKPOINT).open(path) {
            Ok(store) => {
                say("opened");
                return store;
            }
            Err(error) => say(format_args!("not-opened {}", word(error.kind()))),
        }
    }
    panic!("the file cannot be opened, and nothing is in the way any more");
}

fn could_not(answer: &Result<Receipt, ExecuteError>) -> Option<StoreErrorKind> {
    match answer {
        Err(ExecuteError::NotCommitted(error) | ExecuteError::Unknown(error)) => Some(error.kind()),
        Ok(_) | Err(ExecuteError::Rejected(_)) => None,
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Limits the size of files that this process writes.
fn limit(size: &str) {
    let process = format!("--pid={}", std::process::id());
    let limited = Process::new("prlimit").args([process, format!("--fsize={size}:unlimited")]).status();
    assert!(limited.expect("prlimit, of util-linux").success(), "prlimit");
}

fn tell(told: &Told) {
    say(told);
}

fn say(line: impl Display) {
    writeln!(stdout().lock(), "{line}").expect("a parent that listens");
}
