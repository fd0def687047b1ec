//! What happened to a child, held against the contract.

use std::str::FromStr;

use super::plan::Class;
use crate::work::{Said, Told};

/// Something that happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    /// The child said what it was told.
    Told(Told),
    /// The child has opened the file.
    Opened,
    /// It could not, for a reason of this kind.
    NotOpened(String),
    /// It has read from the books.
    Read,
    /// It could not, for a reason of this kind.
    Unread(String),
    /// What was in the way was taken away.
    Relieved,
    /// It took longer than it may until the store went on.
    Late(String),
    /// A call went as calls go.
    Call { name: String, file: String },
    /// A call failed, on purpose.
    Fault { name: String, file: String },
}

impl FromStr for Happened {
    type Err = String;

    fn from_str(line: &str) -> Result<Happened, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match word {
            "opened" => Happened::Opened,
            "not-opened" => Happened::NotOpened(rest.to_owned()),
            "read" => Happened::Read,
            "unread" => Happened::Unread(rest.to_owned()),
            "relieved" => Happened::Relieved,
            "late" => Happened::Late(rest.to_owned()),
            _ => Happened::Told(line.parse()?),
        })
    }
}

/// What is counted of it.
pub(super) fn count(happened: &[Happened]) -> [(&'static str, u64); 5] {
    let count = |what: fn(&Said) -> bool| {
        happened.iter().filter(|one| matches!(one, Happened::Told(told) if what(&told.said))).count() as u64
    };
    [
        ("acknowledged", count(|said| matches!(said, Said::Wrote(_)))),
        ("not committed", count(|said| matches!(said, Said::NotCommitted(kind) if kind != POISONED))),
        (
            "answered that it is poisoned",
            count(|said| matches!(said, Said::NotCommitted(kind) if kind == POISONED)),
        ),
        ("unknown", count(|said| matches!(said, Said::Unknown(_)))),
        (
            "could not be opened at first",
            happened.iter().filter(|one| matches!(one, Happened::NotOpened(_))).count() as u64,
        ),
    ]
}

const POISONED: &str = "Poisoned";

/// How the store stands, as far as one can tell from outside.
#[derive(Debug)]
struct Judge {
    class: Class,
    /// So many commands are under way.
    asked: u64,
    /// A fault after which no more may be taken came while some were.
    must_stop: bool,
    /// It did, or must have by now.
    stopped: bool,
    /// The folder was not synced when it should have been.
    folder_unsynced: bool,
    faults: u64,
    /// So many came while what is under way was.
    fresh: u64,
    /// So often opening or reading failed.
    failed: u64,
}

/// Returns what was told, if all of it may be said.
pub(super) fn judge(class: Class, happened: &[Happened]) -> Result<Vec<Told>, String> {
    let mut judge = Judge::new(class);
    let mut told = Vec::new();
    for (place, one) in happened.iter().enumerate() {
        judge
            .see(one)
            .map_err(|what| format!("{what}\n{:#?}", &happened[place.saturating_sub(12)..=place]))?;
        if let Happened::Told(one) = one {
            told.push(one.clone());
        }
    }
    Ok(told)
}

impl Judge {
    const fn new(class: Class) -> Judge {
        let (asked, faults, fresh, failed) = (0, 0, 0, 0);
        let (must_stop, stopped, folder_unsynced) = (false, false, false);
        Judge { class, asked, must_stop, stopped, folder_unsynced, faults, fresh, failed }
    }

    fn see(&mut self, happened: &Happened) -> Result<(), String> {
        match happened {
            Happened::Told(Told { said: Said::Asked, .. }) => {
                if self.asked == 0 {
                    self.fresh = 0;
                }
                self.asked += 1;
            }
            Happened::Told(told) => return self.answered(&told.said),
            Happened::Opened => (self.stopped, self.must_stop) = (false, false),
            Happened::NotOpened(_) | Happened::Unread(_) => self.failed += 1,
            // Nothing is in the way any more.
            Happened::Relieved => self.class = Class::Waits,
            Happened::Late(what) => return Err(format!("it took {what} ms to go on")),
            Happened::Call { name, file } if name == "fsync" && file.is_empty() => {
                self.folder_unsynced = false;
            }
            Happened::Fault { name, file } => self.fault(name, file),
            _ => {}
        }
        let reasons = if self.class == Class::Waits { 0 } else { self.faults };
        if self.failed > reasons { Err("this fails for no reason".to_owned()) } else { Ok(()) }
    }

    fn fault(&mut self, name: &str, file: &str) {
        self.faults += 1;
        self.fresh += 1;
        let is_folder = name == "fsync" && file.is_empty();
        self.folder_unsynced |= is_folder && self.class != Class::Waits;
        self.must_stop |= self.asked > 0 && self.class == Class::Poisons && !is_folder;
    }

    fn answered(&mut self, said: &Said) -> Result<(), String> {
        self.asked = self.asked.saturating_sub(1);
        let poisoned = matches!(said, Said::NotCommitted(kind) if kind == POISONED);
        if self.stopped && !poisoned {
            return Err("it takes commands, and was not opened again".to_owned());
        }
        match said {
            Said::NotCommitted(kind) | Said::Unknown(kind) => self.failed(kind)?,
            Said::Wrote(_) if self.folder_unsynced => {
                return Err("it acknowledges, and its folder was never synced".to_owned());
            }
            _ => {}
        }
        // Those under way may have good answers: the log is shortened after a commit, and before they are out.
        self.stopped |= (self.must_stop && self.asked == 0) || poisoned;
        Ok(())
    }

    /// Whether this kind of failure may be, with this fault. Each answer that is one has a fault of its own: at the next
    /// try it goes on.
    fn failed(&self, kind: &str) -> Result<(), String> {
        let is_of_disk = ["Io", "Full"].contains(&kind);
        let may_be = match self.class {
            Class::Waits => false,
            Class::NoSpace => is_of_disk,
            Class::GoesOn => is_of_disk && self.fresh > 0,
            Class::Poisons | Class::Either => {
                (kind == POISONED && self.faults > 0) || (is_of_disk && self.fresh > 0)
            }
        };
        if may_be { Ok(()) } else { Err(format!("{kind} is not what this fault comes to")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a letter each: `?` a command, and its answers `w` wrote, `n` not committed, `u` unknown, `p` poisoned; `f` a fault
    /// at a sync of the log, `d` at one of the folder, `s` a good one of that; `o` opened, `r` refused to open,
    /// `b` space is back.
    fn holds(class: Class, course: &str) -> bool {
        let call = |file: &str| ("fsync".to_owned(), file.to_owned());
        let told = |said: &str| Happened::Told(said.parse().unwrap());
        let one = |letter| match letter {
            '?' => told("asked 0-0"),
            'w' => told("wrote 0-0 1 wallet:w"),
            'n' => told("not-committed 0-0 Io"),
            'u' => told("unknown 0-0 Io"),
            'p' => told("not-committed 0-0 Poisoned"),
            'o' => Happened::Opened,
            'r' => Happened::NotOpened("Io".to_owned()),
            'b' => Happened::Relieved,
            's' => Happened::Call { name: call("").0, file: call("").1 },
            'f' => Happened::Fault { name: call("-wal").0, file: call("-wal").1 },
            'd' => Happened::Fault { name: call("").0, file: call("").1 },
            other => panic!("{other}"),
        };
        let happened: Vec<Happened> = course.chars().map(one).collect();
        judge(class, &happened).is_ok()
    }

    #[test]
    fn a_failed_sync_stops_it_until_it_is_opened_again() {
        for good in ["?fu?p?po?w", "?fn?po?w", "?fw?po?w", "ro?w", "???fuuu?po?w", "ds?w"] {
            assert!(holds(Class::Poisons, &format!("f{good}")), "{good}");
        }
        for bad in ["?fu?w", "?fn?n", "?fw?w", "?fu?p?w", "?p?w", "do?w"] {
            assert!(!holds(Class::Poisons, bad), "{bad}");
        }
    }

    #[test]
    fn a_failed_write_does_not_stop_it() {
        for good in ["?fn?w", "?fu?fn?w", "?fw?w"] {
            assert!(holds(Class::GoesOn, good), "{good}");
        }
        for bad in ["?fn?p", "?n?w", "?fn?n?w", "frro?w"] {
            assert!(!holds(Class::GoesOn, bad), "{bad}");
        }
    }

    #[test]
    fn space_that_is_back_is_used() {
        assert!(holds(Class::NoSpace, "?w?u?n?nb?w?w"));
        for bad in ["?n?pb?w", "?nb?n?w", "?nr?nb?w"] {
            assert!(!holds(Class::NoSpace, bad), "{bad}");
        }
    }

    #[test]
    fn what_takes_long_is_no_failure() {
        assert!(holds(Class::Waits, "f?fw?w"));
        assert!(!holds(Class::Waits, "?fn?w"));
        assert!(!holds(Class::Waits, "fro?w"));
    }
}
