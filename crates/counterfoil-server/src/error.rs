//! Why the program could not do what it was asked to.

use std::fmt;

/// One sentence for a person, on one line.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    /// The sentence as it is.
    pub(crate) fn new(sentence: impl fmt::Display) -> Error {
        // What a cause says may have line breaks; whoever reads a log expects one line.
        Error(sentence.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// What went wrong, then its cause, then the cause of that.
    pub(crate) fn because(what: impl fmt::Display, cause: &dyn std::error::Error) -> Error {
        let mut sentence = what.to_string();
        let mut next = Some(cause);
        while let Some(cause) = next {
            sentence.push_str(": ");
            sentence.push_str(&cause.to_string());
            next = cause.source();
        }
        Error::new(sentence)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use counterfoil::store::{StoreError, StoreErrorKind};

    use super::*;

    #[test]
    fn an_error_is_one_line_with_all_its_causes() {
        let cause = StoreError::new(StoreErrorKind::Busy, "locking the file")
            .caused_by(std::io::Error::other("line one\nline two"));
        let error = Error::because("cannot open it", &cause);
        assert_eq!(
            error.to_string(),
            "cannot open it: while locking the file: somebody else holds it: line one line two"
        );
    }
}
