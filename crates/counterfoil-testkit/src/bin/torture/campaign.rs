//! What a campaign is.

use std::collections::BTreeMap;
use std::fmt;

use crate::run::Order;

/// Faults of one kind.
#[derive(Debug)]
pub(crate) struct Campaign {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// How many cases are promised.
    pub(crate) full: u64,
    /// Which cases a sitting runs, which is all campaigns within half an hour.
    pub(crate) sitting: Order,
    /// How many cases every build runs.
    pub(crate) slice: u64,
    /// Whether cases may run side by side, one per core.
    pub(crate) parallel: bool,
    /// What of a case its seed decides.
    pub(crate) repeats: Repeats,
    /// Where it is there to find something: the name by which that is counted, and that of what it is found among.
    pub(crate) finds: Option<(&'static str, &'static str)>,
    /// Runs the case of this seed, and says what it counted. It fails by an `Err` that says what was lost, or by a
    /// panic.
    pub(crate) case: fn(seed: u64) -> Result<Counts, String>,
}

/// What is the same when a case is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// All of it.
    Exactly,
    /// What is asked for and what goes wrong where. How threads and processes meet, and what SQLite draws at random, is
    /// left to chance, so what it found may take several tries.
    Choices,
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Repeats::Exactly => "repeat it",
            Repeats::Choices => "try the same choices again, the rest of it is chance",
        })
    }
}

impl Campaign {
    /// The command that runs it in full.
    pub(crate) fn command(&self) -> String {
        format!("cargo run --release -p counterfoil-testkit --bin torture -- {}", self.name)
    }

    /// Its line in the list.
    pub(crate) fn line(&self) -> String {
        let Campaign { name, about, full, sitting, slice, .. } = self;
        let repeats = if self.repeats == Repeats::Exactly { "; a case repeats exactly" } else { "" };
        format!(
            "{name:<14} {about} ({full} cases, {} in a sitting, {slice} in a slice{repeats})",
            sitting.count
        )
    }

    /// What it found, of so many things that it counted.
    pub(crate) fn found(&self, counts: &Counts) -> String {
        self.finds.map_or_else(
            || "0".to_owned(),
            |(found, among)| format!("{} of {} {among}", counts.of(found), counts.of(among)),
        )
    }
}

/// What was counted, by name: `"acknowledged"`, `"kills"`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// So many more of these.
    pub(crate) fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }

    /// These too.
    pub(crate) fn add_all(&mut self, others: &Counts) {
        others.iter().for_each(|(what, count)| self.add(what, count));
    }

    /// How many of these.
    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, count)| (*what, *count))
    }
}

impl<const N: usize> From<[(&'static str, u64); N]> for Counts {
    fn from(counts: [(&'static str, u64); N]) -> Counts {
        Counts(counts.into())
    }
}
