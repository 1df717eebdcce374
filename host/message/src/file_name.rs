//! The name of a file as it goes into the container.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::asic::is_xml_text;

/// Most bytes of a file name, the limit of the usual file systems.
pub const MAX_BYTES: usize = 255;

/// Names that the container itself uses.
const RESERVED: [&str; 3] = ["mimetype", "manifest.xml", "META-INF"];

/// A file name that is safe to store, to pack and to unpack on the receiver's side.
///
/// Not empty, at most [`MAX_BYTES`] bytes of UTF-8, no path (`/`, `\`, `.`, `..`), no character that the XML of a
/// container cannot hold (control characters, U+FFFE, U+FFFF), and none of the names that an ASiC-E container keeps for
/// itself, in any case. Spec: documents and packaging, 14 and 17 (8).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// Why a file name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// No name at all.
    #[error("the file name is empty")]
    Empty,
    /// Longer than [`MAX_BYTES`].
    #[error("the file name is {0} bytes long, at most {MAX_BYTES} are allowed")]
    TooLong(usize),
    /// The name could lead to another folder.
    #[error("the file name must be a plain name without a path: no '/' or '\\', and not '.' or '..'")]
    Path,
    /// The name holds a character such as a line break, or one that XML has no way to write.
    #[error("the file name holds a control character or U+FFFE or U+FFFF")]
    ControlCharacter,
    /// The name belongs to the container.
    #[error("the file name '{0}' is reserved by the container format")]
    Reserved(&'static str),
}

impl FileName {
    /// Checks a name and keeps it as written.
    pub fn parse(name: impl Into<String>) -> Result<Self, FileNameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(FileNameError::Empty);
        }
        if name.len() > MAX_BYTES {
            return Err(FileNameError::TooLong(name.len()));
        }
        if name.contains(['/', '\\']) || name == "." || name == ".." {
            return Err(FileNameError::Path);
        }
        if !name.chars().all(is_xml_text) {
            return Err(FileNameError::ControlCharacter);
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| reserved.eq_ignore_ascii_case(&name)) {
            return Err(FileNameError::Reserved(reserved));
        }
        Ok(Self(name))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileName {
    type Error = FileNameError;

    fn try_from(name: String) -> Result<Self, FileNameError> {
        Self::parse(name)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norwegian_names_with_spaces_and_dots_are_fine() {
        for name in [
            "brev.pdf",
            "Søknad om tilskudd (æøå).docx",
            "arkivmelding.xml",
            "rapport..pdf",
            ".skjult",
        ] {
            assert_eq!(FileName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_with_a_path_is_refused() {
        for name in ["../x", "a/b", "a\\b", "..", "."] {
            assert_eq!(FileName::parse(name), Err(FileNameError::Path), "{name}");
        }
    }

    #[test]
    fn a_name_that_the_container_uses_is_refused() {
        for name in ["mimetype", "manifest.xml", "Manifest.XML", "META-INF"] {
            assert!(
                matches!(FileName::parse(name), Err(FileNameError::Reserved(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn an_empty_an_overlong_and_a_broken_name_are_refused() {
        assert_eq!(FileName::parse(""), Err(FileNameError::Empty));
        assert_eq!(FileName::parse("å".repeat(128)), Err(FileNameError::TooLong(256)));
        assert!(FileName::parse("a".repeat(255)).is_ok());
        assert_eq!(FileName::parse("a\nb"), Err(FileNameError::ControlCharacter));
        assert_eq!(FileName::parse("a\0b"), Err(FileNameError::ControlCharacter));
    }

    #[test]
    fn a_name_that_no_container_can_hold_is_refused() {
        for name in ["a\u{fffe}.pdf", "\u{ffff}"] {
            assert_eq!(FileName::parse(name), Err(FileNameError::ControlCharacter), "{name:?}");
        }
    }
}
