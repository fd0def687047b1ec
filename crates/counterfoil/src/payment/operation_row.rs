//! An operation as bytes, within its payment's row.

use super::evidence::Failure;
use super::operation::{Operation, Polls};
use super::operation_id::OperationId;
use super::reports::{Live, Reports};
use super::retry::Retry;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::AttemptId;
use crate::money::Money;
use crate::text::{Actor, GatewayName, Message, Metadata, PaymentMethodId};

impl Encode for Operation {
    fn encode(&self, to: &mut Writer) {
        let reports = &self.reports;
        to.field(1, |w| self.id.encode(w));
        to.field(2, |w| w.varint(self.number.into()));
        to.field(3, |w| self.amount.encode(w));
        to.optional(4, self.gateway.as_ref(), |w, name| name.encode(w));
        to.optional(5, self.instrument.as_ref(), |w, id| id.encode(w));
        to.optional(6, self.lease_until.as_ref(), |w, at| at.encode(w));
        to.field(7, |w| w.varint(self.sequence));
        to.field(8, |w| self.created_at.encode(w));
        to.field(9, |w| self.created_by.encode(w));
        to.field(10, |w| self.updated_at.encode(w));
        to.field(11, |w| self.updated_by.encode(w));
        to.optional(12, reports.succeeded.as_ref(), |w, moved| moved.encode(w));
        to.optional(13, reports.failed.as_ref(), |w, failure| failure.encode(w));
        to.optional(14, reports.live.as_ref(), |w, live| live.encode(w));
        to.optional(15, reports.not_sent.as_ref(), |w, message| message.encode(w));
        to.optional(16, reports.unknown.as_ref(), |w, message| message.encode(w));
        to.optional(17, Some(&reports.gateway_operation_ids).filter(|ids| !ids.is_empty()), |w, ids| {
            w.list(ids);
        });
        to.optional(18, Some(&reports.reviews).filter(|reviews| !reviews.is_empty()), |w, reviews| {
            w.list(reviews);
        });
        to.optional(19, reports.canceled.as_ref(), |w, message| message.encode(w));
        to.optional(20, reports.reversed.as_ref(), |w, message| message.encode(w));
        to.optional(21, Some(&()).filter(|()| self.holds), |_, ()| ());
        to.optional(22, self.attempt.as_ref(), |w, id| id.encode(w));
        to.optional(23, self.releases.as_ref(), |w, amount| amount.encode(w));
        to.optional(24, self.reason.as_ref(), |w, message| message.encode(w));
        to.optional(25, Some(&self.metadata).filter(|notes| !notes.is_empty()), |w, notes| notes.encode(w));
        to.optional(26, self.retry.as_ref(), |w, retry| retry.encode(w));
        to.optional(27, self.expired.as_ref(), |w, amount| amount.encode(w));
        to.optional(28, Some(&self.polls).filter(|polls| **polls != Polls::default()), |w, polls| {
            polls.encode(w);
        });
        to.optional(29, Some(&()).filter(|()| self.found), |_, ()| ());
        to.optional(30, self.resent_until.as_ref(), |w, at| at.encode(w));
        to.optional(31, Some(&reports.smaller).filter(|_| reports.differ()), |w, smaller| w.list(smaller));
        to.optional(32, reports.authorized.as_ref(), |w, amount| amount.encode(w));
        to.optional(33, Some(&()).filter(|()| self.scheduled), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Operation, Damage> {
        let mut fields = from.fields()?;
        let mut operation = Operation {
            id: fields.required(1, OperationId::decode)?,
            number: u32::try_from(fields.required(2, Reader::varint)?)
                .map_err(|_| Damage::Malformed("attempt number"))?,
            amount: fields.required(3, Money::decode)?,
            gateway: fields.optional(4, GatewayName::decode)?,
            instrument: fields.optional(5, PaymentMethodId::decode)?,
            lease_until: fields.optional(6, Timestamp::decode)?,
            sequence: fields.required(7, Reader::varint)?,
            created_at: fields.required(8, Timestamp::decode)?,
            created_by: fields.required(9, Actor::decode)?,
            updated_at: fields.required(10, Timestamp::decode)?,
            updated_by: fields.required(11, Actor::decode)?,
            resent_until: None,
            holds: false,
            found: false,
            attempt: None,
            releases: None,
            reason: None,
            metadata: Metadata::default(),
            retry: None,
            scheduled: false,
            expired: None,
            polls: Polls::default(),
            reports: Reports {
                succeeded: fields.optional(12, Money::decode)?,
                smaller: Vec::new(),
                authorized: None,
                failed: fields.optional(13, Failure::decode)?,
                live: fields.optional(14, Live::decode)?,
                not_sent: fields.optional(15, Message::decode)?,
                unknown: fields.optional(16, Message::decode)?,
                gateway_operation_ids: fields.optional(17, Reader::set)?.unwrap_or_default(),
                reviews: fields.optional(18, Reader::set)?.unwrap_or_default(),
                canceled: fields.optional(19, Message::decode)?,
                reversed: fields.optional(20, Message::decode)?,
            },
        };
        operation.holds = fields.optional(21, |_| Ok(()))?.is_some();
        operation.attempt = fields.optional(22, AttemptId::decode)?;
        operation.releases = fields.optional(23, Money::decode)?;
        operation.reason = fields.optional(24, Message::decode)?;
        operation.metadata = fields.optional(25, Metadata::decode)?.unwrap_or_default();
        operation.retry = fields.optional(26, Retry::decode)?;
        operation.expired = fields.optional(27, Money::decode)?;
        operation.polls = fields.optional(28, Polls::decode)?.unwrap_or_default();
        operation.found = fields.optional(29, |_| Ok(()))?.is_some();
        operation.resent_until = fields.optional(30, Timestamp::decode)?;
        operation.reports.smaller = fields.optional(31, smaller)?.unwrap_or_default();
        operation.reports.authorized = fields.optional(32, Money::decode)?;
        operation.scheduled = fields.optional(33, |_| Ok(()))?.is_some();
        fields.end()?;
        Ok(operation)
    }
}

fn smaller(from: &mut Reader<'_>) -> Result<Vec<Money>, Damage> {
    let smaller: Vec<Money> = from.list()?;
    let ordered = smaller.is_sorted_by(|a, b| a.minor() < b.minor());
    if ordered { Ok(smaller) } else { Err(Damage::Malformed("order of amounts")) }
}

impl Encode for Polls {
    fn encode(&self, to: &mut Writer) {
        to.varint(self.count.into());
        if let Some(next) = self.next {
            next.encode(to);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Polls, Damage> {
        let count = u32::try_from(from.varint()?).map_err(|_| Damage::Malformed("count of polls"))?;
        let next = if from.end().is_ok() { None } else { Some(Timestamp::decode(from)?) };
        Ok(Polls { count, next })
    }
}
