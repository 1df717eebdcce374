//! A rule that a message breaks, in the terms of the API's error body.

use std::fmt;

/// Longest rejected value that is handed back, in characters.
const MAX_REJECTED: usize = 200;

/// The name of the rule, as fagsystemer know it from `errors[].code`. Spec: messaging API, 10.2.
pub mod code {
    /// A required member is absent.
    pub const NOT_NULL: &str = "NotNull";
    /// Not a UUID.
    pub const UUID: &str = "UUID";
    /// Not a known message type, or not the type of the body.
    pub const MESSAGE_TYPE: &str = "MessageType";
    /// Not one of the values that are allowed.
    pub const ONE_OF: &str = "OneOf";
    /// The sender is no identifier.
    pub const SENDER_VALUE: &str = "SenderValue";
    /// The receiver is no identifier. Checked here only; the Java integrasjonspunkt answers 500.
    pub const RECEIVER_VALUE: &str = "ReceiverValue";
    /// Too few or too many elements, or an empty or overlong text.
    pub const SIZE: &str = "Size";
    /// A deadline that has passed.
    pub const FUTURE: &str = "Future";
    /// The conversation id is not a UUID.
    pub const CONVERSATION_UUID: &str = "SbdScopeConditionalInstanceIdentifierUuid";
    /// A value of another JSON type, or text of another shape, than the member has.
    pub const TYPE_MISMATCH: &str = "typeMismatch";
    /// Not a URL, or one that must not be called.
    pub const URL: &str = "URL";
    /// Not a filter of a subscription.
    pub const WEBHOOK_FILTER: &str = "WebhookFilter";
    /// A name that breaks the rules for names.
    pub const PATTERN: &str = "Pattern";
}

/// One broken rule. `Debug` and `Display` are for logs and leave the rejected value out, which may be a person number.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the member, such as `standardBusinessDocumentHeader.documentIdentification.type`.
    pub field: String,
    /// The rule, one of [`code`].
    pub code: &'static str,
    /// What is wrong and what would be right, without the value.
    pub message: String,
    /// What the client gave, if anything; at most 200 characters.
    pub rejected_value: Option<String>,
}

impl Violation {
    /// A violation without a rejected value.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
            rejected_value: None,
        }
    }

    /// A required member that is absent.
    pub fn missing(field: impl Into<String>) -> Self {
        Self::new(field, code::NOT_NULL, "must be given")
    }

    /// Adds what the client gave, cut at 200 characters.
    #[must_use]
    pub fn rejecting(mut self, value: &str) -> Self {
        self.rejected_value = Some(value.chars().take(MAX_REJECTED).collect());
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.field, self.message, self.code)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({self})")
    }
}
