//! What the program says: answers on stdout, complaints on stderr. Never panics, whoever has stopped reading.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::error::Error;

/// Writes `text` to stdout, at once. A reader that went away wants no more, and that is no failure.
pub(crate) fn print(text: impl Display) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::because("cannot write to stdout", &error))
        }
        _ => Ok(()),
    }
}

/// Writes one line to stderr, as in `warning: …`. If that cannot be done, there is nobody left to tell.
pub(crate) fn complain(label: &str, sentence: impl Display) {
    let _ = writeln!(io::stderr(), "{label}: {sentence}");
}
