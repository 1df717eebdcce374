//! How an address service is set up, besides its registers.

use std::collections::{BTreeMap, BTreeSet};

use budstikke_message::identifier::{NameError, ProcessId, ServiceId};
use budstikke_message::x509::Certificate;

/// What is the same for all receivers of a service. Spec: service registry, 5.2 and 7.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// `endpointUrl`.
    pub endpoint_url: Option<String>,
    /// Altinn 2's code.
    pub service_code: Option<String>,
    /// Altinn 2's edition.
    pub service_edition_code: Option<String>,
    /// Altinn 3's resource.
    pub resource: Option<String>,
    /// What messages are sealed to when all receivers share one certificate.
    pub certificate: Option<Certificate>,
}

/// Settings of services by name. A record whose rule takes something from the settings of a service without a row here is an error.
pub type Services = BTreeMap<ServiceId, ServiceSettings>;

/// What the rules ask of the settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The process whose codes and resource letters to citizens' general mailbox have. Spec: service registry, 5.2.
    pub default_process: Option<ProcessId>,
    /// Processes to citizens whose messages need not be notified. Spec: service registry, 5.5.
    pub information: BTreeSet<ProcessId>,
    /// Processes to citizens whose messages must be notified. One that is in neither list cannot be looked up.
    pub decisions: BTreeSet<ProcessId>,
    /// Functions that are off, by the name that the rules have for them; all others are on.
    pub features_off: BTreeSet<String>,
}

impl Settings {
    /// The settings of eFormidling. An error is a fault of a name that is built in.
    pub fn documented() -> Result<Self, NameError> {
        Ok(Self {
            default_process: Some("urn:no:difi:profile:arkivmelding:administrasjon:ver1.0".parse()?),
            information: BTreeSet::from(["urn:no:difi:profile:digitalpost:info:ver1.0".parse()?]),
            decisions: BTreeSet::from(["urn:no:difi:profile:digitalpost:vedtak:ver1.0".parse()?]),
            features_off: BTreeSet::new(),
        })
    }
}
