//! What clients and operators call: look-ups, plain and signed, and the administration of own data. Spec: service registry, 3.
//!
//! A request passes [`finish`](mod@finish), which counts it; then a route: [`look_ups`](mod@look_ups) for clients, who show a token
//! ([`clients`]); [`admin`] and [`pages`] for operators. [`accept`](mod@accept) says in which form an answer goes out, [`signing`]
//! signs it, [`refusal`](mod@refusal) says no.

mod accept;
mod admin;
pub mod clients;
mod finish;
mod generations;
mod health;
mod look_ups;
mod lookups;
mod metrics;
mod pages;
mod refusal;
pub mod signing;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use zeroize::Zeroizing;

use crate::store::OwnData;
use clients::Clients;
use signing::Signer;

pub use admin::{AdminGate, Admission};
pub use lookups::{Answer, Explanation, LookupError, Lookups, Query};
pub use metrics::Metrics;

/// Where the API stands when nobody says otherwise. Spec: service registry, 1.
pub const CONTEXT_PATH: &str = "/adressetjeneste";

/// The address that a request comes from, as the connection tells. Who serves the router puts it in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The key of a queue, for clients that have one of the scopes. Spec: service registry, 3.7.
pub struct SasToken {
    /// The key itself. Not for logs.
    pub key: Zeroizing<String>,
    /// Scopes of which one is enough.
    pub scopes: BTreeSet<String>,
}

/// Everything that the routes work with.
pub struct Api {
    /// Who decides.
    pub lookups: Arc<dyn Lookups>,
    /// Who may ask.
    pub clients: Clients,
    /// Signs answers.
    pub signer: Signer,
    /// What `/sastoken` hands out.
    pub sas_token: Option<SasToken>,
    /// What is kept here.
    pub own: Arc<OwnData>,
    /// Who may change it; `None`: there is no administration.
    pub admin: Option<Arc<dyn AdminGate>>,
    /// Scopes that an operator has when a page explains a look-up: all that open anything.
    pub operator_scopes: BTreeSet<String>,
    /// Counters.
    pub metrics: Metrics,
    /// Set when no more calls are wanted.
    pub draining: AtomicBool,
}

impl Api {
    /// Tells load balancers to look elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// All routes below `context_path`, which is empty or begins with a slash. `with_management`: health and metrics too, at the
    /// root.
    ///
    /// Browsers add the password of an administrator to what pages of other sites make them send: whoever serves this must keep
    /// such requests away.
    pub fn router(self: &Arc<Self>, context_path: &str, with_management: bool) -> Router {
        let routes = look_ups::routes()
            .merge(admin::routes(self))
            .merge(pages::routes(self))
            .with_state(Arc::clone(self));
        let mut router = match context_path {
            "" => routes,
            path => Router::new().nest(path, routes),
        };
        if with_management {
            router = router.merge(health::routes(self));
        }
        finish::finished(router, self)
    }

    /// Health and metrics, for an address of their own.
    pub fn management(self: &Arc<Self>) -> Router {
        finish::finished(health::routes(self), self)
    }
}
