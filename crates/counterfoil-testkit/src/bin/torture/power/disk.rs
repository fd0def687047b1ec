//! A folder as a disk has it while files in it are written: what is certain, and what is not yet.

use std::collections::BTreeMap;

use super::image::{Fate, settle};
use super::saying::Saying;
use crate::dice::Dice;
use crate::folder::Files;

/// A file, whatever it is called by now: its place among all that ever were.
pub(super) type FileId = usize;

/// A change of a file.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Bytes were written there.
    Write(usize, Vec<u8>),
    /// It was cut, or made longer.
    Length(usize),
}

/// A change of the folder.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    /// A new file has this name.
    New(String, FileId),
    /// Nothing has this name any more.
    Gone(String),
}

/// What happened, in order.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A file was changed.
    Changed(FileId, Change),
    /// So many of the file's changes, counted from its first, are on the disk for certain.
    Synced(FileId, usize),
    /// The folder was changed.
    Named(Naming),
    /// So many of the folder's changes are on the disk for certain.
    NamesSynced(usize),
    /// The process said this.
    Said(String),
}

impl Step {
    /// Whether the process said that it had opened the file.
    pub(super) fn is_opening(&self) -> bool {
        let said = match self {
            Step::Said(line) => line.parse().ok(),
            _ => None,
        };
        matches!(said, Some(Saying::Opened(_)))
    }
}

/// What is on the disk for certain, and what is on its way there.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk<'a> {
    files: Vec<File<'a>>,
    names: BTreeMap<&'a str, FileId>,
    naming: Vec<&'a Naming>,
    named: usize,
}

#[derive(Debug, Clone, Default)]
struct File<'a> {
    certain: Vec<u8>,
    /// What was changed since.
    pending: Vec<&'a Change>,
    /// How many changes are in what is certain.
    synced: usize,
}

impl<'a> Disk<'a> {
    /// A disk with these files on it, numbered in the order of their names.
    pub(super) fn new(files: &'a Files) -> Disk<'a> {
        let names = files.keys().enumerate().map(|(id, name)| (name.as_str(), id)).collect();
        let certain = |bytes: &Vec<u8>| File { certain: bytes.clone(), ..File::default() };
        Disk { files: files.values().map(certain).collect(), names, ..Disk::default() }
    }

    /// What comes next happens.
    pub(super) fn step(&mut self, step: &'a Step) {
        match step {
            Step::Changed(id, change) => self.files[*id].pending.push(change),
            Step::Synced(id, upto) => self.files[*id].sync(*upto),
            Step::Named(naming) => {
                if let Naming::New(_, id) = naming {
                    self.files.resize_with(self.files.len().max(id + 1), File::default);
                }
                self.naming.push(naming);
            }
            Step::NamesSynced(upto) => {
                for naming in self.naming.drain(..upto.saturating_sub(self.named)) {
                    self.named += 1;
                    apply_naming(&mut self.names, naming);
                }
            }
            Step::Said(_) => {}
        }
    }

    /// What a running system sees.
    pub(super) fn whole(&self) -> Files {
        let mut names = self.names.clone();
        self.naming.iter().for_each(|naming| apply_naming(&mut names, naming));
        self.contents(&names, |file| settle(&file.certain, &file.pending, &Fate::All))
    }

    /// What the disk could hold after the power went now.
    pub(super) fn image(&self, dice: &mut Dice) -> Files {
        let names = self.some_names(dice);
        self.contents(&names, |file| {
            let fate = Fate::any(dice, file.pending.len());
            settle(&file.certain, &file.pending, &fate)
        })
    }

    fn contents(&self, names: &BTreeMap<&str, FileId>, mut of: impl FnMut(&File<'_>) -> Vec<u8>) -> Files {
        names.iter().map(|(name, id)| ((*name).to_owned(), of(&self.files[*id]))).collect()
    }

    /// Names change in the order in which they were changed, or each by itself.
    fn some_names(&self, dice: &mut Dice) -> BTreeMap<&'a str, FileId> {
        let mut names = self.names.clone();
        if dice.one_in(2) {
            let upto = dice.below(self.naming.len() + 1);
            self.naming[..upto].iter().for_each(|naming| apply_naming(&mut names, naming));
            return names;
        }
        let mut by_name: BTreeMap<&str, Vec<&'a Naming>> = BTreeMap::new();
        for naming in &self.naming {
            let (Naming::New(name, _) | Naming::Gone(name)) = naming;
            by_name.entry(name).or_default().push(naming);
        }
        for namings in by_name.values() {
            let upto = dice.below(namings.len() + 1);
            namings[..upto].iter().for_each(|naming| apply_naming(&mut names, naming));
        }
        names
    }
}

fn apply_naming<'a>(names: &mut BTreeMap<&'a str, FileId>, naming: &'a Naming) {
    match naming {
        Naming::New(name, id) => drop(names.insert(name, *id)),
        Naming::Gone(name) => drop(names.remove(name.as_str())),
    }
}

impl File<'_> {
    fn sync(&mut self, upto: usize) {
        let count = upto.saturating_sub(self.synced);
        self.certain = settle(&self.certain, &self.pending[..count], &Fate::All);
        self.pending.drain(..count);
        self.synced += count;
    }
}
