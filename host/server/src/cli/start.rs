//! Puts a node together from its configuration.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail};
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::keystore::Identity;
use budstikke_runtime::{
    CompileLimits, Compiler, CompilerCommand, Engine, FolderSettings, Loader, PluginFolder, PluginSpec, PoolSettings,
};
use budstikke_store::files::{BucketSettings, Files, StoreKey};
use budstikke_store::{Place, Store, Vault};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::registry::embedded;
use crate::abilities::AdapterServices;
use crate::abilities::tokens::Tokens;
use crate::adapters::{Adapter, Adapters};
use crate::certificates::{self, Checks};
use crate::config::{self, Config};
use crate::front::Front;
use crate::node::Node;
use crate::presence::Presence;
use crate::registry::remote::{LastAnswers, RemoteRegistry};
use crate::registry::{OwnListFirst, Registry, TomlRegistry};
use crate::routing::Rules;
use crate::webhooks::Webhooks;

/// A node, and what must live as long as it.
pub(super) struct Started {
    /// The node.
    pub(super) node: Arc<Node>,
    /// Watches the plugin folder.
    _folder: PluginFolder,
    /// Held until the end: no second process uses the data folder.
    _lock: File,
}

/// Log lines to standard error; `RUST_LOG` says which.
pub(super) fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

/// Everything up to the point where messages can flow.
pub(super) async fn node(config: Config, front: &Front) -> anyhow::Result<Started> {
    let data = &config.store.folder;
    fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let lock = lock(data)?;
    let identity = Arc::new(config::open_keystore(&config.organisation.keystore)?);
    certificates::own::tell(identity.certificate(), Timestamp::now());
    let own: OrganisationNumber = config.organisation.number.parse().context("[organisation] number")?;
    let shared = config.store.postgres.is_some();
    let store = Arc::new(open_store(&config.store).await?);
    let former = former_identities(&config.organisation)?;
    let key = store.key(&identity, &former).await?;
    let vault = Vault::new(open_files(&config.store, key)?, Arc::clone(&store));
    store.feed_status_queue(config.messages.status_queue.clone()).await?;
    let tokens = Arc::new(Tokens::new(
        &config.tokens,
        &identity,
        &format!("0192:{}", own.as_str()),
    )?);
    let last_answers = (config.registry.stale_hours > 0).then(|| {
        let life = Duration::from_hours(config.registry.stale_hours.into());
        LastAnswers::new(Arc::clone(&store), &vault, life)
    });
    let registry = registry(&config, &identity, &tokens, last_answers).await?;
    let certificates = Checks::new(&config.certificates)?;
    if !certificates.check_the_chain() {
        tracing::warn!(
            "there are no [certificates] trust-anchors: nobody vouches for the certificates that messages are sealed to"
        );
    }
    let routing = rules(&config);

    let knot = Arc::new(OnceLock::new());
    let (folder, adapters) = plugins(&config, &tokens, &knot).await?;
    let node = Arc::new(Node {
        own,
        identity,
        store,
        vault,
        registry,
        certificates,
        routing,
        adapters,
        types: known(config.messages.known_types())?,
        processes: known(config.messages.own_processes())?,
        settings: config.messages,
        retention: config::retention::in_force(&config.retention)
            .into_iter()
            .map(Arc::new)
            .collect(),
        webhooks: Webhooks::new(config.webhooks).context("the HTTP client for webhooks")?,
        limits: config.server.limits,
        server_certificate: front.certificate(),
        answers: front.answers(),
        shutdown: config.server.shutdown.then(CancellationToken::new),
        sealed: Mutex::default(),
        presence: Presence::new(shared),
        queued: tokio::sync::Notify::new(),
    });
    if knot.set(node.clone()).is_err() {
        bail!("a node was put together twice");
    }
    Ok(Started {
        node,
        _folder: folder,
        _lock: lock,
    })
}

/// Where the database is.
pub(super) fn place(config: &config::Store) -> anyhow::Result<Place> {
    config
        .place()
        .map_err(|error| anyhow::anyhow!("[store.postgres] url: {error}"))
}

async fn open_store(config: &config::Store) -> anyhow::Result<Store> {
    let place = place(config)?;
    let name = match &place {
        Place::File(path) => path.display().to_string(),
        Place::Server { .. } => "[store.postgres]".to_owned(),
    };
    Store::open(place, &config.node_name()).await.context(name)
}

/// Where files are when they are not in a bucket.
pub(super) fn files_folder(config: &config::Store) -> PathBuf {
    config.folder.join("files")
}

/// The bucket, and a folder for what is on its way there.
pub(super) fn bucket(config: &config::Store) -> anyhow::Result<Option<(BucketSettings, PathBuf)>> {
    let Some(bucket) = &config.bucket else {
        return Ok(None);
    };
    let settings = bucket
        .settings()
        .map_err(|error| anyhow::anyhow!("[store.bucket]: {error}"))?;
    let spool = config.folder.join("spool");
    fs::create_dir_all(&spool).with_context(|| spool.display().to_string())?;
    Ok(Some((settings, spool)))
}

fn open_files(config: &config::Store, key: StoreKey) -> anyhow::Result<Files> {
    match bucket(config)? {
        None => {
            let folder = files_folder(config);
            Files::folder(&folder, key).with_context(|| folder.display().to_string())
        }
        Some((settings, spool)) => {
            Files::bucket(&settings, &spool, key, tokio::runtime::Handle::current()).context("[store.bucket]")
        }
    }
}

/// Whoever the store's key can be sealed to beside the present certificate.
pub(super) fn former_identities(organisation: &config::Organisation) -> anyhow::Result<Vec<Identity>> {
    let open = |keystore| config::open_keystore(keystore).context("[[organisation.former-keystores]]");
    organisation.former_keystores.iter().map(open).collect()
}

/// What the configuration adds to a table; it was checked when the file was read, but a schema can have changed since.
fn known<T>(table: Result<T, Vec<config::RowFault>>) -> anyhow::Result<T> {
    table.map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", told.join("; "))
    })
}

/// One process for one data folder.
pub(super) fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another process uses the data folder {}", data.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The operator's own list, and the address service when there is one. `last_answers`: where its good answers are kept.
pub(super) async fn registry(
    config: &Config,
    identity: &Arc<Identity>,
    tokens: &Arc<Tokens>,
    last_answers: Option<LastAnswers>,
) -> anyhow::Result<Arc<dyn Registry>> {
    let settings = &config.registry;
    let own = TomlRegistry::new(settings)?;
    let service: Box<dyn Registry> = match (&settings.url, &settings.embedded) {
        (Some(url), _) => Box::new(RemoteRegistry::new(url, settings, tokens, last_answers)?),
        (None, Some(file)) => Box::new(embedded(config, file, identity, tokens, last_answers).await?),
        (None, None) => return Ok(Arc::new(own)),
    };
    Ok(Arc::new(OwnListFirst::new(own, service)))
}

/// `[[routing]]`, over the adapters that are enabled.
pub(super) fn rules(config: &Config) -> Rules {
    let enabled = config.adapters.iter().filter(|(_, adapter)| adapter.enabled);
    let adapters = enabled.map(|(name, adapter)| (name.clone(), adapter.services.clone()));
    Rules::new(config.routing.clone(), adapters)
}

/// What an adapter of the configuration is to the runtime.
pub(super) fn spec(
    name: &str,
    adapter: &config::Adapter,
    tokens: &Arc<Tokens>,
    knot: &Arc<OnceLock<Arc<Node>>>,
) -> anyhow::Result<PluginSpec> {
    let settings = config::resolved(&adapter.settings)
        .map_err(|(key, error)| anyhow::anyhow!("[adapters.{name}.settings] {key}: {error}"))?;
    let services = AdapterServices::new(name.to_owned(), settings, adapter, tokens.clone(), knot.clone());
    let roots = match &adapter.extra_authorities {
        None => Vec::new(),
        Some(path) => vec![fs::read(path).with_context(|| path.display().to_string())?],
    };
    Ok(PluginSpec {
        name: name.to_owned(),
        grants: adapter.grants.clone(),
        limits: adapter.limits.clone(),
        services: Arc::new(services),
        roots,
    })
}

/// The loader that compiles in a child process of this program.
pub(super) fn loader(config: &Config) -> anyhow::Result<Loader> {
    let engine = Engine::new(PoolSettings::default())?;
    tracing::info!("{}", engine.pool_report());
    let program = std::env::current_exe().context("the path of this program")?;
    let command = CompilerCommand {
        program,
        args: vec!["plugin".into(), "compile".into()],
    };
    let cache = config.cache_folder();
    Ok(Loader::new(
        engine,
        &cache,
        Compiler::Child(command, CompileLimits::default()),
    )?)
}

async fn plugins(
    config: &Config,
    tokens: &Arc<Tokens>,
    knot: &Arc<OnceLock<Arc<Node>>>,
) -> anyhow::Result<(PluginFolder, Adapters)> {
    let settings = FolderSettings {
        poll: Duration::from_secs(config.plugins.poll_seconds),
        ..FolderSettings::default()
    };
    let folder = PluginFolder::open(&config.plugins.folder, Arc::new(loader(config)?), settings)?;
    let mut adapters = Vec::new();
    for (name, adapter) in config.adapters.iter().filter(|(_, adapter)| adapter.enabled) {
        let slot = folder.add(spec(name, adapter, tokens, knot)?, &adapter.component).await;
        adapters.push(Arc::new(Adapter::new(name.clone(), adapter.services.clone(), slot)));
    }
    Ok((folder, Adapters::new(adapters)))
}
