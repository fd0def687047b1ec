//! The power goes at any moment, and the disk holds what it may hold then.
//!
//! A process that writes is recorded with strace: every change of a file or its name, every sync, and when it
//! acknowledged what. From that the disk is rebuilt as it could be at any moment: what was synced is there; of the
//! rest nothing, a part, or pieces, whole or torn, in each file for itself. The store must open such a disk and find
//! what was acknowledged, whole commands, and nothing else (INVARIANTS 35 and 41).
//!
//! Recorded are also processes that go on with what another one left behind: where the power went, and where it was
//! killed, so that what it wrote is seen though it was never synced. So recovering is interrupted like all the rest.
//!
//! A recording counts only if it leads to the files that are there, byte for byte. What it cannot say, which is what
//! was done of a call that the end of the process cut off, the files say.

mod check;
mod cut;
mod differ;
mod disk;
mod image;
mod record;
mod run;
mod saying;
mod trace;
mod worker;

use std::path::Path;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::dice::Dice;
use crate::folder::{self, Files};
use crate::run::Order;
use check::Bad;
use run::Run;

pub(crate) use worker::work;

/// How many images a case looks at.
const IMAGES: usize = 250;
/// One of so many images is verified from its first event to its last, and written to.
const THOROUGHLY: usize = 16;
/// How many cases share a recording.
const CASES: u64 = 16;
/// Cases take turns with so many recordings, so that they are made side by side and no thread waits for another's.
const TURNS: u64 = 2;
/// How many images had lost what was acknowledged.
const LOST: &str = "images with a loss";

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "power",
    about: "the power goes: disks rebuilt from a recording hold all that was acknowledged",
    full: 4_000,
    sitting: Order::first(410),
    slice: 48,
    parallel: true,
    repeats: Repeats::Choices,
    finds: None,
    case: |seed| case(seed, Synchronous::Full),
};

pub(crate) const NORMAL: Campaign = Campaign {
    name: "power-normal",
    about: "the same at synchronous=NORMAL: fails unless what was acknowledged is found to be lost",
    full: 40,
    sitting: Order::first(40),
    slice: 2,
    parallel: true,
    repeats: Repeats::Choices,
    finds: Some((LOST, "images")),
    case: |seed| case(seed, Synchronous::Normal),
};

/// When the recorded process syncs its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Synchronous {
    /// With every commit.
    Full,
    /// Seldom. Nothing becomes wrong by it, but the last commits can be lost.
    Normal,
}

impl Synchronous {
    const fn word(self) -> &'static str {
        match self {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        }
    }
}

fn case(seed: u64, synchronous: Synchronous) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let mut dice = Dice::new(seed);
    let runs = run::recorded(recording(seed), synchronous)?;
    let run = &runs[dice.below(runs.len())];
    let folder = folder::make()?;
    let mut moments: Vec<usize> = (0..IMAGES).map(|_| run.moment(&mut dice)).collect();
    moments.sort_unstable();
    let (mut disk, mut done) = (run.disk(0), 0);
    for moment in moments {
        for step in &run.steps[done..moment] {
            disk.step(step);
        }
        done = moment;
        let image = disk.image(&mut dice);
        let looked = look(run, moment, &image, folder.path(), dice.one_in(THOROUGHLY), synchronous);
        counts.add_all(&looked.map_err(|what| kept(&image, run, moment, &what))?);
    }
    let lost = counts.iter().any(|(what, _)| what == LOST);
    if synchronous == Synchronous::Normal && !lost {
        return Err("nothing was lost, so this campaign finds nothing".to_owned());
    }
    Ok(counts)
}

/// Which recording a case looks at. The first case has the number 1.
fn recording(seed: u64) -> u64 {
    let before = seed.saturating_sub(1);
    before / (CASES * TURNS) * TURNS + before % TURNS
}

/// Opens one image.
fn look(
    run: &Run,
    moment: usize,
    image: &Files,
    folder: &Path,
    thoroughly: bool,
    synchronous: Synchronous,
) -> Result<Counts, String> {
    let file = folder.join("books.db");
    let acknowledged = run.acknowledged[moment];
    folder::put(folder, image)?;
    match run.journal.check(&file, acknowledged, thoroughly) {
        Ok(there) => Ok([
            ("images", 1),
            ("thoroughly", u64::from(thoroughly)),
            ("acknowledged", number(acknowledged)),
            ("in doubt and there", number(there - acknowledged)),
        ]
        .into()),
        Err(Bad::Lost(_)) if synchronous == Synchronous::Normal => {
            // What is there must be good all the same.
            folder::put(folder, image)?;
            let good = run.journal.check(&file, 0, true);
            good.map(|_| [("images", 1), (LOST, 1)].into()).map_err(Bad::words)
        }
        Err(bad) => Err(bad.words()),
    }
}

/// Says what is wrong, and keeps the image: no process writes the same to the byte twice.
fn kept(image: &Files, run: &Run, moment: usize, what: &str) -> String {
    let place = folder::keep(image).unwrap_or_else(|error| format!("nowhere ({error})"));
    format!("after step {moment} of {}: {what}; the image is kept in {place}", run.steps.len())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a count")
}
