//! What a campaign is.

use std::collections::BTreeMap;

/// Faults of one kind.
#[derive(Debug)]
pub(crate) struct Campaign {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// How many cases are promised.
    pub(crate) full: u64,
    /// How many cases every build runs.
    pub(crate) slice: u64,
    /// Whether cases may run side by side, one per core.
    pub(crate) parallel: bool,
    /// Runs the case of this seed, the same each time, and says what it counted. It fails by an `Err` that
    /// says what was lost, or by a panic.
    pub(crate) case: fn(seed: u64) -> Result<Counts, String>,
}

impl Campaign {
    /// The command that runs it in full.
    pub(crate) fn command(&self) -> String {
        format!("cargo run --release -p counterfoil-testkit --bin torture -- {}", self.name)
    }

    /// Its line in the list.
    pub(crate) fn line(&self) -> String {
        format!("{:<14} {} ({} cases, {} in a slice)", self.name, self.about, self.full, self.slice)
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
