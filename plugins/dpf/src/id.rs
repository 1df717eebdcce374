//! Ids and identifiers.

/// A UUID in its 36 characters, whichever its case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Who sends: the part when there is one, `0192:991825827:987464291` is 987464291. Spec: DPF and DPFIO, 4.
pub(crate) fn sender_number(identifier: &str) -> &str {
    identifier.split(':').nth(2).unwrap_or_else(|| number(identifier))
}

/// The organisation without scheme and part.
pub(crate) fn number(identifier: &str) -> &str {
    let mut parts = identifier.split(':');
    let first = parts.next().unwrap_or(identifier);
    parts.next().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_told_from_what_looks_like_one() {
        assert!(is_uuid("5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10") && is_uuid("5D2A6C1E-6F0B-4A57-9C43-0A7C7B1D9E10"));
        for text in [
            "",
            "sak-12",
            "1-2-3-4-5",
            "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e1g",
            "5d2a6c1e6f0b-4a57-9c43-0a7c7b1d9e10-",
        ] {
            assert!(!is_uuid(text), "{text}");
        }
    }

    #[test]
    fn the_part_is_who_sends() {
        assert_eq!(sender_number("0192:991825827:987464291"), "987464291");
        assert_eq!(sender_number("0192:991825827"), "991825827");
        assert_eq!(number("0192:991825827:987464291"), "991825827");
        assert_eq!(number("991825827"), "991825827");
    }
}
