//! What happened, in plain words.

use std::fmt::{self, Display, Formatter};

use super::{
    Body, Canceled, Closing, Created, Decision, DisputeDecision, Disputed, Event, Polled, Reported, Resolved,
    Sent, Start, StartResult,
};
use crate::money::Money;
use crate::payment::{Closed, DisputeWordKind, OperationKind, Outcome, ReportSubject, VoidTarget};
use crate::status::Cause;
use crate::text::{Actor, GatewayOperationId};

impl Event {
    /// What happened, by whom and why, as a sentence for people. Its words may change between versions: programs read
    /// the [body](Self::body).
    #[must_use]
    pub fn summary(&self) -> String {
        let actor = self.actor();
        match self.cause() {
            Cause::Command => format!("{actor}: {}", Sentence(self.body())),
            Cause::Evidence if is_gateway(actor) => {
                format!("{} (reported by {actor})", Sentence(self.body()))
            }
            Cause::Evidence => format!("{} (answered to {actor})", Sentence(self.body())),
            Cause::Resolution => format!("{} (by {actor})", Sentence(self.body())),
            Cause::Clock => format!("{} (its time had come; done by {actor})", Sentence(self.body())),
        }
    }
}

/// Whether a gateway sent the report as a notification; else the report answers a call or a query.
fn is_gateway(actor: &Actor) -> bool {
    actor.as_str().starts_with("gateway:")
}

struct Sentence<'a>(&'a Body);

impl Display for Sentence<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Body::Created(created) => created_in_words(created, f),
            Body::Started(start) => started_in_words(start, f),
            Body::Reported(reported) => reported_in_words(reported, f),
            Body::Sent(Sent { operation, .. }) => {
                write!(f, "queued {} {operation} was sent", operation.noun())
            }
            Body::Canceled(Canceled { operation, error_message }) => {
                write!(f, "queued {} {operation} was canceled: {error_message}", operation.noun())
            }
            Body::Resolved(resolved) => resolved_in_words(resolved, f),
            Body::Misfit(misfit) => {
                write!(f, "{} told of a {}", misfit.gateway, misfit.operation.noun())?;
                of_amount(misfit.evidence.amount, f)?;
                write!(f, " that counts as nothing: it ")?;
                outcome_in_words(&misfit.evidence.outcome, f)
            }
            Body::NotificationReused(reused) => {
                let fields: Vec<&str> = reused.fields.iter().map(|field| field.as_str()).collect();
                let (gateway, id, fields) = (&reused.gateway, &reused.notification, fields.join(", "));
                write!(f, "{gateway} sent notification {id} again with other contents; {fields} differ")
            }
            Body::Disputed(disputed) => disputed_in_words(disputed, f),
            Body::DisputeResolved(resolved) => {
                write!(f, "dispute {} was resolved as ", resolved.dispute)?;
                match resolved.decision {
                    DisputeDecision::Won {} => write!(f, "won")?,
                    DisputeDecision::Lost { amount } => write!(f, "lost ({amount})")?,
                }
                write!(f, ": {}", resolved.note)
            }
            Body::Polled(polled) => polled_in_words(polled, f),
            Body::Dismissed(dismissed) => {
                write!(f, "the marks for review were dismissed: {}", dismissed.note)
            }
            Body::Changed(_) => write!(f, "names or notes were changed"),
            Body::Submitted {} => write!(f, "the payment was accepted"),
            Body::Closed(closing) => closed_in_words(closing, f),
            Body::Archived {} => write!(f, "the payment was archived"),
            Body::Registered(owed) => write!(f, "{} is owed", owed.amount_due),
            Body::ToppedUp(top_up) => write!(f, "{} was put into the wallet", top_up.amount),
            Body::Debited(entered) => write!(f, "{} was taken for {}", entered.amount, entered.payment),
            Body::Credited(entered) => write!(f, "{} came back from {}", entered.amount, entered.payment),
            Body::Fee(fee) if fee.is_reversed => write!(f, "fee {} of {} refunded", fee.name, fee.amount),
            Body::Fee(fee) => write!(f, "fee {} of {} charged", fee.name, fee.amount),
            Body::Payout(payout) if payout.is_reversed => {
                write!(f, "payout {} of {} returned", payout.name, payout.amount)
            }
            Body::Payout(payout) => write!(f, "payout {} of {} sent", payout.name, payout.amount),
        }
    }
}

fn created_in_words(created: &Created, f: &mut Formatter<'_>) -> fmt::Result {
    let terms = &created.terms;
    let (kind, destination) = (terms.method.kind(), &terms.destination);
    write!(f, "a payment of {} by {kind} for {} {}", terms.amount, destination.kind, destination.id)?;
    match &created.attempt {
        Some(start) => {
            write!(f, " was created; ")?;
            started_in_words(start, f)
        }
        None if created.submitted => write!(f, " was created and accepted"),
        None => write!(f, " was recorded only"),
    }
}

fn started_in_words(start: &Start, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{} {} of ", start.kind.as_str(), start.operation)?;
    let is_release = matches!(start.kind, OperationKind::Void { target: VoidTarget::Hold, .. });
    // Of a void that was made elsewhere it is not known what it was of.
    if is_release && !matches!(start.result, StartResult::Recorded(_)) {
        write!(f, "a hold of ")?;
    }
    write!(f, "{}", start.told_amount())?;
    if let Some(capture) = start.kind.reversed_capture() {
        write!(f, ", the reversal of capture {capture},")?;
    }
    match &start.result {
        StartResult::Processing { .. } => {
            match &start.gateway {
                Some(gateway) => write!(f, " was sent to {gateway}")?,
                None => write!(f, " was started")?,
            }
            write!(f, "{}", if start.reopens { "; the failed payment is open again" } else { "" })
        }
        StartResult::Queued {} => write!(f, " was queued"),
        StartResult::Succeeded {} => write!(f, " was done at once"),
        StartResult::Failed(failure) => write!(f, " was refused: {}", failure.message),
        StartResult::Recorded(evidence) => {
            write!(f, " was made elsewhere: it ")?;
            outcome_in_words(&evidence.outcome, f)
        }
    }
}

fn reported_in_words(reported: &Reported, f: &mut Formatter<'_>) -> fmt::Result {
    let (noun, id, evidence) = (reported.operation.noun(), reported.operation, &reported.evidence);
    match &reported.subject {
        ReportSubject::Operation => write!(f, "{noun} {id}")?,
        ReportSubject::Authorization => write!(f, "the authorization by {noun} {id}")?,
        ReportSubject::Return(name) => return returned_in_words(name.as_ref(), reported, f),
    }
    of_amount(evidence.amount, f)?;
    write!(f, " ")?;
    outcome_in_words(&evidence.outcome, f)
}

fn returned_in_words(
    name: Option<&GatewayOperationId>,
    reported: &Reported,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let (noun, id, evidence) = (reported.operation.noun(), reported.operation, &reported.evidence);
    match name {
        Some(name) => write!(f, "return {name} of {noun} {id}")?,
        None => write!(f, "the return of {noun} {id}")?,
    }
    match (&evidence.outcome, evidence.amount) {
        (Outcome::Reversed { error_message }, Some(amount)) => {
            write!(f, " took {amount} back: {error_message}")
        }
        (Outcome::Reversed { error_message }, None) => write!(f, " took all of it back: {error_message}"),
        (outcome, amount) => {
            of_amount(amount, f)?;
            write!(f, " ")?;
            outcome_in_words(outcome, f)
        }
    }
}

fn resolved_in_words(resolved: &Resolved, f: &mut Formatter<'_>) -> fmt::Result {
    let (noun, id) = (resolved.operation.noun(), resolved.operation);
    write!(f, "{noun} {id} ")?;
    match &resolved.decision {
        Decision::Succeeded { amount: Some(amount) } => write!(f, "was resolved as succeeded ({amount})")?,
        Decision::Succeeded { amount: None } => write!(f, "was resolved as succeeded")?,
        Decision::Failed { .. } => write!(f, "was resolved as failed")?,
        Decision::NotSent {} => write!(f, "was resolved as not sent")?,
        Decision::Returned { amount: Some(amount) } => write!(f, "was resolved as returned ({amount})")?,
        Decision::Returned { amount: None } => write!(f, "was resolved as returned")?,
        Decision::Allocated { of } => write!(f, "was allocated to attempt {of}")?,
        Decision::SameAs { operation } => {
            write!(f, "was said to be the same as {} {operation}", operation.noun())?;
        }
        Decision::Another {} => write!(f, "was said to be none of those that were requested here")?,
    }
    write!(f, ": {}", resolved.note)
}

/// What became of something, after its name.
fn outcome_in_words(outcome: &Outcome, f: &mut Formatter<'_>) -> fmt::Result {
    match outcome {
        Outcome::Succeeded => write!(f, "succeeded"),
        Outcome::Failed(failure) => write!(f, "was refused: {} ({})", failure.message, failure.code),
        Outcome::Pending => write!(f, "goes on"),
        Outcome::RequiresAction { .. } => write!(f, "waits for the payer to act"),
        Outcome::Canceled { error_message } => write!(f, "was given up: {error_message}"),
        Outcome::Reversed { error_message } => write!(f, "was undone: {error_message}"),
        Outcome::NotSent { error_message } => write!(f, "never reached the gateway: {error_message}"),
        Outcome::ReturnCanceled { error_message } => write!(f, "was canceled: {error_message}"),
        Outcome::Unknown { error_message } => write!(f, "has an unknown outcome: {error_message}"),
    }
}

fn of_amount(amount: Option<Money>, f: &mut Formatter<'_>) -> fmt::Result {
    match amount {
        Some(amount) => write!(f, " of {amount}"),
        None => Ok(()),
    }
}

fn disputed_in_words(disputed: &Disputed, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "dispute {}", disputed.gateway_dispute_id)?;
    let amount = disputed.word.amount;
    let money = amount.map_or_else(|| "money".to_owned(), |amount| amount.to_string());
    let what = match disputed.word.kind {
        DisputeWordKind::FundsWithdrawn => return write!(f, " took {money}"),
        DisputeWordKind::FundsReinstated => return write!(f, " gave {money} back"),
        DisputeWordKind::Opened => "was opened",
        DisputeWordKind::Updated => "changed",
        DisputeWordKind::Won => "was won",
        DisputeWordKind::Lost => "was lost",
    };
    of_amount(amount, f)?;
    write!(f, " {what}")
}

fn polled_in_words(polled: &Polled, f: &mut Formatter<'_>) -> fmt::Result {
    match polled.operation {
        Some(id) => write!(f, "the gateway was asked about {} {id} and had no news", id.noun())?,
        None => write!(f, "the gateway was asked about the payment and had no news")?,
    }
    match polled.next_at {
        Some(at) if polled.lease_until.is_some() => write!(f, "; it is sent again, and asked about at {at}"),
        Some(at) => write!(f, "; it is asked again at {at}"),
        None => write!(f, "; it is not asked again: a person has to look"),
    }
}

fn closed_in_words(closing: &Closing, f: &mut Formatter<'_>) -> fmt::Result {
    match closing.closes {
        Closed::Expired if !closing.releases.is_empty() => write!(f, "what was held was released"),
        Closed::Expired => write!(f, "the payment expired"),
        Closed::Failed => write!(f, "the payment was ended as failed"),
        Closed::Voided => write!(f, "the payment was cancelled"),
    }?;
    match &closing.reason {
        Some(reason) => write!(f, ": {reason}"),
        None => Ok(()),
    }
}
