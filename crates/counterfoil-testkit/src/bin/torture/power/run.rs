//! What a process did, and how it stands behind one that went before.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::check::Journal;
use super::cut::{self, Cut};
use super::disk::{Disk, Step};
use super::{Synchronous, differ, record};
use crate::dice::Dice;
use crate::folder::{self, Files};

/// How many steps behind its opening a file is looked at often.
const AROUND: usize = 32;

/// What a process did to a folder, and perhaps one before it that was killed.
#[derive(Debug)]
pub(super) struct Run {
    before: Files,
    pub(super) steps: Vec<Step>,
    /// Where the last process began.
    began: usize,
    /// Where it had opened the file.
    opened: Vec<usize>,
    pub(super) journal: Journal,
    /// How many events must be there after so many steps.
    pub(super) acknowledged: Vec<usize>,
}

/// How the last run ended with which the next one goes on.
struct Left {
    before: Files,
    steps: Vec<Step>,
    /// How many events were acknowledged before all of these steps.
    floor: usize,
}

type Runs = Arc<[Run; 3]>;

/// Where the runs of a number come to be: who needs them first records them, and the others wait for that.
type Place = Arc<OnceLock<Result<Runs, String>>>;

/// For how many numbers they are kept: for those with which cases take turns, and as many that come after them.
const KEPT: usize = 4;

/// A run on an empty folder, one where the power went while it ran, and one where it was killed. The last ones are
/// kept, since the next cases use them too.
pub(super) fn recorded(number: u64, synchronous: Synchronous) -> Result<Runs, String> {
    place(number, synchronous).get_or_init(|| three(number, synchronous)).clone()
}

fn place(number: u64, synchronous: Synchronous) -> Place {
    static KNOWN: Mutex<Vec<(u64, Synchronous, Place)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., place)) = known.iter().find(|other| (other.0, other.1) == (number, synchronous)) {
        return place.clone();
    }
    if known.len() == KEPT {
        known.remove(0);
    }
    let place = Place::default();
    known.push((number, synchronous, place.clone()));
    place
}

fn three(number: u64, synchronous: Synchronous) -> Result<Runs, String> {
    let mut dice = Dice::new(number);
    let empty = Left { before: Files::new(), steps: Vec::new(), floor: 0 };
    let first = Run::record(number, 0, synchronous, empty)?;
    let power = Run::record(number, 1, synchronous, first.without_power(synchronous, &mut dice))?;
    let kill = Run::record(number, 2, synchronous, first.killed(&mut dice))?;
    Ok(Arc::new([first, power, kill]))
}

impl Run {
    fn record(number: u64, generation: u8, synchronous: Synchronous, left: Left) -> Result<Run, String> {
        let Left { before, mut steps, floor } = left;
        let began = steps.len();
        let folder = folder::make()?;
        folder::put(folder.path(), &at(&before, &steps).whole())?;
        let path = folder.path().to_str().ok_or_else(|| "a folder with a name that is no text".to_owned())?;
        let args = [path, &number.to_string(), &generation.to_string(), synchronous.word()];
        let recorded = record::record(folder.path(), &before, &steps, &args)?;
        steps.extend(recorded.steps);
        let behind = |cut: Cut| Cut { place: began + cut.place, ..cut };
        let cut: Vec<Cut> = recorded.cut.into_iter().map(behind).collect();
        let found = folder::found(folder.path())?;
        if !cut::settle(&before, &mut steps, &cut, &found) {
            return Err(differ::explain(&before, &steps, &cut, &found, &recorded.log));
        }
        let journal = Journal::read(&folder.path().join("books.db"))?;
        let acknowledged = journal.acknowledged(&steps, floor)?;
        let opened = (began..steps.len()).filter(|place| steps[*place].is_opening()).collect();
        Ok(Run { before, steps, began, opened, journal, acknowledged })
    }

    /// The disk after so many steps.
    pub(super) fn disk(&self, steps: usize) -> Disk<'_> {
        at(&self.before, &self.steps[..steps])
    }

    /// A moment while the last process ran; often one just after it had opened the file, which is when it relies on
    /// what others left there.
    pub(super) fn moment(&self, dice: &mut Dice) -> usize {
        let moment = match self.opened[..] {
            [_, ..] if dice.one_in(4) => dice.of(&self.opened) + dice.below(AROUND),
            _ => self.began + dice.below(self.steps.len() - self.began + 1),
        };
        moment.min(self.steps.len())
    }

    /// What is left when the power goes in the second half.
    fn without_power(&self, synchronous: Synchronous, dice: &mut Dice) -> Left {
        let moment = self.steps.len() / 2 + dice.below(self.steps.len() / 2);
        let floor = match synchronous {
            Synchronous::Full => self.acknowledged[moment],
            Synchronous::Normal => 0,
        };
        Left { before: self.disk(moment).image(dice), steps: Vec::new(), floor }
    }

    /// What is left when the process is killed: everything, but not everything is on the disk. Best between the last
    /// write of a commit and its sync.
    fn killed(&self, dice: &mut Dice) -> Left {
        let told =
            |place: usize| self.acknowledged[place] < self.acknowledged[self.steps.len().min(place + 3)];
        let commits = |place: &usize| matches!(self.steps[*place], Step::Synced(..)) && told(*place);
        let commits: Vec<usize> = (self.steps.len() / 2..self.steps.len()).filter(commits).collect();
        let moment = if commits.is_empty() { self.steps.len() } else { dice.of(&commits) };
        Left { before: self.before.clone(), steps: self.steps[..moment].to_vec(), floor: 0 }
    }
}

/// The disk on which all of these steps were done.
pub(super) fn at<'a>(before: &'a Files, steps: &'a [Step]) -> Disk<'a> {
    let mut disk = Disk::new(before);
    for step in steps {
        disk.step(step);
    }
    disk
}
