//! One operation at a gateway, and what has been reported about it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::evidence::{Evidence, Failure};
use super::reports::{Live, Reports, Review};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::event::Reported;
use crate::id::{AttemptId, InvalidId, RefundId, VoidId};
use crate::money::Money;
use crate::status::OperationStatus;
use crate::text::{Actor, GatewayName, GatewayOperationId, Message, PaymentMethodId, PaymentUrl};

/// The id of an operation, which tells its kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OperationId {
    /// A charge or an authorization.
    Attempt(AttemptId),
    /// Captured money given back.
    Refund(RefundId),
    /// Captured money given back as if it had never been captured.
    Void(VoidId),
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperationId::Attempt(id) => fmt::Display::fmt(id, f),
            OperationId::Refund(id) => fmt::Display::fmt(id, f),
            OperationId::Void(id) => fmt::Display::fmt(id, f),
        }
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<AttemptId> for OperationId {
    fn from(id: AttemptId) -> OperationId {
        OperationId::Attempt(id)
    }
}

impl FromStr for OperationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<OperationId, InvalidId> {
        match text.split_once('_').map_or(text, |(prefix, _)| prefix) {
            RefundId::PREFIX => text.parse().map(OperationId::Refund),
            VoidId::PREFIX => text.parse().map(OperationId::Void),
            _ => text.parse().map(OperationId::Attempt),
        }
    }
}

impl Serialize for OperationId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Encode for OperationId {
    fn encode(&self, to: &mut Writer) {
        match self {
            OperationId::Attempt(id) => {
                to.byte(1);
                id.encode(to);
            }
            OperationId::Refund(id) => {
                to.byte(2);
                id.encode(to);
            }
            OperationId::Void(id) => {
                to.byte(3);
                id.encode(to);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<OperationId, Damage> {
        match from.byte()? {
            1 => Ok(OperationId::Attempt(AttemptId::decode(from)?)),
            2 => Ok(OperationId::Refund(RefundId::decode(from)?)),
            3 => Ok(OperationId::Void(VoidId::decode(from)?)),
            number => Err(Damage::Newer { what: "operation kind", number: number.into() }),
        }
    }
}

/// Something that moves money of a payment: a charge attempt, a refund, a void. Written down before a gateway is
/// called, and never forgotten.
///
/// Its [`status`](Self::status) follows from the set of reports about it by precedence, whatever the order
/// in which they arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its id. Everything sent to a gateway for it carries a token made of this id alone.
    pub id: OperationId,
    /// 1, 2, 3 … among those of its kind of its payment.
    pub number: u32,
    /// What was asked for.
    pub amount: Money,
    /// Who was asked; `None` inside our own books.
    pub gateway: Option<GatewayName>,
    /// The instrument.
    pub instrument: Option<PaymentMethodId>,
    /// Until when the caller that started it may still be on its way to the gateway.
    pub lease_until: Option<Timestamp>,
    /// The sequence of the event that started it.
    pub sequence: u64,
    /// When it was started.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Actor,
    /// When something was last learnt about it.
    pub updated_at: Timestamp,
    /// From whom.
    pub updated_by: Actor,
    pub(crate) reports: Reports,
}

impl Operation {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> OperationStatus {
        self.reports.status()
    }

    /// What it has moved; nothing unless it succeeded.
    #[must_use]
    pub fn moved(&self) -> Option<Money> {
        self.reports.succeeded
    }

    /// What the gateway calls it. Of several names, which are flagged, the last in order.
    #[must_use]
    pub fn gateway_operation_id(&self) -> Option<&GatewayOperationId> {
        self.reports.gateway_operation_ids.last()
    }

    pub(crate) fn is_known_as(&self, id: &GatewayOperationId) -> bool {
        self.reports.gateway_operation_ids.contains(id)
    }

    /// The no it was answered, while that is its end.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.reports.failed.as_ref().filter(|_| self.status() == OperationStatus::Failed)
    }

    /// Why it did not go well, in words, while that is how it stands.
    #[must_use]
    pub fn error_message(&self) -> Option<&Message> {
        match self.status() {
            OperationStatus::Failed => self.reports.failed.as_ref().map(|failure| &failure.message),
            OperationStatus::Canceled => self.reports.canceled.as_ref(),
            OperationStatus::NotSent => self.reports.not_sent.as_ref(),
            OperationStatus::Unknown => self.reports.unknown.as_ref(),
            _ => None,
        }
    }

    /// Until when its starter may be on its way to the gateway, as long as nothing was heard of it.
    #[must_use]
    pub fn runs_until(&self) -> Option<Timestamp> {
        self.lease_until.filter(|_| self.reports == Reports::default())
    }

    /// Where the payer is sent, while the payer must act.
    #[must_use]
    pub fn payment_url(&self) -> Option<&PaymentUrl> {
        let live = self.reports.live.as_ref();
        live.filter(|_| self.status() == OperationStatus::RequiresAction)?.payment_url.as_ref()
    }

    /// Takes in `evidence`; `clash` if the gateway's id in it is another operation's.
    pub(crate) fn learn(&mut self, evidence: &Evidence, clash: bool) {
        self.reports.add(self.amount, evidence, clash);
    }

    /// Takes in what was reported; a person's word about it is marked.
    pub(crate) fn hear(&mut self, reported: &Reported) {
        self.learn(&reported.evidence, reported.gateway_id_clash);
        if reported.note.is_some() {
            self.reports.reviews.insert(Review::Resolved);
        }
    }

    /// What an operation that asked for `asked` moves when nothing but `evidence` is known of it.
    pub(crate) fn moved_by(asked: Money, evidence: &Evidence) -> Money {
        let mut reports = Reports::default();
        reports.add(asked, evidence, false);
        reports.succeeded.unwrap_or(Money::zero(asked.currency()))
    }

    /// Why a person should look at it.
    #[must_use]
    pub fn reviews(&self) -> BTreeSet<Review> {
        let mut reviews = self.reports.reviews.clone();
        if self.reports.contradict() {
            reviews.insert(Review::Contradiction);
        }
        reviews
    }
}

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
    }

    fn decode(from: &mut Reader<'_>) -> Result<Operation, Damage> {
        let mut fields = from.fields()?;
        let operation = Operation {
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
            reports: Reports {
                succeeded: fields.optional(12, Money::decode)?,
                failed: fields.optional(13, Failure::decode)?,
                live: fields.optional(14, Live::decode)?,
                not_sent: fields.optional(15, Message::decode)?,
                unknown: fields.optional(16, Message::decode)?,
                gateway_operation_ids: fields.optional(17, Reader::set)?.unwrap_or_default(),
                reviews: fields.optional(18, Reader::set)?.unwrap_or_default(),
                canceled: fields.optional(19, Message::decode)?,
            },
        };
        fields.end()?;
        Ok(operation)
    }
}
