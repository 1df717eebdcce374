//! The front of the server: who may call, over which connections, and how much a caller may take.
//!
//! [`connection`] serves one connection; [`tls`] gives it its certificate; [`progress`] ends what takes too long. Each
//! request passes the [`gate`], which keeps pages of other sites away ([`site`]) and asks [`users`] for the password that
//! [`credentials`] reads. What gets through is the API's; [`answers`] counts what it comes to. Spec: messaging API, 1.2.

mod admin;
mod answers;
mod connection;
mod credentials;
mod failures;
mod gate;
mod password_hash;
mod places;
mod progress;
#[cfg(test)]
mod scenes;
mod site;
mod tls;
mod users;
mod watched;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Server;
pub use admin::AdminUsers;
pub use answers::AnswerCounts;
use connection::House;
use gate::Gate;
pub(crate) use password_hash::hashed;
use places::{Place, Places};
pub use site::Site;
pub use tls::ServerCertificate;
use tls::Tls;

/// Days before its end from which a certificate is warned of.
const CERTIFICATE_WARNING_DAYS: i64 = 30;
/// Before the next attempt when the system gives no connection, as a rule because too many files are open.
const BREATH: Duration = Duration::from_secs(1);

/// A front that can be opened.
pub struct Front {
    gate: Gate,
    tls: Option<Arc<Tls>>,
    limits: crate::config::ServerLimits,
}

/// What is wrong with a `[server]`: the key below it, and why.
#[derive(Debug)]
pub struct FrontError {
    /// Below `[server]`.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub why: String,
}

impl std::fmt::Display for FrontError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[server] {}: {}", self.key, self.why)
    }
}

impl Front {
    /// Reads hashes, certificate and key, to stand before a site. All that is wrong is told at once.
    pub fn new(server: &Server, site: Site) -> Result<Self, Vec<FrontError>> {
        let mut errors = Vec::new();
        let gate = Gate::new(server, site);
        if let Err(wrong) = &gate {
            errors.extend(wrong.iter().map(|error| FrontError {
                key: "users",
                why: error.to_string(),
            }));
        }
        let tls = server.tls.clone().map(Tls::new).transpose();
        if let Err(error) = &tls {
            errors.push(FrontError {
                key: "tls",
                why: error.to_string(),
            });
        }
        match (gate, tls) {
            (Ok(gate), Ok(tls)) => Ok(Self {
                gate,
                tls: tls.map(Arc::new),
                limits: server.limits.clone(),
            }),
            _ => Err(errors),
        }
    }

    /// The certificate that callers meet.
    pub fn certificate(&self) -> ServerCertificate {
        self.tls.as_ref().map(|tls| tls.shown()).unwrap_or_default()
    }

    /// How calls of the API are answered, always up to date.
    pub fn answers(&self) -> AnswerCounts {
        self.gate.answers()
    }

    /// Serves until told to stop, then until every request that is under way is answered.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: CancellationToken) {
        let places = Places::new(self.limits.connections);
        let tasks = TaskTracker::new();
        tasks.spawn(tls::watch(self.tls.clone(), stop.clone()));
        let house = Arc::new(House::new(self.gate, router, self.tls, self.limits, stop.clone()));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, address, place)) = accepted else {
                break;
            };
            let house = house.clone();
            tasks.spawn(async move {
                connection::serve(house, stream, address).await;
                drop(place);
            });
        }
        // New callers learn at once that nobody is here.
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }
}

/// The next connection, when there is a place for one: the others wait in the system's queue.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Places>,
) -> Option<(tokio::net::TcpStream, std::net::IpAddr, Place)> {
    let mut free = places.free().await?;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let address = address.ip().to_canonical();
                if let Some(place) = places.give(address, free) {
                    return Some((stream, address, place));
                }
                drop(stream);
                free = places.free().await?;
            }
            // It was gone before it was taken.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; are too many files open?");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
