//! One running integrasjonspunkt: everything that the API, the delivery engine and the adapters share.

use std::sync::{Arc, Mutex};

use budstikke_message::document_type::MessageTypes;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::keystore::Identity;
use budstikke_message::process::Processes;
use budstikke_runtime::services::ServiceRules;
use budstikke_store::{RetentionRule, Store, Vault};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::adapters::Adapters;
use crate::certificates::Checks;
use crate::certificates::own::Sealed;
use crate::config;
use crate::front::{AnswerCounts, ServerCertificate};
use crate::presence::Presence;
use crate::registry::Registry;
use crate::routing::Rules;
use crate::webhooks::Webhooks;

/// Largest sum of file sizes when the service does not say, bytes.
const UPLOAD_LIMIT: u64 = 1 << 30;

/// Shared by all tasks.
pub struct Node {
    /// The organisation that owns this installation.
    pub own: OrganisationNumber,
    /// Its key and certificate.
    pub identity: Arc<Identity>,
    /// Messages, conversations, statuses.
    pub store: Arc<Store>,
    /// Files at rest.
    pub vault: Vault,
    /// Who can receive what.
    pub registry: Arc<dyn Registry>,
    /// How certificates of receivers are checked.
    pub certificates: Checks,
    /// `[[routing]]`
    pub routing: Rules,
    /// The message services.
    pub adapters: Adapters,
    /// The message types that are known here.
    pub types: MessageTypes,
    /// The operator's own processes.
    pub processes: Processes,
    /// `[messages]`
    pub settings: config::Messages,
    /// What is old enough to go.
    pub retention: Vec<Arc<RetentionRule>>,
    /// Tells subscribers.
    pub webhooks: Webhooks,
    /// `[server.limits]`
    pub limits: config::ServerLimits,
    /// The certificate of the API, for those who look after it.
    pub server_certificate: ServerCertificate,
    /// How calls of the API were answered.
    pub answers: AnswerCounts,
    /// Cancelled by the call that stops this node; none where `[server] shutdown` does not allow it.
    pub shutdown: Option<CancellationToken>,
    /// Whether others seal to our certificate.
    pub sealed: Mutex<Sealed>,
    /// This node among others.
    pub presence: Presence,
    /// Rung when a message was queued: the senders look at once.
    pub queued: Notify,
}

impl Node {
    /// Milliseconds since 1970, the time of the store.
    pub fn now() -> i64 {
        Timestamp::now().as_millisecond()
    }

    /// The owner as an identifier: `0192:991825827`.
    pub fn own_identifier(&self) -> String {
        format!("0192:{}", self.own.as_str())
    }

    /// What holds for messages of a service; none when no adapter that is running serves it.
    pub fn rules(&self, service: &str) -> Option<ServiceRules> {
        self.adapters.rules(service)
    }

    /// Largest sum of file sizes of a message of a service, bytes.
    pub fn upload_limit(&self, service: &str) -> u64 {
        self.rules(service)
            .and_then(|rules| rules.upload_limit)
            .unwrap_or(UPLOAD_LIMIT)
    }

    /// How long a message of a service lives when its sender does not say.
    pub fn lifetime(&self, service: &str) -> jiff::SignedDuration {
        let hours = self
            .rules(service)
            .and_then(|rules| rules.lifetime_hours)
            .unwrap_or(self.settings.lifetime_hours);
        jiff::SignedDuration::from_hours(i64::from(hours))
    }
}
