//! `[[routing]]`: what the operator has decided beside the registry.

use serde::Deserialize;

/// `[[routing]]`: conditions, of which all must hold, and one action. A `*` at the end of a condition stands for anything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoutingRule {
    /// Process.
    pub process: Option<String>,
    /// Bare organisation or person number.
    pub receiver: Option<String>,
    /// The service that the message would go over so far.
    pub service: Option<String>,
    /// The SBD's `standard`.
    pub document_type: Option<String>,
    /// Over this service, if the receiver takes it.
    pub prefer: Option<String>,
    /// Never over this service.
    pub forbid: Option<String>,
    /// Only by this adapter: its name under `[adapters]`.
    pub pin: Option<String>,
    /// Only by this version of the adapter: `sha256:` and 64 hexadecimal digits, as `/manage/info` shows them. Not beside `service`.
    pub pin_digest: Option<String>,
    /// Why, for people.
    pub reason: String,
}
