//! All that one command does, and the one place where events are made.

use std::sync::Arc;

use super::Command;
use super::excess::excess;
use super::receipt::{Receipt, Subject};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{Account, AccountId, Posting};
use crate::claim::{Claim, ClaimKey, Fingerprint};
use crate::clock::Timestamp;
use crate::destinations::Known;
use crate::event::{Body, Draft, Event, Hash, StreamId, apply, evolve_account, move_share, share_moved};
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{Payment, check_moves, postings};
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
pub(super) struct Entry {
    pub(super) cause: Cause,
    pub(super) body: Body,
    pub(super) claims: Vec<Taking>,
    /// What the host knows of the destination.
    pub(super) known: Known,
    /// What an event of an account moves. Those of a payment follow from its position.
    pub(super) postings: Vec<Posting>,
}

impl Entry {
    pub(super) fn new(cause: Cause, body: Body) -> Entry {
        Entry { cause, body, claims: Vec::new(), known: Known::Unasked, postings: Vec::new() }
    }

    pub(super) fn claiming(mut self, claims: impl IntoIterator<Item = Taking>) -> Entry {
        self.claims.extend(claims);
        self
    }

    pub(super) fn posting(mut self, postings: Vec<Posting>) -> Entry {
        self.postings = postings;
        self
    }

    pub(super) fn knowing(mut self, known: &Known) -> Entry {
        self.known = known.clone();
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

    /// Adds an event to the stream of payment `id`, which now stands at `before`. Its postings are what it changes about
    /// the position of the payment.
    pub(super) fn payment(
        &mut self,
        id: PaymentId,
        before: Option<&Payment>,
        entry: Entry,
    ) -> Result<Arc<Payment>, Halt> {
        let (cause, known) = (entry.cause, entry.known.clone());
        let place = before.map(|before| (before.version(), before.updated_at(), before.head()));
        let (mut draft, previous) = self.draft(StreamId::Payment(id), place, entry);
        let mut after = apply(before, &draft).map_err(Rejection::Defect)?;
        if let Some(before) = before {
            let decided = self.decide_excess(before, &after, &known, &mut draft)?;
            if decided != after.excess() {
                // Whether it is overpaid follows from that.
                after = apply(Some(before), &draft).map_err(Rejection::Defect)?;
            }
        }
        check_moves(before, &after, cause).map_err(Rejection::from)?;
        debug_assert!(draft.body.may_move_money() || postings(before, &after).is_empty());
        draft.postings = if draft.body.may_move_money() { postings(before, &after) } else { Vec::new() };
        debug_assert!(balanced(&draft.postings), "the postings of an event sum to zero");
        let event = Arc::new(Event::seal(draft, previous));
        after.head = event.hash();
        let after = Arc::new(after);
        self.keep_claims(&event);
        self.destination(before, &after)?;
        self.events.push(event);
        self.records.push(Record::Payment(after.clone()));
        Ok(after)
    }

    /// What is captured beyond what is due. It is decided anew with every event that changes what is captured.
    fn decide_excess(
        &self,
        before: &Payment,
        after: &Payment,
        known: &Known,
        draft: &mut Draft,
    ) -> Result<Option<Money>, Halt> {
        let moves = draft.body.may_move_money();
        let Some(decided) = draft.body.excess_mut().filter(|_| moves) else { return Ok(after.excess()) };
        let taken = [before, after].map(Payment::taken_minor);
        if taken[0] == taken[1] {
            return Ok(after.excess());
        }
        *decided = excess(self.view, before, known, taken)?;
        Ok(*decided)
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
        let (draft, previous) = self.draft(StreamId::Account(id), place, entry);
        let event = Arc::new(Event::seal(draft, previous));
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

    fn draft(&self, stream: StreamId, place: Option<Place>, entry: Entry) -> (Draft, Hash) {
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
        (draft, previous)
    }
}

/// The version, time and hash of the last event of a stream.
type Place = (u64, Timestamp, Hash);

fn balanced(postings: &[Posting]) -> bool {
    postings.iter().map(|posting| i128::from(posting.minor)).sum::<i128>() == 0
}
