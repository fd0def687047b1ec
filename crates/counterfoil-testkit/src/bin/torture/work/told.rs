//! What a writer was told, as a line that its parent can read.

use std::fmt;
use std::str::FromStr;

use counterfoil::command::Receipt;
use counterfoil::store::{ExecuteError, StoreErrorKind};

use super::Op;

/// Where an event stands, as a receipt names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
}

/// What was said about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It was asked for; the answer comes next, if it comes.
    Asked,
    /// It took effect.
    Wrote(Place),
    /// It had done so before, or changes nothing.
    Repeated(Place),
    /// No.
    Refused,
    /// The store could not, and nothing was written.
    NotCommitted(String),
    /// Nobody knows.
    Unknown(String),
}

/// Something said about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) op: Op,
    pub(crate) said: Said,
}

impl Said {
    pub(crate) fn of(answer: &Result<Receipt, ExecuteError>) -> Said {
        match answer {
            Ok(receipt) => {
                let place = Place { stream: receipt.stream.to_string(), sequence: receipt.sequence };
                if receipt.replayed { Said::Repeated(place) } else { Said::Wrote(place) }
            }
            Err(ExecuteError::Rejected(_)) => Said::Refused,
            Err(ExecuteError::NotCommitted(error)) => Said::NotCommitted(word(error.kind())),
            Err(ExecuteError::Unknown(error)) => Said::Unknown(word(error.kind())),
        }
    }
}

/// A kind of failure in a word.
pub(crate) fn word(kind: StoreErrorKind) -> String {
    format!("{kind:?}")
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.op;
        match &self.said {
            Said::Asked => write!(f, "asked {op}"),
            Said::Wrote(place) => write!(f, "wrote {op} {} {}", place.sequence, place.stream),
            Said::Repeated(place) => write!(f, "repeated {op} {} {}", place.sequence, place.stream),
            Said::Refused => write!(f, "refused {op}"),
            Said::NotCommitted(kind) => write!(f, "not-committed {op} {kind}"),
            Said::Unknown(kind) => write!(f, "unknown {op} {kind}"),
        }
    }
}

impl FromStr for Told {
    type Err = String;

    fn from_str(line: &str) -> Result<Told, String> {
        let bad = || format!("a child said {line:?}");
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let place = |sequence: &str, stream: &str| {
            let sequence = sequence.parse().map_err(|_| bad())?;
            Ok::<_, String>(Place { stream: stream.to_owned(), sequence })
        };
        let (op, said) = match words[..] {
            ["asked", op] => (op, Said::Asked),
            ["wrote", op, sequence, stream] => (op, Said::Wrote(place(sequence, stream)?)),
            ["repeated", op, sequence, stream] => (op, Said::Repeated(place(sequence, stream)?)),
            ["refused", op] => (op, Said::Refused),
            ["not-committed", op, kind] => (op, Said::NotCommitted(kind.to_owned())),
            ["unknown", op, kind] => (op, Said::Unknown(kind.to_owned())),
            _ => return Err(bad()),
        };
        Ok(Told { op: op.parse()?, said })
    }
}
