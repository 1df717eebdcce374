//! Streaming reader of BER: definite and indefinite lengths, every length bounded by what encloses it.

use std::io::{BufRead, BufReader, Read};

use super::CmsError;
use super::der::{Cursor, OCTET_STRING, tlv};

/// Deepest nesting followed. Real messages need about ten levels.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING_CONSTRUCTED: u8 = OCTET_STRING | CONSTRUCTED;

/// Tag and length of an element; `length` is `None` for the indefinite form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    pub(crate) length: Option<u64>,
}

enum Frame {
    /// Ends at this position of the input.
    Definite(u64),
    /// Ends with an end-of-contents element, at the latest at this position.
    Indefinite(u64),
}

/// Walks into and out of elements of a BER value that is never held as a whole.
pub(crate) struct BerReader<R> {
    inner: BufReader<R>,
    position: u64,
    frames: Vec<Frame>,
}

impl<R: Read> BerReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            position: 0,
            frames: Vec::new(),
        }
    }

    /// The next element of the current frame, `None` at the frame's end. The caller must then
    /// `enter`, read or `element` it.
    pub(crate) fn next(&mut self) -> Result<Option<Header>, CmsError> {
        let limit = match self.frames.last() {
            Some(Frame::Definite(end)) if self.position == *end => return Ok(None),
            Some(Frame::Definite(end) | Frame::Indefinite(end)) => *end,
            None => u64::MAX,
        };
        let tag = self.byte()?;
        let length = self.length()?;
        if tag == 0 {
            return match (length, self.frames.last()) {
                (Some(0), Some(Frame::Indefinite(_))) => {
                    if self.position > limit {
                        return Err(CmsError::Malformed("an element longer than what holds it"));
                    }
                    Ok(None)
                }
                _ => Err(CmsError::Malformed("an end-of-contents mark out of place")),
            };
        }
        if tag & 0x1F == 0x1F {
            return Err(CmsError::Malformed("a tag number above 30"));
        }
        if length.is_none() && tag & CONSTRUCTED == 0 {
            return Err(CmsError::Malformed("a primitive element of indefinite length"));
        }
        let end = self.position.checked_add(length.unwrap_or(0));
        if end.is_none_or(|end| end > limit) {
            return Err(CmsError::Malformed("an element longer than what holds it"));
        }
        Ok(Some(Header { tag, length }))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Header, CmsError> {
        match self.next()? {
            Some(header) if header.tag == tag => Ok(header),
            _ => Err(CmsError::Malformed(what)),
        }
    }

    /// Makes the element just read the current frame.
    pub(crate) fn enter(&mut self, header: Header) -> Result<(), CmsError> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(CmsError::Malformed("nesting deeper than 32 levels"));
        }
        let limit = match self.frames.last() {
            Some(Frame::Definite(end) | Frame::Indefinite(end)) => *end,
            None => u64::MAX,
        };
        self.frames.push(match header.length {
            Some(length) => Frame::Definite(self.position.saturating_add(length)),
            None => Frame::Indefinite(limit),
        });
        Ok(())
    }

    /// Leaves the current frame, whose end `next` has reported.
    pub(crate) fn leave(&mut self) {
        self.frames.pop();
    }

    pub(crate) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Reads the element whole and returns it in DER (lengths definite, OCTET STRINGs primitive).
    /// At most `max` bytes are held.
    pub(crate) fn element(&mut self, header: Header, what: &'static str, max: usize) -> Result<Vec<u8>, CmsError> {
        let mut budget = max;
        self.collect(header, what, &mut budget)
    }

    fn collect(&mut self, header: Header, what: &'static str, budget: &mut usize) -> Result<Vec<u8>, CmsError> {
        if header.tag & CONSTRUCTED == 0 {
            let length = header
                .length
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(usize::MAX);
            // Two bytes are the least that an element takes; counting them bounds runs of empty elements.
            *budget = budget
                .checked_sub(length.saturating_add(2))
                .ok_or(CmsError::TooLarge(what))?;
            let mut value = Vec::new();
            self.inner
                .by_ref()
                .take(length as u64)
                .read_to_end(&mut value)
                .map_err(CmsError::from_io)?;
            self.position += value.len() as u64;
            if value.len() < length {
                return Err(CmsError::Truncated);
            }
            return Ok(tlv(header.tag, &[&value]));
        }
        *budget = budget.checked_sub(2).ok_or(CmsError::TooLarge(what))?;
        self.enter(header)?;
        let mut inner = Vec::new();
        while let Some(child) = self.next()? {
            let encoded = self.collect(child, what, budget)?;
            if header.tag == OCTET_STRING_CONSTRUCTED {
                let piece = Cursor::new(&encoded).expect(OCTET_STRING, "a piece of an OCTET STRING")?;
                inner.extend_from_slice(piece.value);
            } else {
                inner.extend_from_slice(&encoded);
            }
        }
        self.leave();
        let tag = if header.tag == OCTET_STRING_CONSTRUCTED {
            OCTET_STRING
        } else {
            header.tag
        };
        Ok(tlv(tag, &[&inner]))
    }

    /// Reads up to `remaining` value bytes of a primitive element into `out`; never returns 0 unless asked for 0.
    pub(crate) fn value_bytes(&mut self, remaining: u64, out: &mut Vec<u8>, at_most: usize) -> Result<u64, CmsError> {
        let wanted = usize::try_from(remaining).unwrap_or(usize::MAX).min(at_most);
        if wanted == 0 {
            return Ok(0);
        }
        let available = self.inner.fill_buf().map_err(CmsError::from_io)?;
        if available.is_empty() {
            return Err(CmsError::Truncated);
        }
        let count = available.len().min(wanted);
        out.extend_from_slice(&available[..count]);
        self.inner.consume(count);
        self.position += count as u64;
        Ok(count as u64)
    }

    /// Fails unless the input ends here.
    pub(crate) fn end(&mut self) -> Result<(), CmsError> {
        if self.inner.fill_buf().map_err(CmsError::from_io)?.is_empty() {
            Ok(())
        } else {
            Err(CmsError::TrailingData)
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner.into_inner()
    }

    fn byte(&mut self) -> Result<u8, CmsError> {
        let mut one = [0u8];
        self.inner.read_exact(&mut one).map_err(CmsError::from_io)?;
        self.position += 1;
        Ok(one[0])
    }

    fn length(&mut self) -> Result<Option<u64>, CmsError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(Some(u64::from(first)));
        }
        let count = first & 0x7F;
        if count == 0 {
            return Ok(None);
        }
        if count > 8 {
            return Err(CmsError::Malformed("an element's length"));
        }
        let mut length = 0u64;
        for _ in 0..count {
            length = (length << 8) | u64::from(self.byte()?);
        }
        Ok(Some(length))
    }
}

/// Turns one BER value of at most `max` bytes into DER. Fails on anything behind it.
pub(crate) fn to_der(bytes: &[u8], what: &'static str, max: usize) -> Result<Vec<u8>, CmsError> {
    if bytes.len() > max {
        return Err(CmsError::TooLarge(what));
    }
    let mut reader = BerReader::new(bytes);
    let header = reader.next()?.ok_or(CmsError::Truncated)?;
    // Many tiny elements grow in DER by at most a few bytes each; the budget counts bytes read.
    let der = reader.element(header, what, max.saturating_mul(2))?;
    reader.end()?;
    Ok(der)
}
