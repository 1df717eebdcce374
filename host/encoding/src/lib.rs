//! The encodings that an XML file may come in.

use std::borrow::Cow;

/// The bytes as text: UTF-16 by its byte order mark, ISO-8859-1 when the declaration says so, else UTF-8. None when they are
/// not what they say.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
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

#[cfg(test)]
mod tests {
    use super::decode;

    const LATIN1: &str = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>å</a>";

    #[test]
    fn the_three_encodings_are_told_apart() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
            let units = "<a>å</a>".encode_utf16().flat_map(order);
            mark.into_iter().chain(units).collect()
        };
        assert_eq!(decode("<a>å</a>".as_bytes()).unwrap(), "<a>å</a>");
        assert_eq!(decode("\u{feff}<a>å</a>".as_bytes()).unwrap(), "<a>å</a>");
        assert_eq!(decode(&utf16(u16::to_le_bytes, [0xFF, 0xFE])).unwrap(), "<a>å</a>");
        assert_eq!(decode(&utf16(u16::to_be_bytes, [0xFE, 0xFF])).unwrap(), "<a>å</a>");
        let latin1: Vec<u8> = LATIN1.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        assert_eq!(decode(&latin1).unwrap(), LATIN1);
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        assert!(decode(b"<a>\xE5</a>").is_none());
        assert!(decode(&[0xFF, 0xFE, 0x00]).is_none());
        assert!(decode(&[0xFF, 0xFE, 0x00, 0xD8]).is_none());
    }
}
