//! The encodings that an XML file may come in.

use std::borrow::Cow;

/// The bytes as text: UTF-16 by its byte order mark, ISO-8859-1 when the declaration says so, else UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        _ if declares_latin1(bytes) => Some(Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect())),
        _ => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, str>> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .ok()?;
    rest.is_empty().then_some(Cow::Owned(text))
}

fn declares_latin1(bytes: &[u8]) -> bool {
    let head: String = bytes
        .iter()
        .take(200)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    let declaration = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map(|(inside, _)| inside);
    declaration.is_some_and(|inside| inside.contains("iso-8859-1"))
}
