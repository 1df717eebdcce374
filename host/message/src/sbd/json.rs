//! JSON as fagsystemer write it: with raw line breaks and other control characters inside strings.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::SbdError;

/// Most values of a document. A value of two bytes takes some eighty in memory.
const MAX_VALUES: usize = 250_000;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The members of the document in the order of the text. Depth is limited to 128 by the JSON reader.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<(String, Value)>, SbdError> {
    let bytes = escape_control_characters(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes))?;
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    let members = deserializer
        .deserialize_any(Members)
        .map_err(|error| describe(&error))?;
    deserializer.end().map_err(|error| describe(&error))?;
    members.ok_or(SbdError::NotAnObject)
}

fn describe(error: &serde_json::Error) -> SbdError {
    // A data error quotes the value at fault, which does not belong in a log.
    if error.is_data() {
        SbdError::NotAnObject
    } else {
        SbdError::Syntax(error.to_string())
    }
}

/// Writes control characters inside strings as `\u00XX`, which JSON demands and many writers forget. Counts the values on
/// the way: each is followed by a comma or is the last one of a list or an object.
fn escape_control_characters(bytes: &[u8]) -> Result<Cow<'_, [u8]>, SbdError> {
    let mut out: Option<Vec<u8>> = None;
    let (mut in_string, mut escaped) = (false, false);
    let mut values = 0;
    for (at, byte) in bytes.iter().copied().enumerate() {
        if in_string && byte < 0x20 {
            let out = out.get_or_insert_with(|| bytes.get(..at).unwrap_or_default().to_vec());
            // A backslash before the raw character would swallow the one that is written here.
            if escaped {
                out.pop();
            }
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            escaped = false;
            continue;
        }
        match byte {
            b'"' if !escaped => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => values += 1,
            b'\\' if in_string && !escaped => {
                escaped = true;
                push(out.as_mut(), byte);
                continue;
            }
            _ => {}
        }
        escaped = false;
        push(out.as_mut(), byte);
    }
    if values > MAX_VALUES {
        return Err(SbdError::TooManyValues { limit: MAX_VALUES });
    }
    Ok(out.map_or(Cow::Borrowed(bytes), Cow::Owned))
}

fn push(out: Option<&mut Vec<u8>>, byte: u8) {
    if let Some(out) = out {
        out.push(byte);
    }
}

/// Collects the members of an object one by one, so that a member that stands twice is seen.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Option<Vec<(String, Value)>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Some(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Result<String, SbdError> {
        let members = members(json.as_bytes())?;
        Ok(members[0].1.as_str().unwrap().to_owned())
    }

    #[test]
    fn a_raw_line_break_in_a_string_is_read_as_one() {
        assert_eq!(text("{\"a\":\"x\ny\tz\u{1}\"}").unwrap(), "x\ny\tz\u{1}");
    }

    #[test]
    fn escapes_and_quotes_are_left_alone() {
        assert_eq!(text(r#"{"a":"\\\"\n\u0041"}"#).unwrap(), "\\\"\nA");
        assert_eq!(text("{\n\"a\"\n:\n\"\\\\\"\n}").unwrap(), "\\");
        assert_eq!(text("{\"a\":\"\\\\\n\"}").unwrap(), "\\\n");
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(text("\u{feff}{\"a\":\"x\"}").unwrap(), "x");
    }

    #[test]
    fn what_is_no_object_is_told_without_its_content() {
        for json in ["\"hemmelig\"", "[1]", "null", "17"] {
            assert_eq!(members(json.as_bytes()), Err(SbdError::NotAnObject), "{json}");
        }
        assert!(matches!(members(b"{\"a\":1"), Err(SbdError::Syntax(_))));
        assert!(matches!(members(b"{\"a\":1} x"), Err(SbdError::Syntax(_))));
        assert!(matches!(members(b"{\"a\":\"\xff\"}"), Err(SbdError::Syntax(_))));
    }

    #[test]
    fn a_document_of_very_many_values_is_refused_before_they_take_up_memory() {
        let many = |count: usize| format!("{{\"a\":[{}1]}}", "1,".repeat(count));
        assert!(members(many(MAX_VALUES - 2).as_bytes()).is_ok());
        assert_eq!(
            members(many(MAX_VALUES).as_bytes()),
            Err(SbdError::TooManyValues { limit: MAX_VALUES })
        );
        let text = format!("{{\"a\":\"{}\"}}", ",".repeat(MAX_VALUES + 1));
        assert!(members(text.as_bytes()).is_ok(), "commas in text are no values");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(matches!(members(deep.as_bytes()), Err(SbdError::Syntax(_))));
    }
}
