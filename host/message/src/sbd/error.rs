//! What makes a document unreadable as an SBD.

use std::fmt;

/// A kind of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A whole number.
    WholeNumber,
    /// Text.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::WholeNumber => "a whole number",
            Self::Text => "text",
            Self::List => "an array",
            Self::Object => "an object",
        })
    }
}

/// The document has not the structure of an SBD. The texts name members, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SbdError {
    /// Larger than an SBD may be.
    #[error("the document is {actual} bytes, at most {limit} are allowed")]
    TooLarge {
        /// What is allowed.
        limit: usize,
        /// What was given.
        actual: usize,
    },
    /// Larger than an SBD may be once it is written with white space and escapes, as it is stored and sent.
    #[error("the document takes more than {limit} bytes when it is written with white space and escapes")]
    TooLargeWritten {
        /// What is allowed.
        limit: usize,
    },
    /// More values than an SBD may have.
    #[error("the document has more than {limit} values")]
    TooManyValues {
        /// What is allowed.
        limit: usize,
    },
    /// Not JSON, nested too deeply, or not UTF-8.
    #[error("the document is not JSON: {0}")]
    Syntax(String),
    /// JSON, but no object.
    #[error("the document must be a JSON object with standardBusinessDocumentHeader and one business message")]
    NotAnObject,
    /// A top-level member that stands twice.
    #[error("the member '{0}' stands twice")]
    Duplicate(String),
    /// No header.
    #[error("the member standardBusinessDocumentHeader is missing")]
    MissingHeader,
    /// Only the header.
    #[error("the business message is missing: beside standardBusinessDocumentHeader there must be one more member")]
    MissingBody,
    /// More than one member besides the header.
    #[error("the member '{0}' is one too many: there must be one business message, named by its message type")]
    ExtraMember(String),
    /// No message type has this name. Member names are compared as they are, in lower case.
    #[error("'{0}' is not a message type that has a business message")]
    UnknownMessageType(String),
    /// The member name and `documentIdentification.type` name different message types.
    #[error("the business message is named '{member}', but documentIdentification.type is '{declared}'")]
    TypeMismatch {
        /// The member name.
        member: String,
        /// The type of the header.
        declared: String,
    },
    /// A member of another JSON type than it must have.
    #[error("{path} must be {expected}, but is {found}")]
    WrongKind {
        /// Path of the member.
        path: String,
        /// What it must be.
        expected: Kind,
        /// What it is.
        found: Kind,
    },
    /// Text that is no date-time.
    #[error("{path} must be a date-time such as 2026-03-02T09:15:00+01:00")]
    DateTime {
        /// Path of the member.
        path: String,
    },
    /// The document could not be written.
    #[error("the document cannot be written: {0}")]
    Write(String),
}

impl SbdError {
    /// The member at fault, where one is.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::WrongKind { path, .. } | Self::DateTime { path } => Some(path),
            Self::Duplicate(member) | Self::ExtraMember(member) | Self::UnknownMessageType(member) => Some(member),
            Self::MissingHeader => Some(super::HEADER),
            Self::TypeMismatch { .. } => Some("standardBusinessDocumentHeader.documentIdentification.type"),
            Self::TooLarge { .. }
            | Self::TooLargeWritten { .. }
            | Self::TooManyValues { .. }
            | Self::Syntax(_)
            | Self::NotAnObject
            | Self::MissingBody
            | Self::Write(_) => None,
        }
    }
}
