//! From a file to a plugin: read, digest, compile or take from the cache, compare imports with grants, link.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::component::{Component, Linker};

use crate::bindings::HousePre;
use crate::cache::{CacheError, CompiledCache};
use crate::call_state::PluginContext;
use crate::compile::{COMPONENT_SIZE, CompileError, Compiler, Compilers};
use crate::egress::{EgressError, Gate};
use crate::engine::{Engine, MEMORY_RESERVATION};
use crate::error::CallError;
use crate::grants::{Grants, ImportError, check_imports};
use crate::host;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::services::Services;

/// SHA-256 of a component file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let mut sum = [0; 32];
        sum.copy_from_slice(digest.as_ref());
        Self(sum)
    }

    /// A digest as [`fmt::Display`] writes it.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut sum = [0; 32];
        hex::decode_to_slice(text, &mut sum).ok()?;
        Some(Self(sum))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An adapter as the operator configured it: everything but the file's content.
#[derive(Clone)]
pub struct PluginSpec {
    /// The name under `[adapters.…]`.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
    /// What it may take.
    pub limits: Limits,
    /// What stands behind its imports.
    pub services: Arc<dyn Services>,
    /// PEM bundles that its HTTP trusts besides the system's roots.
    pub roots: Vec<Vec<u8>>,
}

/// A file that does not become a plugin. Names the plugin and what to do.
#[derive(Debug, thiserror::Error)]
#[error("plugin {plugin}: {reason}")]
pub struct LoadError {
    /// Name of the adapter.
    pub plugin: String,
    /// What is wrong.
    #[source]
    pub reason: LoadReason,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum LoadReason {
    /// It cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is too large to be a component.
    #[error("the file is larger than {} MiB", COMPONENT_SIZE >> 20)]
    TooLarge,
    /// It is compiled code, which is never taken from a folder of the operator.
    #[error("the file is compiled machine code, not a component; give the component it was made from")]
    MachineCode,
    /// It does not begin like a component.
    #[error("the file is not a WebAssembly component (it is {0})")]
    NotAComponent(&'static str),
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It asks for something that it does not get.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Types differ, or the contract's exports are missing.
    #[error("does not fit the contract: {0:#}")]
    Contract(wasmtime::Error),
    /// The HTTP client.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// A limit that the engine cannot give.
    #[error("limit memory is {wanted} bytes; the pool gives at most {most}")]
    Limit {
        /// What the operator wrote.
        wanted: usize,
        /// The engine's.
        most: u64,
    },
    /// The work was broken off, as at the end of the host.
    #[error("loading was broken off")]
    BrokenOff,
    /// `describe` answered with a failure.
    #[error("describe failed: {0}")]
    Describe(String),
    /// `describe` gave no answer.
    #[error("describe failed: {0}")]
    NoAnswer(CallError),
}

impl LoadReason {
    /// Whether the same file may do later: the machine is at fault, or nobody knows.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::File { .. } | Self::BrokenOff => true,
            Self::Compile(error) => !matches!(error, CompileError::Invalid(_)),
            Self::NoAnswer(error) => matches!(error, CallError::Busy { .. } | CallError::OutOfTime { .. }),
            Self::TooLarge
            | Self::MachineCode
            | Self::NotAComponent(_)
            | Self::Import(_)
            | Self::Contract(_)
            | Self::Egress(_)
            | Self::Limit { .. }
            | Self::Describe(_) => false,
        }
    }
}

/// Makes plugins out of files.
pub struct Loader {
    engine: Engine,
    cache: Arc<CompiledCache>,
    compilers: Compilers,
    fresh: AtomicU64,
}

impl Loader {
    /// `cache`: a directory of our own for compiled code; made when it is missing.
    pub fn new(engine: Engine, cache: &Path, compiler: Compiler) -> Result<Self, CacheError> {
        let cache = Arc::new(CompiledCache::open(cache, &engine)?);
        Ok(Self {
            cache,
            compilers: Compilers::new(compiler, engine.purpose),
            engine,
            fresh: AtomicU64::new(0),
        })
    }

    /// The engine that plugins run on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A private directory for what must outlive a restart.
    pub(crate) fn directory(&self) -> &Path {
        self.cache.directory()
    }

    /// Reads a component file.
    pub(crate) async fn read(path: &Path) -> Result<(Digest, Vec<u8>), LoadReason> {
        let path = path.to_owned();
        aside(move || Self::read_blocking(&path).map(|bytes| (Digest::of(&bytes), bytes)))
            .await
            .flatten()
    }

    fn read_blocking(path: &Path) -> Result<Vec<u8>, LoadReason> {
        let failed = |error| LoadReason::File {
            path: path.to_owned(),
            error,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(COMPONENT_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > COMPONENT_SIZE {
            return Err(LoadReason::TooLarge);
        }
        Ok(bytes)
    }

    /// Loads an adapter from a file, `describe` included.
    pub async fn load(&self, spec: &PluginSpec, path: &Path) -> Result<Plugin, LoadError> {
        match Self::read(path).await {
            Ok((_, bytes)) => self.load_bytes(spec, bytes).await,
            Err(reason) => Err(LoadError {
                plugin: spec.name.clone(),
                reason,
            }),
        }
    }

    /// Loads an adapter from the bytes of its file, `describe` included.
    pub async fn load_bytes(&self, spec: &PluginSpec, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
        let load = async {
            if spec.limits.memory as u64 > MEMORY_RESERVATION {
                return Err(LoadReason::Limit {
                    wanted: spec.limits.memory,
                    most: MEMORY_RESERVATION,
                });
            }
            let recognised = aside(move || recognise(&bytes).map(|()| (Digest::of(&bytes), bytes)));
            let (digest, bytes) = recognised.await.flatten()?;
            let component = self.component(digest, bytes).await?;
            let (engine, configured) = (self.engine.clone(), spec.clone());
            let plugin = aside(move || link(engine, &configured, digest, &component))
                .await
                .flatten()?;
            match plugin.learn_description().await {
                Ok(Ok(())) => Ok(plugin),
                Ok(Err(failure)) => Err(LoadReason::Describe(failure.to_string())),
                Err(error) => Err(LoadReason::NoAnswer(error)),
            }
        };
        load.await.map_err(|reason| LoadError {
            plugin: spec.name.clone(),
            reason,
        })
    }

    /// The compiled component of a file.
    pub(crate) async fn component_of(&self, path: &Path) -> Result<(Digest, Component), LoadReason> {
        let (digest, bytes) = Self::read(path).await?;
        recognise(&bytes)?;
        Ok((digest, self.component(digest, bytes).await?))
    }

    /// The compiled component, from the cache or the compiler.
    async fn component(&self, digest: Digest, bytes: Vec<u8>) -> Result<Component, LoadReason> {
        if let Some(component) = self.cached(digest).await? {
            return Ok(component);
        }
        let number = self.fresh.fetch_add(1, Ordering::Relaxed);
        let place = |kind: &str| {
            let name = format!("{digest}.{}-{number}.{kind}", std::process::id());
            self.cache.directory().join(name)
        };
        let (input, output) = (place("input"), place("fresh"));
        let compiled = self.compile(digest, bytes, &input, &output).await;
        // Best effort: what is left behind is swept away at the next start.
        drop(aside(move || (std::fs::remove_file(&input), std::fs::remove_file(&output))).await);
        compiled?;
        let unusable = || CompileError::Invalid("the compiled code does not load on this machine".into());
        self.cached(digest).await?.ok_or_else(|| unusable().into())
    }

    async fn cached(&self, digest: Digest) -> Result<Option<Component>, LoadReason> {
        let (cache, engine) = (self.cache.clone(), self.engine.clone());
        aside(move || cache.load(&engine, &digest)).await
    }

    async fn compile(&self, digest: Digest, bytes: Vec<u8>, input: &Path, output: &Path) -> Result<(), LoadReason> {
        let started = std::time::Instant::now();
        let file = input.to_owned();
        aside(move || crate::cache::write_private(&file, &bytes))
            .await?
            .map_err(CompileError::Io)?;
        self.compilers.compile(input, output).await?;
        let (cache, fresh) = (self.cache.clone(), output.to_owned());
        aside(move || cache.adopt(&digest, &fresh))
            .await?
            .map_err(CompileError::Io)?;
        tracing::info!(%digest, millis = started.elapsed().as_millis(), "component compiled");
        Ok(())
    }
}

/// Runs what would hold up calls of other plugins: megabytes are read, checked and mapped here.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoadReason> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| LoadReason::BrokenOff)
}

/// Compares what the component asks for with what it may have, and joins the two.
fn link(engine: Engine, spec: &PluginSpec, digest: Digest, component: &Component) -> Result<Plugin, LoadReason> {
    let component_type = component.component_type();
    let imports: Vec<&str> = component_type.imports(&engine.wasm).map(|(name, _)| name).collect();
    let abilities = check_imports(&spec.name, imports.iter().copied(), &spec.grants)?;
    let mut linker = Linker::new(&engine.wasm);
    host::link(&mut linker, &abilities).map_err(LoadReason::Contract)?;
    let linked = linker
        .instantiate_pre(component)
        .and_then(HousePre::new)
        .map_err(LoadReason::Contract)?;
    let name: Arc<str> = spec.name.as_str().into();
    let grants = Arc::new(spec.grants.clone());
    let gate = Gate::new(name.clone(), grants.clone(), &spec.limits, &spec.roots)?;
    let context = PluginContext {
        name,
        limits: spec.limits.clone(),
        grants,
        services: spec.services.clone(),
        gate: Arc::new(gate),
    };
    let imports = imports.into_iter().map(ToOwned::to_owned).collect();
    Ok(Plugin::new(engine, context, linked, digest, imports))
}

/// `\0asm`, then version and layer: a component is layer 1.
fn recognise(bytes: &[u8]) -> Result<(), LoadReason> {
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadReason::MachineCode);
    }
    match bytes {
        [] => Err(LoadReason::NotAComponent("empty")),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadReason::NotAComponent(
            "a core module; make a component of it, for example with `wasm-tools component new`",
        )),
        _ => Err(LoadReason::NotAComponent("something else")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn busy() -> CallError {
        CallError::Busy {
            plugin: "echo".into(),
            function: "describe",
            limit: 1,
            waited: Duration::ZERO,
        }
    }

    #[test]
    fn what_the_machine_is_to_blame_for_passes_and_what_the_file_is_to_blame_for_does_not() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let path = PathBuf::from("echo.wasm");
        for passing in [
            LoadReason::File { path, error: denied() },
            LoadReason::BrokenOff,
            CompileError::Io(denied()).into(),
            CompileError::TooLong(Duration::ZERO).into(),
            LoadReason::NoAnswer(busy()),
        ] {
            assert!(passing.is_passing(), "{passing}");
        }
        let trap = CallError::Trap {
            plugin: "echo".into(),
            function: "describe",
            reason: "unreachable".into(),
        };
        for lasting in [
            LoadReason::TooLarge,
            LoadReason::NotAComponent("empty"),
            CompileError::Invalid("bad magic".into()).into(),
            LoadReason::Describe("settings: broker.url is missing".into()),
            LoadReason::NoAnswer(trap),
        ] {
            assert!(!lasting.is_passing(), "{lasting}");
        }
    }

    #[test]
    fn a_digest_reads_as_it_was_written() {
        let digest = Digest::of(b"component");
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex("ab"), None);
    }
}
