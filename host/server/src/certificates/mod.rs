//! Whether messages may be sealed to a receiver's certificate, and how long our own one lasts. Spec: service registry, 8.7 and 10 (20).
//!
//! [`Checks`] goes through: readable, valid now, [`anchors`], key usage, whose it is, called back or not ([`revocation`], which asks by
//! [`ocsp`] and [`crl`] over [`authority`]); what went well is [`remembered`]. [`own`] warns before our own certificate ends.

mod anchors;
mod authority;
mod crl;
mod extensions;
mod ocsp;
pub mod own;
mod remembered;
mod revocation;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;
use jiff::Timestamp;

use crate::config;
use crate::registry::Capability;
use anchors::Anchors;
use extensions::Extensions;
use remembered::{Checked, Remembered};
use revocation::Revocations;

/// Why nothing is sealed to a certificate. Ends a sentence; names no person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No certificate, or one that breaks its format.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Not yet, or not any more.
    #[error("it is valid from {from} to {to} only")]
    NotValidNow {
        /// First instant.
        from: Timestamp,
        /// Last instant.
        to: Timestamp,
    },
    /// Nobody that is believed here vouches for it.
    #[error("no trust anchor vouches for it: {0}")]
    Untrusted(String),
    /// Its key is for something else.
    #[error("its key is not for encryption (keyEncipherment or dataEncipherment)")]
    NotForSealing,
    /// It is somebody else's.
    #[error("it belongs to {}, not to {expected}; list it under [certificates] suppliers when it receives for others, or the certificate under pinned", .found.as_deref().unwrap_or("no organisation"))]
    OtherOrganisation {
        /// The organisation that it names.
        found: Option<String>,
        /// The organisation that it should name.
        expected: String,
    },
    /// Its authority has called it back.
    #[error("its authority has called it back")]
    Revoked,
    /// Nobody could say whether it was called back, and the settings want to know.
    #[error("nobody can say whether it was called back: {0}")]
    CannotTell(String),
}

impl Fault {
    /// True when the same certificate may be good later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::CannotTell(_))
    }
}

/// Whose certificate it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Whose {
    organisation: Option<OrganisationNumber>,
}

impl Whose {
    /// An organisation's.
    pub fn organisation(number: OrganisationNumber) -> Self {
        Self {
            organisation: Some(number),
        }
    }

    /// The supplier of a mailbox or of printing, else the receiver when it is an organisation. Persons have no certificate of their own.
    pub fn of(capability: &Capability, receiver: Option<&str>) -> Self {
        let digital = capability.addresses.digital.as_ref();
        let supplier = digital.and_then(|digital| digital.supplier.as_deref());
        Self {
            organisation: supplier.or(receiver).and_then(|number| number.parse().ok()),
        }
    }
}

/// `[certificates]`
pub struct Checks {
    anchors: Anchors,
    suppliers: BTreeSet<String>,
    /// DER.
    pinned: BTreeSet<Vec<u8>>,
    /// None: nobody is asked.
    revocations: Option<Revocations>,
    remembered: Remembered,
}

impl Default for Checks {
    /// Without trust anchors: neither the chain is checked, nor is anybody asked.
    fn default() -> Self {
        Self {
            anchors: Anchors::default(),
            suppliers: BTreeSet::new(),
            pinned: BTreeSet::new(),
            revocations: None,
            remembered: Remembered::default(),
        }
    }
}

/// Every certificate of some PEM files.
fn all_in(files: &[PathBuf]) -> anyhow::Result<Vec<Certificate>> {
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        let found = Certificate::all_from_pem(&text).with_context(|| path.display().to_string())?;
        anyhow::ensure!(!found.is_empty(), "{}: holds no certificate", path.display());
        all.extend(found);
    }
    Ok(all)
}

impl Checks {
    /// Reads the trust anchors. Asks nobody yet.
    pub fn new(settings: &config::Certificates) -> anyhow::Result<Self> {
        let anchors = Anchors::new(all_in(&settings.trust_anchors)?)?;
        let pinned = all_in(&settings.pinned)?;
        // Without the authority's own certificate its word cannot be believed.
        let revocations = match settings.revocation {
            config::Revocation::Off => None,
            _ if anchors.is_empty() => None,
            policy => Some(Revocations::new(policy, settings.private_networks)?),
        };
        Ok(Self {
            anchors,
            suppliers: settings.suppliers.iter().cloned().collect(),
            pinned: pinned.iter().map(|certificate| certificate.der().to_vec()).collect(),
            revocations,
            remembered: Remembered::default(),
        })
    }

    /// Whether there are trust anchors.
    pub fn check_the_chain(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// Goes through all checks, unless they went well a while ago. `der`: the certificate; `whose`: who it should belong to.
    pub async fn check(&self, der: &[u8], whose: &Whose) -> Result<(), Fault> {
        let (checked, now) = (Checked::new(der, whose), Timestamp::now());
        if self.remembered.holds(&checked, now) {
            return Ok(());
        }
        let until = self.found_good(der, whose, now).await?;
        self.remembered.keep(checked, until, now);
        Ok(())
    }

    /// Until when that holds: the certificate does not outlive it, nor does what its authority said.
    async fn found_good(&self, der: &[u8], whose: &Whose, now: Timestamp) -> Result<Timestamp, Fault> {
        let certificate = Certificate::from_der(der).map_err(|error| Fault::Unreadable(error.to_string()))?;
        if !certificate.is_valid_at(now) {
            return Err(Fault::NotValidNow {
                from: certificate.not_before(),
                to: certificate.not_after(),
            });
        }
        let extensions = Extensions::of(der)?;
        if !extensions.for_encryption {
            return Err(Fault::NotForSealing);
        }
        let end = certificate.not_after();
        if self.pinned.contains(der) {
            return Ok(end);
        }
        self.belongs(&certificate, whose)?;
        if self.anchors.is_empty() {
            return Ok(end);
        }
        let issuer = self.anchors.vouching(der, now)?;
        match &self.revocations {
            None => Ok(end),
            Some(revocations) => Ok(revocations.check(&certificate, &extensions, issuer).await?.min(end)),
        }
    }

    fn belongs(&self, certificate: &Certificate, whose: &Whose) -> Result<(), Fault> {
        let Some(expected) = &whose.organisation else {
            return Ok(());
        };
        match certificate.organisation_number() {
            Some(found) if found == expected.as_str() || self.suppliers.contains(found) => Ok(()),
            // Who has no trust anchors tries things out, with certificates of all kinds.
            None if self.anchors.is_empty() => Ok(()),
            found => Err(Fault::OtherOrganisation {
                found: found.map(str::to_owned),
                expected: expected.as_str().to_owned(),
            }),
        }
    }
}
