//! One JSON object per event and line: all that happened, for programs.
//!
//! What an event says stands in it as in the HTTP API's feed. Signs are ours: positive is what the account holds
//! more.

use std::io::{self, Write};

use counterfoil::account::{AccountId, Posting};
use counterfoil::clock::Timestamp;
use counterfoil::event::{Body, Hash};
use counterfoil::money::Currency;
use counterfoil::status::Cause;
use counterfoil::store::{Entry, Position};
use counterfoil::text::{Actor, EnvironmentId, TenantId};
use serde::Serialize;

use super::trial::Trial;
use super::{Form, Stop, amount};

/// Lines of JSON.
#[derive(Debug)]
pub(super) struct Jsonl;

impl Form for Jsonl {
    fn begin(&mut self, _: &mut dyn Write) -> Result<(), Stop> {
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, to: &mut dyn Write) -> Result<(), Stop> {
        serde_json::to_writer(&mut *to, &Line::of(entry)).map_err(io::Error::from)?;
        Ok(writeln!(to)?)
    }

    fn end(&mut self, _: &Trial, _: &mut dyn Write) -> Result<(), Stop> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Line<'a> {
    position: Position,
    tenant: &'a TenantId,
    environment: &'a EnvironmentId,
    stream: String,
    sequence: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    at: Timestamp,
    actor: &'a Actor,
    cause: Cause,
    hash: Hash,
    data: &'a Body,
    postings: Vec<Moved<'a>>,
}

#[derive(Serialize)]
struct Moved<'a> {
    account: &'a AccountId,
    currency: Currency,
    amount: String,
}

impl Line<'_> {
    fn of(entry: &Entry) -> Line<'_> {
        let event = &entry.event;
        Line {
            position: entry.position,
            tenant: event.scope().tenant(),
            environment: event.scope().environment(),
            stream: event.stream().to_string(),
            sequence: event.sequence(),
            kind: event.body().kind(),
            at: event.at(),
            actor: event.actor(),
            cause: event.cause(),
            hash: event.hash(),
            data: event.body(),
            postings: event.postings().iter().map(Moved::of).collect(),
        }
    }
}

impl Moved<'_> {
    fn of(posting: &Posting) -> Moved<'_> {
        let Posting { account, currency, minor, .. } = posting;
        Moved { account, currency: *currency, amount: amount::short((*minor).into(), *currency) }
    }
}
