//! Small DER writer and cursor. The few structures of CMS are written out by hand here, because their exact
//! bytes are the contract with other implementations.

use super::CmsError;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]` constructed.
pub(crate) const CONTEXT_0: u8 = 0xA0;
/// `[1]` constructed.
pub(crate) const CONTEXT_1: u8 = 0xA1;

/// Encodes one element: tag, shortest length, the parts one after the other.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.extend(u8::try_from(length));
        return;
    }
    let bytes = length.to_be_bytes();
    let skip = bytes.iter().take_while(|b| **b == 0).count();
    out.extend(u8::try_from(bytes.len() - skip).map(|n| 0x80 | n));
    out.extend_from_slice(&bytes[skip..]);
}

/// One element of a DER value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    /// Tag, length and value.
    pub(crate) whole: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// Walks the elements of a DER value from front to back.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next element, `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Tlv<'a>>, CmsError> {
        let Some((&tag, after_tag)) = self.rest.split_first() else {
            return Ok(None);
        };
        let (&first, mut tail) = after_tag
            .split_first()
            .ok_or(CmsError::Malformed("an element's length"))?;
        if tag & 0x1F == 0x1F {
            return Err(CmsError::Malformed("a tag number above 30"));
        }
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7F);
            if count == 0 || count > 4 || count > tail.len() {
                return Err(CmsError::Malformed("an element's length"));
            }
            let (digits, after) = tail.split_at(count);
            tail = after;
            digits.iter().fold(0usize, |n, d| (n << 8) | usize::from(*d))
        };
        if length > tail.len() {
            return Err(CmsError::Malformed("an element longer than what holds it"));
        }
        let (value, rest) = tail.split_at(length);
        let whole = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Ok(Some(Tlv { tag, whole, value }))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Tlv<'a>, CmsError> {
        match self.next()? {
            Some(found) if found.tag == tag => Ok(found),
            _ => Err(CmsError::Malformed(what)),
        }
    }

    /// The next element if it has this tag; else nothing is consumed.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, CmsError> {
        if self.rest.first() == Some(&tag) {
            self.next()
        } else {
            Ok(None)
        }
    }

    /// Fails unless everything was consumed.
    pub(crate) fn end(&self, what: &'static str) -> Result<(), CmsError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CmsError::Malformed(what))
        }
    }
}
