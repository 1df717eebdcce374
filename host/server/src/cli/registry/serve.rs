//! The address service from its start to its end.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use budstikke_message::keystore::Identity;
use budstikke_registry::api::clients::Clients;
use budstikke_registry::api::signing::Signer;
use budstikke_registry::api::{AdminGate, Api, Lookups, Metrics, SasToken};
use budstikke_registry::lookup::Directory;
use budstikke_registry::store::OwnData;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::directory;
use super::import::open;
use crate::cli::serve::refusal;
use crate::cli::stop::{self, Ended};
use crate::config::{self, AddressService, Server};
use crate::front::{AdminUsers, Front, Site};

/// Runs until told to stop.
pub(super) async fn run(config: AddressService) -> anyhow::Result<()> {
    let own = open(&config).await?;
    let signing = config.signing.as_ref().context("[signing] is missing")?;
    let identity = Arc::new(config::open_keystore(&signing.keystore)?);
    let directory = Arc::new(directory::directory(&config, own.shared(), &identity)?);
    let api = Arc::new(api(&config, Arc::clone(&own), identity, directory)?);
    let site = Site::address_service(&config.server.context_path);
    let front = Front::new(&config.server.front(), site).map_err(|errors| refusal(&errors))?;
    let secure = config.server.tls.is_some();
    let listen = config.server.listen;
    if !secure && !listen.ip().is_loopback() {
        tracing::warn!(%listen, "there is no [server.tls]: tokens and answers cross the network in the clear");
    }
    if config.clients.open && !listen.ip().is_loopback() {
        tracing::warn!(%listen, "[clients] open = true: EVERYBODY who reaches this address can look up persons");
    }
    let listener = bind(listen, "server").await?;
    let address = listener.local_addr()?;
    let management = match &config.management {
        Some(management) => Some(bind(management.listen, "management").await?),
        None => None,
    };
    let stop = CancellationToken::new();
    let signals = stop::signals().context("SIGTERM and Ctrl-C cannot be listened for")?;
    let following = tokio::spawn({
        let (own, stop) = (Arc::clone(&own), stop.clone());
        async move { own.follow(stop).await }
    });
    let router = api.router(&config.server.context_path, management.is_none());
    let managed = match management {
        Some(listener) => {
            let plain = Server {
                open: true,
                limits: config.server.limits.clone(),
                ..Server::default()
            };
            let front = Front::new(&plain, Site::bare()).map_err(|errors| refusal(&errors))?;
            tracing::info!(address = %listener.local_addr()?, "health and metrics are ready");
            Some((front, listener, api.management()))
        }
        None => None,
    };
    if let Some(file) = &config.server.address_file {
        let temporary = file.with_extension("new");
        fs::write(&temporary, format!("{address}\n"))
            .and_then(|()| fs::rename(&temporary, file))
            .with_context(|| file.display().to_string())?;
    }
    tracing::info!(%address, tls = secure, "the address service is ready");
    let work = async {
        let serving = front.serve(listener, router, stop.clone());
        match managed {
            Some((front, listener, router)) => {
                tokio::join!(serving, front.serve(listener, router, stop.clone()));
            }
            None => serving.await,
        }
        if let Err(error) = following.await {
            tracing::error!(%error, "following the changes of own data broke off");
        }
    };
    // A load balancer learns from the readiness that no calls are wanted; until it has, they are answered.
    let drain = async {
        api.drain();
        tokio::time::sleep(config.server.drain_time).await;
    };
    match Box::pin(stop::until_told(work, signals, &stop, drain, stop::GRACE)).await {
        Ended::Whole => tracing::info!("stopped"),
        Ended::Late | Ended::AtOnce => tracing::warn!("stopped before everything was answered"),
    }
    Ok(())
}

/// Everything that the routes need.
fn api(
    config: &AddressService,
    own: Arc<OwnData>,
    identity: Arc<Identity>,
    directory: Arc<Directory>,
) -> anyhow::Result<Api> {
    let end = identity.certificate().not_after();
    if !identity.certificate().is_valid_at(Timestamp::now()) {
        tracing::error!(%end, "the certificate of [signing] is not valid now: clients that look will refuse answers");
    }
    let users = &config.server.users;
    let admin = if users.is_empty() {
        None
    } else {
        let gate: Arc<dyn AdminGate> = Arc::new(AdminUsers::new(users).map_err(|errors| refusal(&errors))?);
        Some(gate)
    };
    let sas_token = config.sas_token.as_ref().map(|token| {
        let key = token
            .value
            .value()
            .map_err(anyhow::Error::msg)
            .context("[sas-token] value")?;
        Ok::<_, anyhow::Error>(SasToken {
            key: Zeroizing::new(key),
            scopes: token.scopes.iter().cloned().collect(),
        })
    });
    let mut all = directory.rules.all_scopes();
    all.extend(config.sas_token.iter().flat_map(|token| token.scopes.iter().cloned()));
    let lookups: Arc<dyn Lookups> = directory;
    Ok(Api {
        lookups,
        clients: Clients::new(&config.clients, all.clone()).context("[clients]")?,
        signer: Signer::new(identity).context("[signing] keystore")?,
        sas_token: sas_token.transpose()?,
        own,
        admin,
        operator_scopes: all,
        metrics: Metrics::default(),
        draining: AtomicBool::new(false),
    })
}

async fn bind(listen: std::net::SocketAddr, table: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(listen).await;
    bound.with_context(|| format!("[{table}] listen = \"{listen}\""))
}
