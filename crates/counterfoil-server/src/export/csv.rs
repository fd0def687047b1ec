//! One line per posting, for spreadsheets and databases (RFC 4180, but with lines that end as those of a text).
//!
//! Signs are ours: positive is what the account holds more.

use std::io::Write;

use counterfoil::store::Entry;

use super::trial::Trial;
use super::{Form, Stop, amount};

const HEADER: &str = "position,at,tenant,environment,stream,sequence,type,account,currency,amount";

/// Lines of comma-separated values.
#[derive(Debug)]
pub(super) struct Csv;

impl Form for Csv {
    fn begin(&mut self, to: &mut dyn Write) -> Result<(), Stop> {
        Ok(writeln!(to, "{HEADER}")?)
    }

    fn entry(&mut self, entry: &Entry, to: &mut dyn Write) -> Result<(), Stop> {
        let (position, event) = (entry.position, &entry.event);
        for posting in event.postings() {
            let amount = amount::short(posting.minor.into(), posting.currency);
            let (at, kind, currency) = (event.at(), event.body().kind(), posting.currency);
            let tenant = quoted(event.scope().tenant().as_str());
            let environment = quoted(event.scope().environment().as_str());
            let (stream, sequence) = (quoted(&event.stream().to_string()), event.sequence());
            let account = quoted(posting.account.as_str());
            writeln!(
                to,
                "{position},{at},{tenant},{environment},{stream},{sequence},{kind},{account},{currency},{amount}"
            )?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Trial, _: &mut dyn Write) -> Result<(), Stop> {
        Ok(())
    }
}

/// A text that others chose. In quotes unless it is plain: more than must be, but what readers do with spaces and
/// the like differs.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}
