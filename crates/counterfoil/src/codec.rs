//! The primitives of the canonical bytes: what the hash chain covers and what rows are kept as.
//!
//! Integers are minimal LEB128 (signed ones zigzag first), everything of variable size is length-prefixed,
//! and a record with optional parts is a list of fields `(tag, length, content)` in rising order of tag with
//! absent ones left out. So a value has exactly one encoding, and a later version can add a field without
//! moving a byte of what is already written.

use std::collections::BTreeSet;

use uuid::Uuid;

/// Bytes that are not what this version writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The bytes end too early, go on too long, or hold a value that is never written.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Written by a version that knows more than this one.
    #[error("{what} {number} is newer than this version knows")]
    Newer {
        /// What is unknown: a format, a field, a kind.
        what: &'static str,
        /// Its number.
        number: u64,
    },
    /// The event does not follow from the state it is applied to.
    #[error("{0} does not follow from the events before it")]
    Misplaced(&'static str),
}

/// A value with exactly one encoding.
pub(crate) trait Encode: Sized {
    fn encode(&self, to: &mut Writer);
    fn decode(from: &mut Reader<'_>) -> Result<Self, Damage>;
}

#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn uuid(&mut self, id: Uuid) {
        self.raw(id.as_bytes());
    }

    /// Writes a field of a record. Call in rising order of `tag`.
    pub(crate) fn field(&mut self, tag: u64, content: impl FnOnce(&mut Writer)) {
        self.varint(tag);
        self.nested(content);
    }

    /// Writes `content` with its length before it.
    pub(crate) fn nested(&mut self, content: impl FnOnce(&mut Writer)) {
        let start = self.0.len();
        content(self);
        // Moving a short content up is cheaper than writing it into a buffer of its own.
        let mut length = Writer::default();
        length.varint((self.0.len() - start) as u64);
        self.0.splice(start..start, length.0);
    }

    pub(crate) fn optional<T>(&mut self, tag: u64, value: Option<&T>, content: impl FnOnce(&mut Writer, &T)) {
        if let Some(value) = value {
            self.field(tag, |w| content(w, value));
        }
    }

    /// Writes how many items there are, then each.
    pub(crate) fn list<'t, T: Encode + 't>(
        &mut self,
        items: impl IntoIterator<Item = &'t T, IntoIter: ExactSizeIterator>,
    ) {
        let items = items.into_iter();
        self.varint(items.len() as u64);
        for item in items {
            item.encode(self);
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// Decodes a value that takes up all of `bytes`.
    pub(crate) fn whole<T: Encode>(bytes: &'a [u8]) -> Result<T, Damage> {
        let mut reader = Reader(bytes);
        let value = T::decode(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    pub(crate) fn end(&self) -> Result<(), Damage> {
        if self.0.is_empty() { Ok(()) } else { Err(Damage::Malformed("end: bytes are left over")) }
    }

    pub(crate) fn raw(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damage::Malformed("length"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        self.raw(N)?.try_into().map_err(|_| Damage::Malformed("length"))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damage> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Damage> {
        let mut value = 0_u64;
        for shift in (0..).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let minimal = byte != 0 || shift == 0;
            if shift > 63 || (shift == 63 && bits > 1) || !minimal {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damage::Malformed("integer"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Damage> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Damage> {
        let length = usize::try_from(self.varint()?).map_err(|_| Damage::Malformed("length"))?;
        self.raw(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damage> {
        str::from_utf8(self.bytes()?).map_err(|_| Damage::Malformed("text"))
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, Damage> {
        self.array().map(Uuid::from_bytes)
    }

    pub(crate) fn list<T: Encode>(&mut self) -> Result<Vec<T>, Damage> {
        // Grown as items are read: a count alone must not allocate.
        let count = self.varint()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    pub(crate) fn set<T: Encode + Ord>(&mut self) -> Result<BTreeSet<T>, Damage> {
        let items = self.list()?;
        if !items.is_sorted_by(|a, b| a < b) {
            return Err(Damage::Malformed("order of a set"));
        }
        Ok(items.into_iter().collect())
    }

    /// Reads the rest as the fields of a record.
    pub(crate) fn fields(&mut self) -> Result<Fields<'a>, Damage> {
        let mut fields = Fields { rest: Reader(std::mem::take(&mut self.0)), next: None, last: 0 };
        fields.advance()?;
        Ok(fields)
    }
}

/// The fields of a record, taken in rising order of tag.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    rest: Reader<'a>,
    next: Option<(u64, &'a [u8])>,
    last: u64,
}

impl<'a> Fields<'a> {
    fn advance(&mut self) -> Result<(), Damage> {
        self.next = None;
        if self.rest.0.is_empty() {
            return Ok(());
        }
        let tag = self.rest.varint()?;
        if tag <= self.last {
            return Err(Damage::Malformed("order of fields"));
        }
        self.last = tag;
        self.next = Some((tag, self.rest.bytes()?));
        Ok(())
    }

    pub(crate) fn optional<T>(
        &mut self,
        tag: u64,
        content: impl FnOnce(&mut Reader<'a>) -> Result<T, Damage>,
    ) -> Result<Option<T>, Damage> {
        let Some((found, bytes)) = self.next else { return Ok(None) };
        if found < tag {
            return Err(Damage::Newer { what: "field", number: found });
        }
        if found > tag {
            return Ok(None);
        }
        let mut reader = Reader(bytes);
        let value = content(&mut reader)?;
        reader.end()?;
        self.advance()?;
        Ok(Some(value))
    }

    pub(crate) fn required<T>(
        &mut self,
        tag: u64,
        content: impl FnOnce(&mut Reader<'a>) -> Result<T, Damage>,
    ) -> Result<T, Damage> {
        self.optional(tag, content)?.ok_or(Damage::Malformed("record: a field is missing"))
    }

    pub(crate) fn end(self) -> Result<(), Damage> {
        match self.next {
            None => Ok(()),
            Some((number, _)) => Err(Damage::Newer { what: "field", number }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn varint(value: u64) -> Vec<u8> {
        let mut w = Writer::default();
        w.varint(value);
        w.into_bytes()
    }

    proptest! {
        #[test]
        fn integers_come_back(value: u64, signed: i64) {
            let mut w = Writer::default();
            w.varint(value);
            w.signed(signed);
            let bytes = w.into_bytes();
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(r.varint(), Ok(value));
            prop_assert_eq!(r.signed(), Ok(signed));
            prop_assert_eq!(r.end(), Ok(()));
        }

        #[test]
        fn what_decodes_is_the_only_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut r = Reader::new(&bytes);
            if let Ok(value) = r.varint() {
                let used = bytes.len() - r.0.len();
                prop_assert_eq!(bytes[..used].to_vec(), varint(value));
            }
        }
    }

    #[test]
    fn longer_forms_of_an_integer_are_refused() {
        for bytes in [&[0x80, 0x00][..], &[0xff; 11][..], &[0x80; 10][..], &[]] {
            assert!(Reader::new(bytes).varint().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn fields_out_of_order_unknown_or_missing_are_named() {
        let mut w = Writer::default();
        w.field(2, |w| w.byte(1));
        w.field(5, |w| w.byte(2));
        let bytes = w.into_bytes();
        let fields = || Reader::new(&bytes).fields().unwrap();

        let mut f = fields();
        assert_eq!(f.required(2, Reader::byte), Ok(1));
        assert_eq!(f.optional(3, Reader::byte), Ok(None));
        assert_eq!(f.required(4, Reader::byte), Err(Damage::Malformed("record: a field is missing")));
        assert_eq!(f.end(), Err(Damage::Newer { what: "field", number: 5 }));
        assert_eq!(fields().optional(3, Reader::byte), Err(Damage::Newer { what: "field", number: 2 }));

        let twice = [bytes.clone(), bytes.clone()].concat();
        let mut f = Reader::new(&twice).fields().unwrap();
        assert_eq!(f.required(2, Reader::byte), Ok(1));
        assert_eq!(f.required(5, Reader::byte), Err(Damage::Malformed("order of fields")));
    }
}
