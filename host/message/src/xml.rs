//! Whether a file is XML, for files that must be. Spec: messaging API, 5.2.

use roxmltree::{Document, ParsingOptions};

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most nodes of a file; each takes some hundred bytes of memory.
const MAX_NODES: u32 = 500_000;

/// Why a file is no XML for us. Without the content, but for what the XML reader says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Larger than [`MAX_BYTES`].
    #[error("it is {0} bytes, at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// The bytes are not text in an encoding that is read.
    #[error("it must be encoded in UTF-8, UTF-16 or ISO-8859-1")]
    Encoding,
    /// Not well-formed, has a document type, or has too many nodes.
    #[error("it is not well-formed XML: {0}")]
    NotWellFormed(String),
}

/// Reads a file to its end. Document types are refused, so entities cannot grow.
pub fn check(bytes: &[u8]) -> Result<(), XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::TooLarge(bytes.len()));
    }
    let text = budstikke_encoding::decode(bytes).ok_or(XmlError::Encoding)?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    match Document::parse_with_options(&text, options) {
        Ok(_) => Ok(()),
        Err(error) => Err(XmlError::NotWellFormed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_files_pass_in_every_encoding() {
        assert_eq!(check(b"<a><b c=\"d\"/></a>"), Ok(()));
        assert_eq!(check("\u{feff}<a>\u{e5}</a>".as_bytes()), Ok(()));
        assert_eq!(check(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe5</a>"), Ok(()));
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for bad in [&b""[..], b"no xml", b"<a>", b"<a></b>", b"<a/><b/>"] {
            assert!(matches!(check(bad), Err(XmlError::NotWellFormed(_))), "{bad:?}");
        }
        assert_eq!(check(b"<a>\xe5</a>"), Err(XmlError::Encoding));
        assert!(check(&vec![b' '; MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn a_document_type_is_refused_so_that_nothing_grows() {
        let bomb = b"<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        assert!(matches!(check(bomb), Err(XmlError::NotWellFormed(_))));
        let many = format!("<a>{}</a>", "<b/>".repeat(600_000));
        assert!(matches!(check(many.as_bytes()), Err(XmlError::NotWellFormed(_))));
    }
}
