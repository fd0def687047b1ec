//! More callers than the server has room for: those who have room are served as ever, the others hear a 503 at once that
//! says when to come again, and nobody hangs.
//!
//! A case is a server of its own, a process on a file, and as many callers as make the most of it, and ten times or twice
//! as many, in turns. Cases take turns: with its own limits the server turns away at the door whoever is
//! too much; with room for all of them, its store refuses what is too much for the queue. In between come clients that
//! take their time. Nothing that was acknowledged is lost, nothing that was refused is there. The first cases, which every
//! build runs, judge what holds on any machine; the others also how fast all that is, for which the machine must have
//! nothing else to do.
#![allow(clippy::disallowed_methods, reason = "load is offered by a real clock")]

mod client;
mod load;
mod server;
mod slow;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use counterfoil::event::Body;
use counterfoil::store::{PaymentStore, Position};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::block_on;
use load::{Load, Outcome, Told};
use server::Server;
use tokio::runtime::{Builder, Runtime};

use crate::campaign::{Campaign, Counts, Repeats};
use crate::process::Size;
use crate::run::Order;
use crate::work::words;

/// How many callers make the most of the server: as many as it has room for with its own limits. Ten times as many are
/// also more than may wait for the store, where there is room for all of them.
const CALLERS: u32 = 512;
/// The connections that there is room for where all callers have room.
const ROOM: &str = "6000";
/// How long each load is offered: whoever is told to come again in so many seconds comes.
const LASTS: Duration = Duration::from_secs(4);
/// How often all loads are offered, until their sums tell: twice at least.
const ROUNDS: u32 = 6;
/// What comes before, so that the file and all caches are there.
const BEFORE: Duration = Duration::from_secs(1);
/// A few callers, before and after: how long a calm server takes.
const FEW: u32 = 4;
const CALM: Duration = Duration::from_millis(500);
/// The cases of a slice.
const SLICE: u64 = 2;

/// How many times as many callers, and what is counted.
#[derive(Debug, Clone, Copy)]
struct TooMuch {
    times: u32,
    done: &'static str,
    refused: &'static str,
}

const TWICE: TooMuch =
    TooMuch { times: 2, done: "acknowledged at twice as much", refused: "refused at twice as much" };
const TEN_TIMES: TooMuch =
    TooMuch { times: 10, done: "acknowledged at ten times as much", refused: "refused at ten times as much" };
/// How much memory it may need, in KiB: it has a cache of 64 MiB to fill, and something for each connection. And how much
/// more of it when the same load comes again.
const CACHE: u64 = (64 + 64) * 1_024;
const CONNECTION: u64 = 48;
const GROWTH: u64 = (64 + 16) * 1_024;
/// How many descriptors more it may have than clients: readers that were opened for the moment.
const DESCRIPTORS: u64 = 8;
/// How often it is looked how large the server is.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "overload-http",
    about: "twice and ten times the callers that the server has room for, slow ones too: early 503s, nothing lost",
    full: 60,
    sitting: Order { first: SLICE + 1, count: 8 },
    slice: SLICE,
    parallel: false,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

/// What only a machine that has nothing else to do can show.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Of a hundred that are done at most, so many are done under any load.
    goodput: u64,
    /// How late a 503 may come.
    refusal: Duration,
    /// How long slow clients are waited for.
    patience: Duration,
    /// How much longer than before the calm server takes, 99 of 100 times: so many times, and this.
    calm: (u32, Duration),
}

const IDLE: Figures = Figures {
    goodput: 90,
    refusal: Duration::from_secs(1),
    patience: Duration::from_secs(11),
    calm: (2, Duration::from_millis(20)),
};
/// Whatever else the machine does, less than this is a collapse.
const ANY: Figures = Figures {
    goodput: 10,
    refusal: Duration::from_secs(10),
    patience: Duration::from_secs(30),
    calm: (10, Duration::from_secs(2)),
};

/// How many were done under each load, in as many rounds.
#[derive(Debug, Default)]
struct Done {
    most: u64,
    too_much: u64,
}

/// A server, and how a case puts it under load.
struct Trial {
    server: Server,
    load: Arc<Load>,
    runtime: Runtime,
    too_much: TooMuch,
    has_room: bool,
    figures: Figures,
    counts: Counts,
}

fn case(seed: u64) -> Result<Counts, String> {
    server::raise_own_limit()?;
    let folder = tempfile::tempdir().map_err(words)?;
    let path = folder.path().join("books.db");
    let mut trial = Trial::start(&path, seed)?;
    trial.run()?;
    let Trial { server, load, mut counts, .. } = trial;
    server.stop()?;
    let told = load.told();
    counts.add("acknowledged", hold(&told, &found(&path, told.len())?)?);
    Ok(counts)
}

impl Trial {
    fn start(path: &Path, seed: u64) -> Result<Trial, String> {
        let has_room = seed.is_multiple_of(2);
        let too_much = if seed.div_ceil(2).is_multiple_of(2) { TWICE } else { TEN_TIMES };
        let options: &[&str] = if has_room { &["--max-connections", ROOM] } else { &[] };
        let server = Server::start(path, options)?;
        let load = Load::new(server.address);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(words)?;
        let figures = if seed <= SLICE { ANY } else { IDLE };
        let counts = Counts::from([("cases", 1)]);
        Ok(Trial { server, load, runtime, too_much, has_room, figures, counts })
    }

    /// As much as it can take, and more; and then it is as it was.
    fn run(&mut self) -> Result<(), String> {
        self.offer(CALLERS, BEFORE)?;
        let (calm, _) = self.offer(FEW, CALM)?;
        let before = self.server.size()?;
        // Where there is room for everybody, being slow takes nobody's.
        let address = self.server.address;
        let slow = (!self.has_room).then(|| thread::spawn(move || slow::let_go(address)));
        thread::sleep(CALM);
        self.rounds(before)?;
        self.closes(before.descriptors + slow::ALL)?;
        let (after, _) = self.offer(FEW, CALM)?;
        calm_again(&calm, &after, self.figures)?;
        if let Some(slow) = slow {
            let longest = slow.join().map_err(|panic| crate::run::words(panic.as_ref()))??;
            self.counts.add("slow clients let go", slow::ALL);
            if longest > self.figures.patience {
                return Err(format!("a slow client was waited for {longest:?}"));
            }
        }
        self.closes(before.descriptors)
    }

    /// As many as make the most of it, and too many, in turns: what one load comes to differs by a tenth
    /// and more from one time to the next, with the disk.
    fn rounds(&mut self, before: Size) -> Result<(), String> {
        let mut done = Done::default();
        let first = self.round(before, &mut done)?;
        let may = Size { kib: GROWTH, descriptors: slow::ALL + DESCRIPTORS };
        for round in 2..=ROUNDS {
            let again = self.round(before, &mut done)?;
            again.within(first, may, "when the same load comes again")?;
            match done.goodput(self.figures) {
                Err(too_little) if round == ROUNDS => return Err(too_little),
                Err(_) => {}
                Ok(()) => break,
            }
        }
        Ok(())
    }

    /// Every load once. How large it was at most.
    fn round(&mut self, before: Size, done: &mut Done) -> Result<Size, String> {
        let (most, _) = self.offer(CALLERS, LASTS)?;
        self.counts.add("acknowledged at most", most.done);
        done.most += most.done;
        let (too_much, size) = self.too_much(before)?;
        done.too_much += too_much;
        Ok(size)
    }

    /// More callers than make the most of it: how many were done, and how large it was at most.
    fn too_much(&mut self, before: Size) -> Result<(u64, Size), String> {
        let TooMuch { times, done, refused } = self.too_much;
        let (outcome, size) = self.offer(times * CALLERS, LASTS)?;
        self.counts.add(done, outcome.done);
        self.counts.add(refused, outcome.refused);
        if outcome.slowest_refusal > self.figures.refusal {
            return Err(format!("a refusal took {:?}", outcome.slowest_refusal));
        }
        // All for whom there is no room, and some of them once more.
        if !self.has_room && outcome.refused <= u64::from((times - 1) * CALLERS) {
            return Err(format!("{times} times the callers, and {} times one was refused", outcome.refused));
        }
        let connections = u64::from(times * CALLERS);
        let kib = CACHE + connections * CONNECTION;
        let may = Size { kib, descriptors: connections + slow::ALL + DESCRIPTORS };
        size.within(before, may, "while it has too much to do")?;
        Ok((outcome.done, size))
    }

    /// So many callers; what came of it, and how large the server was at most meanwhile.
    fn offer(&self, callers: u32, lasts: Duration) -> Result<(Outcome, Size), String> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let largest = scope.spawn(|| {
                let mut largest = self.server.size()?;
                while !over.load(Ordering::Relaxed) {
                    thread::sleep(LOOK);
                    largest = largest.max(self.server.size()?);
                }
                Ok(largest)
            });
            let outcome = self.runtime.block_on(self.load.offer(callers, lasts));
            over.store(true, Ordering::Relaxed);
            let largest = largest.join().map_err(|panic| crate::run::words(panic.as_ref()))?;
            largest.and_then(|largest| Ok((outcome?, largest)))
        })
    }

    /// What the callers held open is closed, soon after they have gone.
    fn closes(&self, before: u64) -> Result<(), String> {
        let mut open = 0;
        for _ in 0..100 {
            open = self.server.size()?.descriptors;
            if open <= before + DESCRIPTORS {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        Err(format!("all callers have gone, and {open} files are open, {before} before"))
    }
}

impl Done {
    fn goodput(&self, figures: Figures) -> Result<(), String> {
        if self.too_much * 100 < self.most * figures.goodput {
            return Err(format!(
                "with too many callers {} were done, and {} at most",
                self.too_much, self.most
            ));
        }
        Ok(())
    }
}

fn calm_again(before: &Outcome, after: &Outcome, figures: Figures) -> Result<(), String> {
    let (times, more) = figures.calm;
    if after.refused > 0 || after.percentile(99) > before.percentile(99) * times + more {
        let [before, now] = [before, after].map(|calm| (calm.percentile(50), calm.percentile(99)));
        return Err(format!("it took {before:?} before, and {now:?} after; {} refused", after.refused));
    }
    Ok(())
}

/// Everything that was acknowledged is there, once, and nothing that was refused. How many were acknowledged.
fn hold(told: &[Told], found: &[u32]) -> Result<u64, String> {
    for (number, (told, found)) in told.iter().zip(found).enumerate() {
        if *found != u32::from(*told == Told::Done) {
            return Err(format!("of request {number} it said {told:?}, and it is there {found} times"));
        }
    }
    Ok(told.iter().filter(|told| **told == Told::Done).count() as u64)
}

/// How often the payment of each number is in the books, which are sound.
fn found(path: &Path, numbers: usize) -> Result<Vec<u32>, String> {
    let store = SqliteStore::open(path).map_err(words)?;
    block_on(verify(&store)).map_err(words)?;
    let mut found = vec![0; numbers];
    let mut position = Position::START;
    loop {
        let feed = block_on(store.feed(None, position, 1_000)).map_err(words)?;
        if feed.next == position {
            return Ok(found);
        }
        position = feed.next;
        for entry in &feed.entries {
            let Body::Created(created) = entry.event.body() else { continue };
            let id = created.terms.destination.id.as_str();
            let number = id.strip_prefix("inv-").and_then(|number| number.parse::<usize>().ok());
            let place = number.and_then(|number| found.get_mut(number));
            *place.ok_or_else(|| format!("nobody asked for what is paid with {id}"))? += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_or_too_much_is_found() {
        let told = [Told::Done, Told::Refused, Told::Nothing];
        assert_eq!(hold(&told, &[1, 0, 0]), Ok(1));
        for (found, what) in [
            ([0, 0, 0], "of request 0 it said Done, and it is there 0 times"),
            ([2, 0, 0], "of request 0 it said Done, and it is there 2 times"),
            ([1, 1, 0], "of request 1 it said Refused, and it is there 1 times"),
            ([1, 0, 1], "of request 2 it said Nothing, and it is there 1 times"),
        ] {
            assert_eq!(hold(&told, &found), Err(what.to_owned()));
        }
    }

    #[test]
    fn a_server_that_collapses_is_found() {
        let goodput = |too_much, figures| Done { most: 1_000, too_much }.goodput(figures);
        assert_eq!(goodput(900, IDLE), Ok(()));
        assert!(goodput(899, IDLE).unwrap_err().contains("899 were done, and 1000 at most"));
        assert_eq!(goodput(899, ANY), Ok(()), "a figure, and the machine's");
        assert!(goodput(99, ANY).is_err());
    }

    #[test]
    fn a_server_that_stays_slow_is_found() {
        let calm = |millis| Outcome { took: vec![Duration::from_millis(millis); 200], ..Outcome::default() };
        assert_eq!(calm_again(&calm(2), &calm(23), IDLE), Ok(()));
        assert!(calm_again(&calm(2), &calm(25), IDLE).is_err());
        let refused = Outcome { refused: 1, ..calm(2) };
        assert!(calm_again(&calm(2), &refused, ANY).is_err());
    }
}
