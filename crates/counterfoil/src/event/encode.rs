//! The canonical bytes of an event. **Invariant:** they never change; what is new gets new fields.
//!
//! In this order: format, scope, stream, sequence, time, actor, cause, body, claims, postings. No position
//! and nothing else of a store.

use std::sync::Arc;

use super::{
    Body, Canceled, Closing, Created, Dismissed, DisputeResolved, Disputed, Draft, Entered, Misfit,
    NotificationReused, Polled, Reported, Resolved, Sent, Start, StreamId, ToppedUp,
};
use crate::account::{GatewayEntry, Owed};
use crate::claim::{Claim, ClaimKey, ClaimKind, Fingerprint};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::TopUpId;
use crate::money::Money;
use crate::payment::{CaptureMethod, Checkout, Destination, PaymentMethod, References, Terms};
use crate::scope::Scope;
use crate::status::Cause;
use crate::text::{
    Actor, DestinationNumber, GatewayName, GatewayOptions, IdempotencyKey, Metadata, ReturnUrl,
};

const FORMAT: u8 = 1;

pub(super) fn encode(event: &Draft) -> Vec<u8> {
    let mut to = Writer::with_capacity(192);
    to.byte(FORMAT);
    event.scope.encode(&mut to);
    event.stream.encode(&mut to);
    to.varint(event.sequence);
    event.at.encode(&mut to);
    event.actor.encode(&mut to);
    to.byte(event.cause as u8);
    encode_body(&event.body, &mut to);
    to.varint(event.claims.len() as u64);
    for claim in &event.claims {
        claim.key.kind.encode(&mut to);
        to.text(&claim.key.name);
        claim.fingerprint.encode(&mut to);
    }
    to.list(&event.postings);
    to.into_bytes()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Draft, Damage> {
    let mut from = Reader::new(bytes);
    match from.byte()? {
        FORMAT => {}
        number => return Err(Damage::Newer { what: "event format", number: number.into() }),
    }
    let scope = Scope::decode(&mut from)?;
    let stream = StreamId::decode(&mut from)?;
    let sequence = from.varint()?;
    let at = Timestamp::decode(&mut from)?;
    let actor = Actor::decode(&mut from)?;
    let cause = decode_cause(from.byte()?)?;
    let head = Head { scope: &scope, stream: &stream, at, actor: &actor };
    let body = decode_body(&head, &mut from)?;
    let mut claims = Vec::new();
    for _ in 0..from.varint()? {
        let kind = ClaimKind::decode(&mut from)?;
        let key = ClaimKey { scope: scope.clone(), kind, name: from.text()?.into() };
        let fingerprint = Fingerprint::decode(&mut from)?;
        claims.push(Arc::new(Claim { key, stream: stream.clone(), sequence, fingerprint }));
    }
    let postings = from.list()?;
    from.end()?;
    Ok(Draft { scope, stream, sequence, at, actor, cause, body, claims, postings })
}

fn decode_cause(number: u8) -> Result<Cause, Damage> {
    [Cause::Command, Cause::Evidence, Cause::Clock, Cause::Resolution]
        .into_iter()
        .find(|cause| *cause as u8 == number)
        .ok_or(Damage::Newer { what: "cause", number: number.into() })
}

fn encode_body(body: &Body, to: &mut Writer) {
    let number = match body {
        Body::Created(_) => 1,
        Body::Started(_) => 2,
        Body::Reported(_) => 3,
        Body::Archived {} => 4,
        Body::ToppedUp(_) => 5,
        Body::Debited(_) => 6,
        Body::Changed(_) => 7,
        Body::Submitted {} => 8,
        Body::Closed(_) => 9,
        Body::Credited(_) => 10,
        Body::Disputed(_) => 11,
        Body::Polled(_) => 12,
        Body::Dismissed(_) => 13,
        Body::Registered(_) => 14,
        Body::Misfit(_) => 15,
        Body::Resolved(_) => 16,
        Body::NotificationReused(_) => 17,
        Body::DisputeResolved(_) => 18,
        Body::Sent(_) => 19,
        Body::Canceled(_) => 20,
        Body::Fee(_) => 21,
        Body::Payout(_) => 22,
    };
    to.field(number, |w| match body {
        Body::Created(created) => encode_created(created, w),
        Body::Started(start) => start.encode(w),
        Body::Reported(reported) => reported.encode(w),
        Body::Archived {} | Body::Submitted {} => {}
        Body::Changed(references) => references.encode(w),
        Body::Closed(closing) => closing.encode(w),
        Body::ToppedUp(ToppedUp { top_up, amount }) => {
            w.field(1, |w| top_up.encode(w));
            w.field(2, |w| amount.encode(w));
        }
        Body::Debited(entered) | Body::Credited(entered) => entered.encode(w),
        Body::Disputed(disputed) => disputed.encode(w),
        Body::Polled(polled) => polled.encode(w),
        Body::Dismissed(dismissed) => dismissed.encode(w),
        Body::Registered(owed) => owed.encode(w),
        Body::Misfit(misfit) => misfit.encode(w),
        Body::Resolved(resolved) => resolved.encode(w),
        Body::NotificationReused(reused) => reused.encode(w),
        Body::DisputeResolved(resolved) => resolved.encode(w),
        Body::Sent(sent) => sent.encode(w),
        Body::Canceled(canceled) => canceled.encode(w),
        Body::Fee(entry) | Body::Payout(entry) => entry.encode(w),
    });
}

/// What stands before the body and is not repeated in it.
struct Head<'a> {
    scope: &'a Scope,
    stream: &'a StreamId,
    at: Timestamp,
    actor: &'a Actor,
}

fn decode_body(head: &Head<'_>, from: &mut Reader<'_>) -> Result<Body, Damage> {
    let number = from.varint()?;
    let mut content = Reader::new(from.bytes()?);
    let body = match number {
        1 => Body::Created(decode_created(head, &mut content)?),
        2 => Body::Started(Start::decode(&mut content)?),
        3 => Body::Reported(Reported::decode(&mut content)?),
        4 => Body::Archived {},
        5 => {
            let mut fields = content.fields()?;
            let topped_up = ToppedUp {
                top_up: fields.required(1, TopUpId::decode)?,
                amount: fields.required(2, Money::decode)?,
            };
            fields.end()?;
            Body::ToppedUp(topped_up)
        }
        6 => Body::Debited(Entered::decode(&mut content)?),
        7 => Body::Changed(References::decode(&mut content)?),
        8 => Body::Submitted {},
        9 => Body::Closed(Closing::decode(&mut content)?),
        10 => Body::Credited(Entered::decode(&mut content)?),
        11 => Body::Disputed(Disputed::decode(&mut content)?),
        12 => Body::Polled(Polled::decode(&mut content)?),
        13 => Body::Dismissed(Dismissed::decode(&mut content)?),
        14 => Body::Registered(Owed::decode(&mut content)?),
        15 => Body::Misfit(Misfit::decode(&mut content)?),
        16 => Body::Resolved(Resolved::decode(&mut content)?),
        17 => Body::NotificationReused(NotificationReused::decode(&mut content)?),
        18 => Body::DisputeResolved(DisputeResolved::decode(&mut content)?),
        19 => Body::Sent(Sent::decode(&mut content)?),
        20 => Body::Canceled(Canceled::decode(&mut content)?),
        21 => Body::Fee(GatewayEntry::decode(&mut content)?),
        22 => Body::Payout(GatewayEntry::decode(&mut content)?),
        number => return Err(Damage::Newer { what: "event kind", number }),
    };
    content.end()?;
    Ok(body)
}

fn encode_created(created: &Created, to: &mut Writer) {
    let terms = &created.terms;
    to.field(1, |w| terms.amount.encode(w));
    to.field(2, |w| terms.destination.encode(w));
    to.field(3, |w| terms.method.encode(w));
    to.optional(4, Some(&terms.metadata).filter(|m| !m.is_empty()), |w, metadata| metadata.encode(w));
    to.optional(5, terms.idempotency_key.as_ref(), |w, key| key.encode(w));
    to.optional(6, Some(&()).filter(|()| created.submitted), |_, ()| ());
    to.optional(7, created.attempt.as_ref(), |w, start| start.encode(w));
    let checkout = &terms.checkout;
    to.optional(8, terms.number.as_ref(), |w, number| number.encode(w));
    to.optional(9, checkout.gateway.as_ref(), |w, name| name.encode(w));
    to.optional(10, checkout.success_url.as_ref(), |w, url| url.encode(w));
    to.optional(11, checkout.cancel_url.as_ref(), |w, url| url.encode(w));
    to.optional(12, Some(&()).filter(|()| checkout.save_card_and_make_default), |_, ()| ());
    to.optional(13, checkout.options.as_ref(), |w, options| options.encode(w));
    let manual = Some(&terms.capture_method).filter(|method| !method.is_automatic());
    to.optional(14, manual, |w, method| method.encode(w));
    to.optional(15, terms.expires_at.as_ref(), |w, at| at.encode(w));
}

fn decode_created(head: &Head<'_>, from: &mut Reader<'_>) -> Result<Created, Damage> {
    let StreamId::Payment(id) = head.stream else {
        return Err(Damage::Misplaced("payment.created"));
    };
    let mut fields = from.fields()?;
    let amount = fields.required(1, Money::decode)?;
    let destination = fields.required(2, Destination::decode)?;
    let method = fields.required(3, PaymentMethod::decode)?;
    let metadata = fields.optional(4, Metadata::decode)?.unwrap_or_default();
    let idempotency_key = fields.optional(5, IdempotencyKey::decode)?;
    let submitted = fields.optional(6, |_| Ok(()))?.is_some();
    let attempt = fields.optional(7, Start::decode)?;
    let terms = Terms {
        scope: head.scope.clone(),
        id: *id,
        amount,
        destination,
        number: fields.optional(8, DestinationNumber::decode)?,
        method,
        checkout: Checkout {
            gateway: fields.optional(9, GatewayName::decode)?,
            success_url: fields.optional(10, ReturnUrl::decode)?,
            cancel_url: fields.optional(11, ReturnUrl::decode)?,
            save_card_and_make_default: fields.optional(12, |_| Ok(()))?.is_some(),
            options: fields.optional(13, GatewayOptions::decode)?,
        },
        capture_method: fields.optional(14, CaptureMethod::decode)?.unwrap_or(CaptureMethod::Automatic),
        expires_at: fields.optional(15, Timestamp::decode)?,
        metadata,
        idempotency_key,
        created_at: head.at,
        created_by: head.actor.clone(),
    };
    let created = Created { terms: Arc::new(terms), submitted, attempt };
    fields.end()?;
    Ok(created)
}
