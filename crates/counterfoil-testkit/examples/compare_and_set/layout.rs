//! Under which keys things stand, and as which bytes. Names hold no NUL, so a NUL between them keeps them apart and in
//! the order of the contract; numbers are big-endian, so that they sort.

use std::ops::RangeInclusive;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::{Account, AccountId};
use counterfoil::claim::ClaimKey;
use counterfoil::clock::Timestamp;
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{Due, Head, Key, LedgerId, Record};
use counterfoil::text::{EnvironmentId, TenantId};
use uuid::Uuid;

use super::remote::{Bytes, Versioned};

/// The id of the ledger, and the number of the last event there is.
pub(crate) const LAST: &[u8] = b"n";
/// Behind every key that begins alike.
const END: [u8; 32] = [0xff; 32];

fn of_scope(kind: u8, scope: &Scope) -> Bytes {
    let (tenant, environment) = (scope.tenant().as_str(), scope.environment().as_str());
    [&[kind], tenant.as_bytes(), &[0], environment.as_bytes(), &[0]].concat()
}

fn of_stream(kind: u8, scope: &Scope, stream: &StreamId) -> Bytes {
    match stream {
        StreamId::Payment(id) => [&of_scope(kind, scope)[..], &[1], id.as_uuid().as_bytes()].concat(),
        StreamId::Account(id) => [&of_scope(kind, scope)[..], &[2], id.as_str().as_bytes()].concat(),
    }
}

/// Where what a command looks up stands.
pub(crate) fn record(key: &Key) -> Bytes {
    match key {
        Key::Claim(ClaimKey { scope, kind, name }) => {
            [&of_scope(b'c', scope)[..], kind.as_str().as_bytes(), &[0], name.as_bytes()].concat()
        }
        Key::Payment(scope, id) => [&of_scope(b'p', scope)[..], id.as_uuid().as_bytes()].concat(),
        Key::Account(scope, id) => [&of_scope(b'a', scope)[..], id.as_str().as_bytes()].concat(),
    }
}

/// Where the rest of it stands: of a payment, its terms, which are those of its first event.
pub(crate) fn beside(key: &Key) -> Bytes {
    match key {
        Key::Payment(scope, id) => event(scope, &StreamId::Payment(*id), 1),
        _ => Bytes::new(),
    }
}

pub(crate) fn event(scope: &Scope, stream: &StreamId, sequence: u64) -> Bytes {
    [&of_stream(b'e', scope, stream)[..], &[0], &sequence.to_be_bytes()].concat()
}

pub(crate) fn head(scope: &Scope, stream: &StreamId) -> Bytes {
    of_stream(b'h', scope, stream)
}

pub(crate) fn feed(number: u64) -> Bytes {
    [&b"f"[..], &number.to_be_bytes()].concat()
}

pub(crate) fn due(due: &Due) -> Bytes {
    [&due_at(due.at)[..], &of_scope(b' ', &due.scope)[1..], due.payment.as_uuid().as_bytes()].concat()
}

fn due_at(at: Timestamp) -> Bytes {
    // With the sign turned, what is before 1970 comes first.
    let sorted = at.unix_micros().cast_unsigned() ^ (1 << 63);
    [&b"d"[..], &sorted.to_be_bytes()].concat()
}

/// All that is due by now.
pub(crate) fn due_by(now: Timestamp) -> RangeInclusive<Bytes> {
    b"d".to_vec()..=[&due_at(now)[..], &END].concat()
}

/// All keys from one on that begin with the same letter.
pub(crate) fn from(first: Bytes) -> RangeInclusive<Bytes> {
    let end = [&first[..1], &END].concat();
    first..=end
}

/// The payments of a scope.
pub(crate) fn payments(scope: &Scope) -> RangeInclusive<Bytes> {
    let start = of_scope(b'p', scope);
    start.clone()..=[&start[..], &END].concat()
}

pub(crate) fn write_event(event: &Event) -> Bytes {
    [&event.hash().as_bytes()[..], event.bytes()].concat()
}

pub(crate) fn read_event(bytes: &[u8]) -> Result<Arc<Event>, Damage> {
    let (hash, bytes) = bytes.split_first_chunk().ok_or(Damage::Malformed("event"))?;
    Event::decode(bytes, Hash::new(*hash)).map(Arc::new)
}

/// What stands at [`record`]; at that of a claim stands the event that took it.
pub(crate) fn write_row(record: &Record) -> Bytes {
    match record {
        Record::Payment(payment) => payment.encode_row(),
        Record::Account(account) => account.encode_row(),
        Record::Claim(_) => Bytes::new(),
    }
}

/// What stands at [`record`] and [`beside`] it.
pub(crate) fn read_record(key: &Key, value: &[u8], beside: Option<&Versioned>) -> Result<Record, Damage> {
    match key {
        Key::Payment(..) => read_payment(value, beside).map(Record::Payment),
        Key::Account(scope, id) => {
            Account::decode_row(scope.clone(), id.clone(), value).map(Arc::new).map(Record::Account)
        }
        Key::Claim(key) => {
            let event = read_event(value)?;
            let claim = event.claims().iter().find(|claim| claim.key == *key);
            claim.cloned().map(Record::Claim).ok_or(Damage::Malformed("claim"))
        }
    }
}

pub(crate) fn read_payment(row: &[u8], first: Option<&Versioned>) -> Result<Arc<Payment>, Damage> {
    let (_, first) = first.ok_or(Damage::Malformed("payment"))?;
    let first = read_event(first)?;
    let terms = first.terms().ok_or(Damage::Malformed("terms"))?;
    Payment::decode_row(terms.clone(), row).map(Arc::new)
}

/// The payment whose row stands under this key.
pub(crate) fn read_payment_id(key: &[u8]) -> Result<PaymentId, Damage> {
    let id = key.last_chunk().ok_or(Damage::Malformed("payment id"))?;
    Ok(PaymentId::new(Uuid::from_bytes(*id)))
}

pub(crate) fn read_due(key: &[u8]) -> Result<Due, Damage> {
    let damaged = Damage::Malformed("due");
    let (at, rest) = key.get(1..).and_then(<[u8]>::split_first_chunk).ok_or(damaged.clone())?;
    let micros = (u64::from_be_bytes(*at) ^ (1 << 63)).cast_signed();
    let at = Timestamp::from_unix_micros(micros).ok_or(damaged)?;
    let (scope, _) = read_scope(rest)?;
    Ok(Due { at, scope, payment: read_payment_id(rest)? })
}

pub(crate) fn read_head(key: &[u8], value: &[u8]) -> Result<Head, Damage> {
    let damaged = || Damage::Malformed("head");
    let (scope, name) = read_scope(&key[1..])?;
    let stream = match name {
        [1, _, ..] => StreamId::Payment(read_payment_id(name)?),
        [2, id @ ..] => {
            let id = str::from_utf8(id).ok().and_then(AccountId::from_text);
            StreamId::Account(id.ok_or_else(damaged)?)
        }
        _ => return Err(damaged()),
    };
    let (version, hash) = value.split_first_chunk().ok_or_else(damaged)?;
    let hash = Hash::new(hash.try_into().map_err(|_| damaged())?);
    Ok(Head { scope, stream, version: u64::from_be_bytes(*version), hash })
}

fn read_scope(bytes: &[u8]) -> Result<(Scope, &[u8]), Damage> {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut next = || parts.next().ok_or(Damage::Malformed("scope"));
    let [tenant, environment, rest] = [next()?, next()?, next()?];
    let text = |bytes| str::from_utf8(bytes).map_err(|_| Damage::Malformed("scope"));
    let tenant = TenantId::new(text(tenant)?).map_err(|_| Damage::Malformed("tenant"))?;
    let environment = EnvironmentId::new(text(environment)?).map_err(|_| Damage::Malformed("environment"))?;
    Ok((Scope::new(tenant, environment), rest))
}

/// The value at [`LAST`].
pub(crate) fn write_last(ledger: LedgerId, number: u64) -> Bytes {
    [ledger.bits().to_be_bytes(), number.to_be_bytes()].concat()
}

/// Reads the value at [`LAST`]. None while there is no event.
pub(crate) fn read_last(value: Option<&Versioned>) -> Option<(LedgerId, u64)> {
    let (_, value) = value?;
    let (ledger, number) = value.split_first_chunk()?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    Some((LedgerId::new(u64::from_be_bytes(*ledger)), number))
}
