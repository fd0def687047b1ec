//! What happened, in plain words.

use std::fmt::{self, Display, Formatter};

use super::Event;
use super::body::{
    Body, Closing, Created, Decision, DisputeDecision, Disputed, Polled, Reported, Resolved, Start,
    StartResult,
};
use crate::payment::{Closed, DisputeWordKind, Evidence, OperationKind, Outcome, ReportSubject, VoidTarget};
use crate::status::Cause;

impl Event {
    /// What happened, by whom and why, as a sentence for people. Its words may change between versions: programs read
    /// the [body](Self::body).
    #[must_use]
    pub fn summary(&self) -> String {
        let actor = self.actor();
        match self.cause() {
            Cause::Command => format!("{actor}: {}", Told(self.body())),
            Cause::Evidence => format!("{} (told to {actor})", Told(self.body())),
            Cause::Resolution => format!("{} (by {actor})", Told(self.body())),
            Cause::Clock => format!("{} (its time had come; done by {actor})", Told(self.body())),
        }
    }
}

struct Told<'a>(&'a Body);

impl Display for Told<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Body::Created(created) => created_in_words(created, f),
            Body::Started(start) => started_in_words(start, f),
            Body::Reported(reported) => reported_in_words(reported, f),
            Body::Resolved(resolved) => resolved_in_words(resolved, f),
            Body::Misfit(misfit) => {
                write!(f, "{} told of a {} that cannot be: ", misfit.gateway, misfit.operation.noun())?;
                evidence_in_words(&misfit.evidence, f)
            }
            Body::NotificationReused(reused) => {
                let fields: Vec<&str> = reused.fields.iter().map(|field| field.as_str()).collect();
                let (gateway, id, fields) = (&reused.gateway, &reused.notification, fields.join(", "));
                write!(f, "{gateway} sent notification {id} again with other contents: {fields}")
            }
            Body::Disputed(disputed) => disputed_in_words(disputed, f),
            Body::DisputeResolved(resolved) => {
                write!(f, "dispute {} resolved as ", resolved.dispute)?;
                match resolved.decision {
                    DisputeDecision::Won {} => write!(f, "won")?,
                    DisputeDecision::Lost { amount } => write!(f, "lost, {amount}")?,
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
        }
    }
}

fn created_in_words(created: &Created, f: &mut Formatter<'_>) -> fmt::Result {
    let terms = &created.terms;
    let (kind, destination) = (terms.method.kind(), &terms.destination);
    write!(f, "a payment of {} by {kind} for {} {}", terms.amount, destination.kind, destination.id)?;
    match &created.attempt {
        Some(start) => {
            write!(f, "; ")?;
            started_in_words(start, f)
        }
        None if created.submitted => write!(f, ", accepted"),
        None => write!(f, ", recorded only"),
    }
}

fn started_in_words(start: &Start, f: &mut Formatter<'_>) -> fmt::Result {
    let what = match start.kind {
        OperationKind::Void { target: VoidTarget::Hold, .. } => "release of a hold",
        kind => kind.as_str(),
    };
    write!(f, "{what} {} of {}", start.operation, start.amount)?;
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
        StartResult::Succeeded {} => write!(f, " was done at once"),
        StartResult::Failed(failure) => write!(f, " was refused: {}", failure.message),
        StartResult::Recorded(evidence) => {
            write!(f, " was made elsewhere: ")?;
            evidence_in_words(evidence, f)
        }
    }
}

fn reported_in_words(reported: &Reported, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{} {}: ", reported.operation.noun(), reported.operation)?;
    match &reported.subject {
        ReportSubject::Operation => {}
        ReportSubject::Authorization => write!(f, "authorization ")?,
        ReportSubject::Return(Some(name)) => write!(f, "return {name} ")?,
        ReportSubject::Return(None) => write!(f, "return ")?,
    }
    evidence_in_words(&reported.evidence, f)
}

fn resolved_in_words(resolved: &Resolved, f: &mut Formatter<'_>) -> fmt::Result {
    let (noun, id) = (resolved.operation.noun(), resolved.operation);
    write!(f, "{noun} {id} resolved as ")?;
    match &resolved.decision {
        Decision::Succeeded { amount: Some(amount) } => write!(f, "succeeded, {amount}")?,
        Decision::Succeeded { amount: None } => write!(f, "succeeded")?,
        Decision::Failed { .. } => write!(f, "failed")?,
        Decision::NotSent {} => write!(f, "not sent")?,
        Decision::Returned { amount: Some(amount) } => write!(f, "returned, {amount}")?,
        Decision::Returned { amount: None } => write!(f, "returned")?,
        Decision::Allocated { of } => write!(f, "of attempt {of}")?,
        Decision::SameAs { operation } => write!(f, "the same as {operation}")?,
        Decision::Another {} => write!(f, "none of those that were requested here")?,
    }
    write!(f, ": {}", resolved.note)
}

fn evidence_in_words(evidence: &Evidence, f: &mut Formatter<'_>) -> fmt::Result {
    match &evidence.outcome {
        Outcome::Succeeded => write!(f, "it succeeded"),
        Outcome::Failed(failure) => write!(f, "it was refused: {} ({})", failure.message, failure.code),
        Outcome::Pending => write!(f, "it goes on"),
        Outcome::RequiresAction { .. } => write!(f, "the payer must act"),
        Outcome::Canceled { error_message } => write!(f, "it was given up: {error_message}"),
        Outcome::Reversed { error_message } => write!(f, "it was undone: {error_message}"),
        Outcome::NotSent { error_message } => write!(f, "it never reached the gateway: {error_message}"),
        Outcome::ReturnCanceled { error_message } => write!(f, "it was canceled: {error_message}"),
        Outcome::Unknown { error_message } => write!(f, "nobody knows: {error_message}"),
    }?;
    match evidence.amount {
        Some(amount) => write!(f, ", {amount}"),
        None => Ok(()),
    }
}

fn disputed_in_words(disputed: &Disputed, f: &mut Formatter<'_>) -> fmt::Result {
    let what = match disputed.word.kind {
        DisputeWordKind::Opened => "was opened",
        DisputeWordKind::Updated => "changed",
        DisputeWordKind::Won => "was won",
        DisputeWordKind::Lost => "was lost",
        DisputeWordKind::FundsWithdrawn => "took money",
        DisputeWordKind::FundsReinstated => "gave money back",
    };
    write!(f, "dispute {} {what}", disputed.gateway_dispute_id)?;
    match disputed.word.amount {
        Some(amount) => write!(f, ", {amount}"),
        None => Ok(()),
    }
}

fn polled_in_words(polled: &Polled, f: &mut Formatter<'_>) -> fmt::Result {
    match polled.operation {
        Some(id) => write!(f, "the gateway was asked about {} {id} and had no news", id.noun())?,
        None => write!(f, "the gateway was asked about the payment and had no news")?,
    }
    match polled.next_at {
        Some(at) => write!(f, "; it is asked again at {at}"),
        None => write!(f, "; it is not asked again: a person has to look"),
    }
}

fn closed_in_words(closing: &Closing, f: &mut Formatter<'_>) -> fmt::Result {
    match closing.closes {
        Closed::Expired if !closing.releases.is_empty() => write!(f, "what was held was released"),
        Closed::Expired => write!(f, "the payment expired"),
        Closed::Failed => write!(f, "the payment was given up"),
        Closed::Voided => write!(f, "the payment was cancelled"),
    }?;
    match &closing.reason {
        Some(reason) => write!(f, ": {reason}"),
        None => Ok(()),
    }
}
