//! All that one command does, and the one place where events are made.

use std::sync::Arc;

use super::Command;
use super::books::turned_voids;
use super::receipt::{Receipt, Subject};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{Account, AccountId, Posting};
use crate::claim::{Claim, ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::event::{
    Body, Draft, Event, Hash, StreamId, evolve_account, evolve_payment, move_share, share_moved,
};
use crate::id::PaymentId;
use crate::payment::{Payment, check_moves};
use crate::status::Cause;
use crate::store::Record;

/// All that one command does: a store writes all of it, or nothing.
#[derive(Debug)]
pub struct Change {
    /// What happened, in order.
    pub events: Vec<Arc<Event>>,
    /// The taken names and the next state of the rows.
    pub records: Vec<Record>,
    /// What the caller gets once it is written.
    pub receipt: Receipt,
}

/// A name to be taken, and what is asked for under it.
pub(super) type Taking = (ClaimKey, Fingerprint);

/// What an event says, but for its place in the stream.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) cause: Cause,
    pub(super) body: Body,
    pub(super) claims: Vec<Taking>,
    pub(super) postings: Vec<Posting>,
}

impl Entry {
    pub(super) fn new(cause: Cause, body: Body) -> Entry {
        Entry { cause, body, claims: Vec::new(), postings: Vec::new() }
    }

    pub(super) fn claiming(mut self, claims: impl IntoIterator<Item = Taking>) -> Entry {
        self.claims.extend(claims);
        self
    }

    pub(super) fn posting(mut self, postings: Vec<Posting>) -> Entry {
        self.postings = postings;
        self
    }
}

/// Makes events. **Invariant:** every status in every history came through here, so it moved along its graph.
pub(super) struct Recorder<'a> {
    command: &'a Command,
    view: &'a View<'a>,
    events: Vec<Arc<Event>>,
    records: Vec<Record>,
    /// The destination of the payment, once this command has changed it.
    destination: Option<Arc<Account>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(command: &'a Command, view: &'a View<'a>) -> Recorder<'a> {
        Recorder { command, view, events: Vec::new(), records: Vec::new(), destination: None }
    }

    /// The change that is one event of a payment that stands at `before`.
    pub(super) fn one(
        command: &'a Command,
        view: &'a View<'a>,
        before: &Payment,
        entry: Entry,
    ) -> Result<Change, Halt> {
        let mut recorder = Recorder::new(command, view);
        let after = recorder.payment(before.id(), Some(before), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Payment(after), sequence))
    }

    /// Adds an event to the stream of payment `id`, which now stands at `before`.
    pub(super) fn payment(
        &mut self,
        id: PaymentId,
        before: Option<&Payment>,
        entry: Entry,
    ) -> Result<Arc<Payment>, Halt> {
        let cause = entry.cause;
        let voids = before.filter(|before| before.has_voids()).map(|before| (before, entry.clone()));
        let (mut event, mut after) = self.next(id, before, entry)?;
        if let Some((before, mut entry)) = voids {
            // What is told of an attempt may say anew what they are of, and so whose money they moved.
            let turned = turned_voids(before, &after)?;
            if !turned.is_empty() {
                entry.postings.extend(turned);
                (event, after) = self.next(id, Some(before), entry)?;
            }
        }
        check_moves(before, &after, cause).map_err(Rejection::from)?;
        let after = Arc::new(after);
        self.keep_claims(&event);
        self.destination(before, &after)?;
        self.events.push(event);
        self.records.push(Record::Payment(after.clone()));
        Ok(after)
    }

    /// The next event of payment `id`, and the payment after it.
    fn next(
        &self,
        id: PaymentId,
        before: Option<&Payment>,
        entry: Entry,
    ) -> Result<(Arc<Event>, Payment), Rejection> {
        let place = before.map(|before| (before.version(), before.updated_at(), before.head()));
        let event = self.seal(StreamId::Payment(id), place, entry);
        let after = evolve_payment(before, &event).map_err(Rejection::Defect)?;
        Ok((event, after))
    }

    /// What the payment's destination comes to with it.
    fn destination(&mut self, before: Option<&Payment>, after: &Payment) -> Result<(), Halt> {
        let Some(shares) = share_moved(before, after) else { return Ok(()) };
        let id = AccountId::destination(&after.terms().destination);
        let known = match &self.destination {
            Some(known) => Some(known),
            None => self.view.account(&id)?,
        };
        let next = Arc::new(move_share(known.map(AsRef::as_ref), after, &shares));
        self.records.push(Record::Account(next.clone()));
        self.destination = Some(next);
        Ok(())
    }

    /// Adds an event to the stream of account `id`, which now stands at `before`.
    pub(super) fn account(
        &mut self,
        id: AccountId,
        before: Option<&Account>,
        entry: Entry,
    ) -> Result<Arc<Account>, Rejection> {
        let place = before.map(|before| (before.version(), before.updated_at(), before.head()));
        let event = self.seal(StreamId::Account(id), place, entry);
        let after = evolve_account(before, &event).map_err(Rejection::Defect)?;
        let after = Arc::new(after);
        self.keep_claims(&event);
        self.events.push(event);
        self.records.push(Record::Account(after.clone()));
        Ok(after)
    }

    /// The change, answered with `subject` and the sequence of its event.
    pub(super) fn finish(self, subject: Subject, sequence: u64) -> Change {
        let receipt = Receipt::fresh(subject, sequence);
        Change { events: self.events, records: self.records, receipt }
    }

    fn keep_claims(&mut self, event: &Event) {
        self.records.extend(event.claims().iter().cloned().map(Record::Claim));
    }

    fn seal(&self, stream: StreamId, place: Option<(u64, Timestamp, Hash)>, entry: Entry) -> Arc<Event> {
        debug_assert!(balanced(&entry.postings), "the postings of an event sum to zero");
        let (version, last, previous) = place.unwrap_or((0, Timestamp::EPOCH, Hash::ZERO));
        let sequence = version + 1;
        let scope = &self.command.caller.scope;
        let claim =
            |(key, fingerprint)| Arc::new(Claim { key, stream: stream.clone(), sequence, fingerprint });
        let claims = entry.claims.into_iter().map(claim).collect();
        let draft = Draft {
            scope: scope.clone(),
            stream,
            sequence,
            // Time is data, never order: a clock that steps back must not make a history run backwards.
            at: if version == 0 { self.command.at } else { self.command.at.max(last.successor()) },
            actor: self.command.caller.actor.clone(),
            cause: entry.cause,
            body: entry.body,
            claims,
            postings: entry.postings,
        };
        Arc::new(Event::seal(draft, previous))
    }
}

fn balanced(postings: &[Posting]) -> bool {
    postings.iter().map(|posting| i128::from(posting.minor)).sum::<i128>() == 0
}
