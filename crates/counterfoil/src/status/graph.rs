//! What a status graph is.

use std::fmt;

/// Why a status moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Somebody asked for it.
    Command = 1,
    /// A gateway said so, in its answer or later.
    Evidence = 2,
    /// A time passed.
    Clock = 4,
    /// An operator decided so. It replaces evidence, so it may do what evidence may.
    Resolution = 8,
}

impl Cause {
    /// Its one name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Command => "command",
            Cause::Evidence => "evidence",
            Cause::Clock => "clock",
            Cause::Resolution => "resolution",
        }
    }

    const fn letter(self) -> char {
        match self {
            Cause::Command => 'C',
            Cause::Evidence => 'E',
            Cause::Clock => 'T',
            Cause::Resolution => 'R',
        }
    }
}

impl serde::Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// A set of causes; written as their letters: C a command, E evidence, T the clock, R an
/// operator's resolution beyond what evidence may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Causes(u8);

impl Causes {
    pub(super) const C: Causes = Causes(Cause::Command as u8);
    pub(super) const E: Causes = Causes(Cause::Evidence as u8);
    pub(super) const T: Causes = Causes(Cause::Clock as u8);
    pub(super) const R: Causes = Causes(Cause::Resolution as u8);
    pub(super) const CE: Causes = Causes(Causes::C.0 | Causes::E.0);
    pub(super) const CT: Causes = Causes(Causes::C.0 | Causes::T.0);
    pub(super) const ET: Causes = Causes(Causes::E.0 | Causes::T.0);
    pub(super) const CET: Causes = Causes(Causes::C.0 | Causes::E.0 | Causes::T.0);

    /// Whether `cause` is one of them.
    #[must_use]
    pub const fn contains(self, cause: Cause) -> bool {
        let replaces = matches!(cause, Cause::Resolution) && self.0 & Cause::Evidence as u8 != 0;
        self.0 & cause as u8 != 0 || replaces
    }

    /// Whether only evidence can do it: such edges are drawn dashed.
    #[must_use]
    pub const fn only_evidence(self) -> bool {
        self.0 & !Causes::R.0 == Causes::E.0
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        [Cause::Command, Cause::Evidence, Cause::Clock, Cause::Resolution]
            .into_iter()
            .filter(|cause| self.0 & *cause as u8 != 0)
            .try_for_each(|cause| write!(f, "{}", cause.letter()))
    }
}

impl fmt::Debug for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A legal move. Staying in a status is no move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<S> {
    /// Where from; `None` is the start.
    pub from: Option<S>,
    /// Where to.
    pub to: S,
    /// What may cause it.
    pub causes: Causes,
}

/// A table row: from, to several, by what.
pub(super) type Row<S> = (Option<S>, &'static [S], Causes);

/// A status graph: the edges that exist; whatever is not among them is illegal.
#[derive(Debug, Clone, Copy)]
pub struct Graph<S: 'static> {
    /// What moves along it, as in "payment".
    pub name: &'static str,
    pub(super) rows: &'static [Row<S>],
    pub(super) nodes: &'static [S],
}

impl<S: Copy + Eq + fmt::Display> Graph<S> {
    /// Every edge once, with all of its causes, in the order of the table.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge<S>> {
        let mut edges: Vec<Edge<S>> = Vec::new();
        for &(from, to, causes) in self.rows {
            for &to in to {
                match edges.iter_mut().find(|edge| edge.from == from && edge.to == to) {
                    Some(edge) => edge.causes = Causes(edge.causes.0 | causes.0),
                    None => edges.push(Edge { from, to, causes }),
                }
            }
        }
        edges
    }

    /// Every status.
    #[must_use]
    pub const fn nodes(&self) -> &'static [S] {
        self.nodes
    }

    /// Whether `cause` may move something from `from` to `to`. Staying is always allowed.
    #[must_use]
    pub fn allows(&self, from: Option<S>, to: S, cause: Cause) -> bool {
        let leads = |row: &Row<S>| row.0 == from && row.1.contains(&to) && row.2.contains(cause);
        from == Some(to) || self.rows.iter().any(leads)
    }

    /// Where `cause` may move something that is in `from`.
    pub fn next(&self, from: Option<S>, cause: Cause) -> impl Iterator<Item = S> {
        let rows = self.rows.iter().filter(move |row| row.0 == from && row.2.contains(cause));
        rows.flat_map(|row| row.1.iter().copied())
    }
}
