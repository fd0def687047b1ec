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

    /// What went wrong, then its cause, then the cause of that. What a cause only repeats is left out.
    pub(crate) fn because(what: impl fmt::Display, cause: &dyn std::error::Error) -> Error {
        let mut said = vec![what.to_string()];
        let mut next = Some(cause);
        while let Some(cause) = next {
            let words = cause.to_string();
            let news: Vec<String> = words
                .split(": ")
                .filter(|part| !said.iter().any(|old| old == part))
                .map(str::to_owned)
                .collect();
            said.extend(news);
            next = cause.source();
        }
        Error::new(said.join(": "))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use counterfoil::store::{ExecuteError, StoreError, StoreErrorKind};

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

    #[test]
    fn what_a_store_failed_of_is_said_once() {
        let closed =
            StoreError::new(StoreErrorKind::Closed, "reading").caused_by(std::io::Error::other("gone"));
        let error = ExecuteError::NotCommitted(closed);
        assert_eq!(error.to_string(), "nothing was written: while reading: the store is closed");
        let expected = "it was not done: nothing was written: while reading: the store is closed: gone";
        assert_eq!(Error::because("it was not done", &error).to_string(), expected);
    }

    #[test]
    fn what_a_cause_repeats_is_said_once() {
        let busy = |during| StoreError::new(StoreErrorKind::Busy, during);
        let error = Error::because("cannot open it", &busy("locking the file").caused_by(busy("asking")));
        let expected = "cannot open it: while locking the file: somebody else holds it: while asking";
        assert_eq!(error.to_string(), expected);
    }
}
