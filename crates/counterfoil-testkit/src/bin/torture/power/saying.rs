//! What the recorded process says, so that the recording shows when it did.

use std::fmt;
use std::str::FromStr;

/// Whose books are written.
pub(super) const TENANTS: [&str; 3] = ["one", "two", "three"];

/// What the process says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saying {
    /// The file is open, and so many events could be read.
    Opened(usize),
    /// A command was acknowledged: this event stands for it.
    Done { tenant: String, stream: String, sequence: u64 },
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Saying::Opened(events) => write!(f, "opened {events}"),
            Saying::Done { tenant, stream, sequence } => write!(f, "done {tenant} {sequence} {stream}"),
        }
    }
}

impl FromStr for Saying {
    type Err = String;

    fn from_str(line: &str) -> Result<Saying, String> {
        let words: Vec<&str> = line.trim_end().splitn(4, ' ').collect();
        let number = |word: &str| word.parse::<u64>().map_err(|_| format!("no number: {line}"));
        match words[..] {
            ["opened", events] => Ok(Saying::Opened(number(events)?.try_into().map_err(|_| "too many")?)),
            ["done", tenant, sequence, stream] => Ok(Saying::Done {
                tenant: tenant.to_owned(),
                stream: stream.to_owned(),
                sequence: number(sequence)?,
            }),
            _ => Err(format!("nobody says: {line}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_back() {
        let stream = "account wallet:w".to_owned();
        for saying in [Saying::Opened(7), Saying::Done { tenant: "one".to_owned(), stream, sequence: 3 }] {
            assert_eq!(saying.to_string().parse(), Ok(saying));
        }
        assert!("done".parse::<Saying>().is_err());
    }
}
