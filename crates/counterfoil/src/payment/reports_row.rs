//! What was reported about an operation as bytes, within its payment's row.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::Failure;
use super::reports::{Live, ReportSubject, Reports, Return};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::status::OperationStatus;
use crate::text::{GatewayOperationId, Message, PaymentUrl};

impl Encode for Reports {
    fn encode(&self, to: &mut Writer) {
        to.optional(1, amounts(&self.succeeded), encode_amounts);
        to.optional(2, amounts(&self.authorized), encode_amounts);
        to.optional(3, amounts(&self.others), encode_amounts);
        to.optional(4, self.failed.as_ref(), |w, failure| failure.encode(w));
        to.optional(5, self.canceled.as_ref(), |w, message| message.encode(w));
        to.optional(6, Some(&self.returns).filter(|returns| !returns.is_empty()), |w, returns| {
            for (name, back) in returns {
                w.text(name);
                w.nested(|w| back.encode(w));
            }
        });
        to.optional(7, self.release.as_ref(), |w, release| release.encode(w));
        to.optional(8, self.live.as_ref(), |w, live| live.encode(w));
        to.optional(9, self.not_sent.as_ref(), |w, message| message.encode(w));
        to.optional(10, self.unknown.as_ref(), |w, message| message.encode(w));
        to.optional(11, Some(&self.gateway_operation_ids).filter(|ids| !ids.is_empty()), |w, ids| {
            w.list(ids);
        });
        to.optional(12, Some(&self.parents).filter(|ids| !ids.is_empty()), |w, ids| w.list(ids));
        to.optional(13, Some(&self.reviews).filter(|reviews| !reviews.is_empty()), |w, reviews| {
            w.list(reviews);
        });
        to.optional(14, Some(&()).filter(|()| self.is_sized), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Reports, Damage> {
        let mut fields = from.fields()?;
        let reports = Reports {
            succeeded: fields.optional(1, decode_amounts)?.unwrap_or_default(),
            authorized: fields.optional(2, decode_amounts)?.unwrap_or_default(),
            others: fields.optional(3, decode_amounts)?.unwrap_or_default(),
            failed: fields.optional(4, Failure::decode)?,
            canceled: fields.optional(5, Message::decode)?,
            returns: fields.optional(6, decode_returns)?.unwrap_or_default(),
            release: fields.optional(7, Return::decode)?,
            live: fields.optional(8, Live::decode)?,
            not_sent: fields.optional(9, Message::decode)?,
            unknown: fields.optional(10, Message::decode)?,
            gateway_operation_ids: fields.optional(11, Reader::set)?.unwrap_or_default(),
            parents: fields.optional(12, Reader::set)?.unwrap_or_default(),
            reviews: fields.optional(13, Reader::set)?.unwrap_or_default(),
            is_sized: fields.optional(14, |_| Ok(()))?.is_some(),
        };
        fields.end()?;
        Ok(reports)
    }
}

fn amounts(amounts: &BTreeSet<i64>) -> Option<&BTreeSet<i64>> {
    Some(amounts).filter(|amounts| !amounts.is_empty())
}

fn encode_amounts(to: &mut Writer, amounts: &BTreeSet<i64>) {
    for amount in amounts {
        to.signed(*amount);
    }
}

fn decode_amounts(from: &mut Reader<'_>) -> Result<BTreeSet<i64>, Damage> {
    let mut amounts = BTreeSet::new();
    while from.end().is_err() {
        let amount = from.signed()?;
        if amounts.last().is_some_and(|last| *last >= amount) {
            return Err(Damage::Malformed("order of amounts"));
        }
        amounts.insert(amount);
    }
    Ok(amounts)
}

fn decode_returns(from: &mut Reader<'_>) -> Result<BTreeMap<Box<str>, Return>, Damage> {
    let mut returns: BTreeMap<Box<str>, Return> = BTreeMap::new();
    while from.end().is_err() {
        let name = from.text()?;
        if returns.last_key_value().is_some_and(|(last, _)| &**last >= name) {
            return Err(Damage::Malformed("order of returns"));
        }
        returns.insert(name.into(), Reader::whole(from.bytes()?)?);
    }
    Ok(returns)
}

impl Encode for Return {
    fn encode(&self, to: &mut Writer) {
        to.optional(1, Some(&self.amount).filter(|amount| **amount != 0), |w, amount| w.signed(*amount));
        to.optional(2, Some(&()).filter(|()| self.whole), |_, ()| ());
        to.optional(3, Some(&()).filter(|()| self.canceled), |_, ()| ());
        to.optional(4, self.message.as_ref(), |w, message| message.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Return, Damage> {
        let mut fields = from.fields()?;
        let back = Return {
            amount: fields.optional(1, Reader::signed)?.unwrap_or_default(),
            whole: fields.optional(2, |_| Ok(()))?.is_some(),
            canceled: fields.optional(3, |_| Ok(()))?.is_some(),
            message: fields.optional(4, Message::decode)?,
        };
        fields.end()?;
        Ok(back)
    }
}

impl Encode for Live {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.at.encode(w));
        to.field(2, |w| self.status.encode(w));
        to.optional(3, self.payment_url.as_ref(), |w, url| url.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Live, Damage> {
        let mut fields = from.fields()?;
        let live = Live {
            at: fields.required(1, Timestamp::decode)?,
            status: fields.required(2, OperationStatus::decode)?,
            payment_url: fields.optional(3, PaymentUrl::decode)?,
        };
        fields.end()?;
        Ok(live)
    }
}

impl Encode for ReportSubject {
    fn encode(&self, to: &mut Writer) {
        match self {
            ReportSubject::Operation => to.byte(1),
            ReportSubject::Authorization => to.byte(2),
            ReportSubject::Return(None) => to.byte(3),
            ReportSubject::Return(Some(name)) => {
                to.byte(4);
                name.encode(to);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<ReportSubject, Damage> {
        match from.byte()? {
            1 => Ok(ReportSubject::Operation),
            2 => Ok(ReportSubject::Authorization),
            3 => Ok(ReportSubject::Return(None)),
            4 => Ok(ReportSubject::Return(Some(GatewayOperationId::decode(from)?))),
            number => Err(Damage::Newer { what: "subject of a report", number: number.into() }),
        }
    }
}
