//! The books as a file for [Beancount](https://beancount.github.io), which proves them once more.
//!
//! Every event that moved money is a transaction. **Signs are turned around:** here a positive posting means that an
//! account holds that much more, so a charge takes from `gateway` and gives to `destination`; to an accountant the
//! same charge adds to what is at the gateway, an asset (`+`), and is income (`-`). Wallets are liabilities, `funding`
//! is equity.
//!
//! The last lines say what each account holds by *our* sums, as assertions that Beancount checks against its own.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::clock::Timestamp;
use counterfoil::event::{Event, StreamId};
use counterfoil::money::Currency;
use counterfoil::scope::Scope;
use counterfoil::store::Entry;

use super::trial::Trial;
use super::{Form, Stop, amount, names};
use crate::error::Error;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const HEAD: &str = r#"; Written by counterfoil export. Signs are Beancount's: what accounts of Counterfoil hold more is negative here.
; In the names of accounts `-u` is an underscore, `--` a dash, `-` and two digits another byte of UTF-8; a 0 comes before
; a first character that is neither a small letter, written as its capital, nor a digit from 1 to 9.
option "title" "Counterfoil"
"#;

/// A Beancount file, and what it has to remember until its end: the accounts.
#[derive(Debug, Default)]
pub(super) struct Beancount {
    accounts: BTreeMap<(Scope, AccountId), Account>,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Account {
    name: String,
    first: Timestamp,
    balances: BTreeMap<Currency, i128>,
}

impl Form for Beancount {
    fn begin(&mut self, to: &mut dyn Write) -> Result<(), Stop> {
        Ok(to.write_all(HEAD.as_bytes())?)
    }

    fn entry(&mut self, entry: &Entry, to: &mut dyn Write) -> Result<(), Stop> {
        let event = &entry.event;
        if event.postings().is_empty() {
            return Ok(());
        }
        self.last = self.last.max(Some(event.at()));
        write_head(entry, to)?;
        for posting in event.postings() {
            let account = self.account(event, &posting.account)?;
            let (minor, currency) = (-i128::from(posting.minor), posting.currency);
            *account.balances.entry(currency).or_default() += minor;
            writeln!(to, "  {} {} {}", account.name, amount::in_full(minor, currency), currency.code())?;
        }
        Ok(())
    }

    /// Accounts are opened here, for a clock that steps back can use one earlier than it was first met.
    fn end(&mut self, trial: &Trial, to: &mut dyn Write) -> Result<(), Stop> {
        writeln!(to, "\n; The accounts.")?;
        for ((scope, id), account) in &self.accounts {
            writeln!(to, "{} open {}", day(account.first), account.name)?;
            write_scope(scope, to)?;
            writeln!(to, "  account: {}", quoted(id.as_str()))?;
        }
        if let Some(last) = self.last {
            writeln!(to, "\n; What they hold, by the sums of Counterfoil.")?;
            let day = day_after(last)?;
            for account in self.accounts.values() {
                for (currency, sum) in &account.balances {
                    let (name, sum) = (&account.name, amount::in_full(*sum, *currency));
                    // Without the `~ 0` Beancount would let a last digit pass.
                    writeln!(to, "{day} balance {name} {sum} ~ 0 {}", currency.code())?;
                }
            }
        }
        writeln!(to, "\n; The trial balance: all that was moved, per currency.")?;
        for (currency, sum) in trial.sums() {
            writeln!(to, "; {} {}", amount::in_full(-sum, currency), currency.code())?;
        }
        Ok(())
    }
}

impl Beancount {
    fn account(&mut self, event: &Event, id: &AccountId) -> Result<&mut Account, Stop> {
        use std::collections::btree_map::Entry::{Occupied, Vacant};
        let account = match self.accounts.entry((event.scope().clone(), id.clone())) {
            Occupied(known) => known.into_mut(),
            Vacant(new) => {
                let refused =
                    || Stop::Form(Error::new(format_args!("Beancount has no place for account {id}")));
                let name = names::account(event.scope(), id).ok_or_else(refused)?;
                new.insert(Account { name, first: event.at(), balances: BTreeMap::new() })
            }
        };
        account.first = account.first.min(event.at());
        Ok(account)
    }
}

/// A transaction but for its postings. Those of one payment are linked.
fn write_head(entry: &Entry, to: &mut dyn Write) -> Result<(), Stop> {
    let event = &entry.event;
    write!(to, "\n{} * {}", day(event.at()), quoted(event.body().kind()))?;
    match event.stream() {
        StreamId::Payment(id) => writeln!(to, " ^{id}")?,
        StreamId::Account(_) => writeln!(to)?,
    }
    writeln!(to, "  position: {}", quoted(&entry.position.to_string()))?;
    write_scope(event.scope(), to)?;
    writeln!(to, "  stream: {}", quoted(&event.stream().to_string()))?;
    writeln!(to, "  sequence: {}", event.sequence())?;
    writeln!(to, "  at: {}", quoted(&event.at().to_string()))?;
    Ok(writeln!(to, "  actor: {}", quoted(event.actor().as_str()))?)
}

fn write_scope(scope: &Scope, to: &mut dyn Write) -> Result<(), Stop> {
    writeln!(to, "  tenant: {}", quoted(scope.tenant().as_str()))?;
    Ok(writeln!(to, "  environment: {}", quoted(scope.environment().as_str()))?)
}

/// A text as Beancount reads it back. No text of the books has a control character in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The date of a moment, which begins its text.
fn day(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-11-22".len());
    text
}

/// Balances are those at the beginning of a day.
fn day_after(at: Timestamp) -> Result<String, Stop> {
    let after = day(at.saturating_add(DAY));
    if after == day(at) {
        let sentence = "the last event stands on the last day there is, so no day is left for the balances";
        return Err(Stop::Form(Error::new(sentence)));
    }
    Ok(after)
}
