//! Message channels: several installations of one organisation, of which one takes ordinary messages.
//!
//! Altinn knows nothing of channels. They travel in `sendersFileTransferReference`, where ordinary messages carry a UUID,
//! which is longer than a channel can be.
//!
//! Spec: DPO and DPV, 2.6.

/// A channel's name: 1 to 25 of `a-z`, `A-Z`, `0-9`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel(String);

const MAX_LENGTH: usize = 25;

fn looks_like_a_channel(text: &str) -> bool {
    text.len() <= MAX_LENGTH
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Channel {
    /// None when it is empty or not a channel's name.
    pub fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && looks_like_a_channel(text)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a transfer with this reference is for us. With a channel: only those that carry it. Without: those that
/// carry none, so neither a channel of somebody else nor the empty text that a channel may be.
pub(crate) fn is_ours(own: Option<&Channel>, reference: Option<&str>) -> bool {
    match (own, reference) {
        (Some(own), reference) => reference == Some(own.as_str()),
        (None, None) => true,
        (None, Some(reference)) => !looks_like_a_channel(reference),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10";
    const REFERENCES: [Option<&str>; 5] = [Some(UUID), Some("fag-1"), Some("annet"), Some(""), None];

    #[test]
    fn t13_with_a_channel_only_its_own_transfers_are_taken() {
        let own = Channel::parse("fag-1");
        assert_eq!(
            REFERENCES.map(|reference| is_ours(own.as_ref(), reference)),
            [false, true, false, false, false]
        );
    }

    #[test]
    fn t13_without_a_channel_ordinary_transfers_are_taken() {
        assert_eq!(
            REFERENCES.map(|reference| is_ours(None, reference)),
            [true, false, false, false, true]
        );
    }

    #[test]
    fn a_channel_has_at_most_25_plain_characters() {
        assert!(Channel::parse(&"a".repeat(25)).is_some());
        assert!(Channel::parse(&"a".repeat(26)).is_none());
        for text in ["", "a b", "å", "a.b", "a/b"] {
            assert!(Channel::parse(text).is_none(), "{text}");
        }
    }
}
