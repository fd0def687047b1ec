//! A payment's hot part as bytes, for stores. A row is a cache: its events can always make it again.

use std::sync::Arc;

use super::{Closed, Payment, Polls, References, Review, Terms};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::hash::Hash;
use crate::money::Money;
use crate::status::PaymentStatus;
use crate::text::{Actor, Message, NotificationId};

/// Raised when the layout changes. A row is a cache: a store may always make it again from its events.
const LAYOUT: u8 = 1;

impl Payment {
    /// Its hot part as bytes. The terms are not in them: they stand in the stream's first event.
    #[must_use]
    pub fn encode_row(&self) -> Vec<u8> {
        let mut to = Writer::with_capacity(256);
        to.byte(LAYOUT);
        to.field(1, |w| w.varint(self.version));
        to.field(2, |w| w.raw(self.head.as_bytes()));
        to.field(3, |w| self.status.encode(w));
        to.optional(4, Some(&()).filter(|()| self.submitted), |_, ()| ());
        to.optional(5, self.closed.as_ref(), |w, closed| closed.encode(w));
        to.optional(6, self.archived_at.as_ref(), |w, at| at.encode(w));
        to.optional(7, self.succeeded_at.as_ref(), |w, at| at.encode(w));
        to.optional(8, self.failed_at.as_ref(), |w, at| at.encode(w));
        to.field(9, |w| self.updated_at.encode(w));
        to.field(10, |w| self.updated_by.encode(w));
        to.optional(11, Some(&self.operations).filter(|list| !list.is_empty()), |w, list| {
            for operation in list {
                w.nested(|w| operation.encode(w));
            }
        });
        to.optional(12, self.refunded_at.as_ref(), |w, at| at.encode(w));
        to.optional(13, self.voided_at.as_ref(), |w, at| at.encode(w));
        to.optional(14, Some(&self.references).filter(|known| !known.is_empty()), |w, known| known.encode(w));
        to.optional(15, Some(&self.disputes).filter(|list| !list.is_empty()), |w, list| {
            for dispute in list {
                w.nested(|w| dispute.encode(w));
            }
        });
        to.optional(16, self.excess.as_ref(), |w, excess| excess.encode(w));
        to.optional(17, Some(&self.dismissed).filter(|list| !list.is_empty()), |w, list| w.list(list));
        to.optional(18, Some(&self.polls).filter(|polls| **polls != Polls::default()), |w, polls| {
            polls.encode(w);
        });
        to.optional(19, Some(&self.misfits).filter(|list| !list.is_empty()), |w, list| {
            for (review, name) in list {
                review.encode(w);
                w.nested(|w| name.encode(w));
            }
        });
        to.optional(20, self.closed_because.as_ref(), |w, reason| reason.encode(w));
        to.optional(21, self.reopened.as_ref(), |w, sequence| w.varint(*sequence));
        to.into_bytes()
    }

    /// The payment with these `terms` and this hot part.
    pub fn decode_row(terms: Arc<Terms>, row: &[u8]) -> Result<Payment, Damage> {
        let mut from = Reader::new(row);
        match from.byte()? {
            LAYOUT => {}
            number => return Err(Damage::Newer { what: "row layout", number: number.into() }),
        }
        let mut fields = from.fields()?;
        let payment = Payment {
            terms,
            version: fields.required(1, Reader::varint)?,
            head: Hash::new(fields.required(2, Reader::array)?),
            status: fields.required(3, PaymentStatus::decode)?,
            submitted: fields.optional(4, |_| Ok(()))?.is_some(),
            closed: fields.optional(5, Closed::decode)?,
            archived_at: fields.optional(6, Timestamp::decode)?,
            succeeded_at: fields.optional(7, Timestamp::decode)?,
            failed_at: fields.optional(8, Timestamp::decode)?,
            updated_at: fields.required(9, Timestamp::decode)?,
            updated_by: fields.required(10, Actor::decode)?,
            operations: fields.optional(11, decode_each)?.unwrap_or_default(),
            refunded_at: fields.optional(12, Timestamp::decode)?,
            voided_at: fields.optional(13, Timestamp::decode)?,
            references: fields.optional(14, References::decode)?.unwrap_or_default(),
            disputes: fields.optional(15, decode_each)?.unwrap_or_default(),
            excess: fields.optional(16, Money::decode)?,
            dismissed: fields.optional(17, Reader::set)?.unwrap_or_default(),
            polls: fields.optional(18, Polls::decode)?.unwrap_or_default(),
            misfits: fields.optional(19, decode_misfits)?.unwrap_or_default(),
            closed_because: fields.optional(20, Message::decode)?,
            reopened: fields.optional(21, Reader::varint)?,
        };
        fields.end()?;
        Ok(payment)
    }
}

fn decode_misfits(from: &mut Reader<'_>) -> Result<Vec<(Review, NotificationId)>, Damage> {
    let mut misfits = Vec::new();
    while from.end().is_err() {
        misfits.push((Review::decode(from)?, Reader::whole(from.bytes()?)?));
    }
    Ok(misfits)
}

fn decode_each<T: Encode>(from: &mut Reader<'_>) -> Result<Vec<T>, Damage> {
    let mut items = Vec::new();
    while from.end().is_err() {
        items.push(Reader::whole(from.bytes()?)?);
    }
    Ok(items)
}
