//! Starting, stopping and looking into the doubles.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use md5::{Digest as _, Md5};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::broker::shelf::Shelf;
use crate::broker::transfer::{Transfer, TransferStatus};
use crate::configuration::{Client, DoublesConfig, SystemUser};
use crate::correspondence::Correspondences;
use crate::faults::{Faults, Route, control, enforce};
use crate::ks::{Ks, Mottakersystem};
use crate::maskinporten::SeenAssertions;
use crate::organisation::{NotAnOrganisation, Organisation};
use crate::register::Register;
use crate::registers::Registers;
use crate::requests::{RecordedRequest, RequestLog};
use crate::tokens::Tokens;
use crate::wire::{Connection, Connections, CuttableListener};
use crate::{broker, correspondence, exchange, ks, maskinporten, registers};

/// Everything that the services of the doubles know.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) audience: String,
    pub(crate) register: Register,
    pub(crate) seen: SeenAssertions,
    pub(crate) maskinporten_tokens: Tokens,
    pub(crate) altinn_tokens: Tokens,
    pub(crate) broker: Arc<Shelf>,
    pub(crate) correspondences: Correspondences,
    pub(crate) registers: Registers,
    pub(crate) ks: Ks,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
}

impl House {
    /// Forgets transfers, letters, forsendelser, requests, tokens and faults; clients, system users and what is in the registers stay.
    pub(crate) fn clear(&self) {
        self.faults.clear();
        self.requests.clear();
        self.maskinporten_tokens.revoke_all();
        self.altinn_tokens.revoke_all();
        self.seen.clear();
        self.broker.clear();
        self.ks.clear();
        self.correspondences.clear();
    }
}

/// The doubles cannot start, or cannot take what a test gives them.
#[derive(Debug, thiserror::Error)]
pub enum DoublesError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The folder for uploads cannot be made or written.
    #[error("cannot use the folder for uploaded files: {0}")]
    Folder(#[source] io::Error),
    /// Not an organisation number.
    #[error(transparent)]
    Organisation(#[from] NotAnOrganisation),
}

/// Running doubles. They run on the Tokio runtime that started them and stop when this is dropped.
#[derive(Debug)]
pub struct Doubles {
    house: Arc<House>,
    address: SocketAddr,
    server: JoinHandle<()>,
    connections: Connections,
    // Held for its removal at the end.
    _temporary: Option<TempDir>,
}

impl Drop for Doubles {
    fn drop(&mut self) {
        self.server.abort();
        self.connections.cut_all();
    }
}

impl Doubles {
    /// Starts all services on one address.
    ///
    /// # Errors
    /// The address cannot be listened on, or the folder cannot be used.
    pub async fn start(config: DoublesConfig) -> Result<Self, DoublesError> {
        let (dir, temporary) = if let Some(dir) = config.dir {
            std::fs::create_dir_all(&dir).map_err(DoublesError::Folder)?;
            (dir, None)
        } else {
            let temporary = TempDir::with_prefix("doubles-").map_err(DoublesError::Folder)?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let listening = |source| DoublesError::Listen {
            address: config.listen,
            source,
        };
        let connections = Connections::default();
        let listener = CuttableListener::bind(config.listen, connections.clone())
            .await
            .map_err(listening)?;
        let address = listener.address().map_err(listening)?;
        let house = Arc::new(House {
            audience: config.audience.unwrap_or_else(|| format!("http://{address}/")),
            register: Register::new(config.clients, config.system_users),
            seen: SeenAssertions::default(),
            maskinporten_tokens: Tokens::new("maskinporten", config.maskinporten_token_life),
            altinn_tokens: Tokens::new("altinn", config.token_life),
            correspondences: Correspondences::new(dir.clone(), config.correspondence),
            broker: Arc::new(Shelf::new(
                dir,
                config.limits,
                config.resources,
                config.virus_scan_delay,
                config.download_mark,
            )),
            registers: Registers::default(),
            ks: Ks::default(),
            faults: Faults::default(),
            requests: RequestLog::default(),
        });
        let service = router(&house).into_make_service_with_connect_info::<Connection>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "the doubles stopped");
            }
        });
        Ok(Self {
            house,
            address,
            server,
            connections,
            _temporary: temporary,
        })
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL of everything, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Maskinporten's token URL.
    pub fn token_url(&self) -> String {
        self.url() + maskinporten::PATH
    }

    /// What `aud` of an assertion must be.
    pub fn audience(&self) -> &str {
        &self.house.audience
    }

    /// Altinn's token exchange.
    pub fn exchange_url(&self) -> String {
        self.url() + exchange::PATH
    }

    /// Base URL of the broker, without a slash at the end.
    pub fn broker_url(&self) -> String {
        self.url() + broker::PATH
    }

    /// Base URL of Correspondence behind the proxy, without a slash at the end.
    pub fn correspondence_url(&self) -> String {
        self.url() + correspondence::PATH
    }

    /// The letters that came in at Correspondence.
    pub fn correspondences(&self) -> &Correspondences {
        &self.house.correspondences
    }

    /// The outside registers: put in what they should know. Each is under its path of [`Doubles::url`].
    pub fn registers(&self) -> &Registers {
        &self.house.registers
    }

    /// KS: who may send and fetch, and what was sent.
    pub fn ks(&self) -> &Ks {
        &self.house.ks
    }

    /// Registers a mottakersystem, or changes the one with the same user: what is sent to its organisations waits in SvarInn, and
    /// the address service finds it in the registers.
    pub fn put_mottakersystem(&self, receiver: Mottakersystem) {
        self.house.ks.put_receiver(&self.house.registers, receiver);
    }

    /// Base URL of SvarUt, without a slash at the end.
    pub fn svarut_url(&self) -> String {
        self.url() + ks::SVARUT
    }

    /// Base URL of SvarInn, without a slash at the end.
    pub fn svarinn_url(&self) -> String {
        self.url() + ks::SVARINN
    }

    /// Base URL of the door for people, without a slash at the end.
    pub fn control_url(&self) -> String {
        self.url() + control::PATH
    }

    /// The switches for faults.
    pub fn faults(&self) -> &Faults {
        &self.house.faults
    }

    /// Registers a client, or changes the one with the same id.
    pub fn put_client(&self, client: Client) {
        self.house.register.put_client(client);
    }

    /// Registers a system user, or changes (approves, say) the same one.
    pub fn put_system_user(&self, user: SystemUser) {
        self.house.register.put_system_user(user);
    }

    /// Makes every token given out so far useless.
    pub fn revoke_tokens(&self) {
        self.house.maskinporten_tokens.revoke_all();
        self.house.altinn_tokens.revoke_all();
    }

    /// Resets all open connections, as a restart of the services would.
    pub fn cut_connections(&self) {
        self.connections.cut_all();
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.house.requests.all()
    }

    /// How many requests came in on a route, faults included.
    pub fn count(&self, route: Route) -> u64 {
        self.house.requests.count(route)
    }

    /// All transfers, oldest first.
    pub fn transfers(&self) -> Vec<Transfer> {
        self.house.broker.transfers()
    }

    /// One transfer.
    pub fn transfer(&self, id: Uuid) -> Option<Transfer> {
        self.house.broker.get(id)
    }

    /// Waits until `enough` holds for the transfers, for at most the given time. Says whether it came to hold.
    pub async fn wait_for(&self, time: Duration, enough: impl Fn(&[Transfer]) -> bool) -> bool {
        const STEP: Duration = Duration::from_millis(20);
        let deadline = tokio::time::Instant::now() + time;
        while !enough(&self.transfers()) {
            if tokio::time::Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(STEP).await;
        }
        true
    }

    /// Puts a published transfer in place without any HTTP, as if another party had sent it.
    ///
    /// # Errors
    /// An organisation number is wrong, or the file cannot be written.
    pub fn publish(
        &self,
        sender: &str,
        recipient: &str,
        resource: &str,
        reference: Option<&str>,
        bytes: &[u8],
    ) -> Result<Uuid, DoublesError> {
        let mut transfer = broker::announced(
            &self.house.broker,
            "sbd.zip".to_owned(),
            resource.to_owned(),
            reference.map(str::to_owned),
            sender.parse::<Organisation>()?,
            vec![recipient.parse::<Organisation>()?],
            BTreeMap::new(),
            Some(hex::encode(Md5::digest(bytes))),
        );
        std::fs::write(&transfer.path, bytes).map_err(DoublesError::Folder)?;
        transfer.size = bytes.len() as u64;
        transfer.become_status(TransferStatus::Published, None);
        let id = transfer.id;
        self.house.broker.add(transfer);
        Ok(id)
    }

    /// Lets a transfer run out of time now. Says whether there is such a transfer.
    pub fn expire(&self, id: Uuid) -> bool {
        let now = jiff::Timestamp::now();
        self.house
            .broker
            .with(id, |transfer| {
                transfer.expires = now;
                transfer.settle(now);
            })
            .is_some()
    }

    /// Forgets transfers, letters, requests, tokens and faults; clients, system users and what is in the registers stay.
    pub fn clear(&self) {
        self.house.clear();
    }
}

fn router(house: &Arc<House>) -> Router {
    Router::new()
        .merge(maskinporten::router())
        .merge(exchange::router())
        .merge(broker::router())
        .merge(correspondence::router())
        .merge(registers::router())
        .merge(ks::router())
        .merge(ks::door::router())
        .merge(control::router())
        .fallback(broker::nothing_here)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(house),
            enforce::enforce,
        ))
        .with_state(Arc::clone(house))
}
