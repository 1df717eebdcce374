//! `[certificates]`: how certificates of receivers are checked before anything is sealed to them.

use std::path::PathBuf;

use serde::Deserialize;

/// `[certificates]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Certificates {
    /// PEM files with certificate authorities, each of them believed; none: the chain is not checked.
    pub trust_anchors: Vec<PathBuf>,
    /// Whether certificates are asked after that were called back.
    pub revocation: Revocation,
    /// Organisations that receive for others: messages to anybody may be sealed to their certificates.
    pub suppliers: Vec<String>,
    /// PEM files with certificates that messages to anybody may be sealed to, while they are valid: nobody has to vouch for them, and they
    /// need not name an organisation.
    pub pinned: Vec<PathBuf>,
    /// Whether the authority's addresses in a certificate may lead into private networks.
    pub private_networks: bool,
}

impl Certificates {
    /// Every path.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.trust_anchors.iter_mut().chain(&mut self.pinned)
    }
}

/// Whether certificates are asked after that were called back, and what it means when nobody can tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// Nobody is asked.
    Off,
    /// The authority is asked; when it cannot tell, the certificate is taken, and the log says so.
    #[default]
    Prefer,
    /// The authority is asked; when it cannot tell, nothing is sealed to the certificate, and the message waits.
    Require,
}
