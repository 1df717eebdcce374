//! Compiled code on disk. Loading it runs whatever bytes are there, so only what this installation wrote is loaded: own
//! directory, named by digest and compiler settings, with a MAC under a key that was made at the first start. Whatever
//! is off is compiled anew; nothing here is ever fatal to an adapter.

#[allow(
    unsafe_code,
    reason = "the one place that maps machine code; see its function for the conditions"
)]
mod machine_code;

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use wasmtime::component::Component;

use crate::engine::Engine;
use crate::load::Digest;

/// Bytes of the key; the output size of SHA-256.
const KEY: usize = 32;
const KEY_FILE: &str = "key";

/// The cache cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Files.
    #[error("the plugin cache {} cannot be used: {error}", path.display())]
    Io {
        /// Its directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others could have put code there, or signed it.
    #[error("{} {why}: the code in the plugin cache cannot be trusted; remove {} and start again", path.display(), path.display())]
    Exposed {
        /// The directory or the key file.
        path: PathBuf,
        /// Who can get at it.
        why: String,
    },
    /// No random numbers.
    #[error("no random numbers for the key of the plugin cache")]
    Random,
}

/// Compiled code of this installation.
pub(crate) struct CompiledCache {
    directory: PathBuf,
    key: hmac::Key,
    compatibility: u64,
}

impl CompiledCache {
    /// Opens the directory, making it and its key when they are missing.
    pub(crate) fn open(directory: &Path, engine: &Engine) -> Result<Self, CacheError> {
        let failed = |error| CacheError::Io {
            path: directory.to_owned(),
            error,
        };
        if !make_private(directory).map_err(failed)? {
            only_ours(directory, 0o022)?;
            close(directory).map_err(failed)?;
        }
        let key_file = directory.join(KEY_FILE);
        if key_file.exists() {
            only_ours(&key_file, 0o077)?;
        }
        let key = match fs::read(&key_file) {
            Ok(key) if key.len() == KEY => key,
            // A damaged key only means that everything is compiled anew.
            Ok(_) => new_key(&key_file).map_err(|error| error.map_or(CacheError::Random, failed))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                new_key(&key_file).map_err(|error| error.map_or(CacheError::Random, failed))?
            }
            Err(error) => return Err(failed(error)),
        };
        let mut hasher = DefaultHasher::new();
        engine.wasm.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self {
            directory: directory.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            compatibility: hasher.finish(),
        };
        cache.sweep();
        Ok(cache)
    }

    /// Removes code of other versions of the engine, and what a host that was killed left half done.
    fn sweep(&self) {
        let ours = format!("-{:016x}", self.compatibility);
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let end = path.extension().unwrap_or_default();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let stale = (end == "code" || end == "mac") && !name.ends_with(&ours);
            let half_done = (end == "fresh" || end == "input") && is_old(&path);
            if stale || half_done {
                drop(fs::remove_file(&path));
            }
        }
    }

    /// Where the code of a component is, or would be.
    pub(crate) fn code_file(&self, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{}.code", self.name(digest)))
    }

    /// A private place for files on their way.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn mac_file(&self, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{}.mac", self.name(digest)))
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{digest}-{:016x}", self.compatibility)
    }

    /// The compiled component, if it is here and unharmed.
    pub(crate) fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let code_file = self.code_file(digest);
        let code = fs::read(&code_file).ok()?;
        let mac = fs::read(self.mac_file(digest)).ok()?;
        if hmac::verify(&self.key, &self.signed(digest, &code), &mac).is_err() {
            tracing::warn!(%digest, "compiled code in the cache is not ours or damaged; compiling anew");
            return None;
        }
        drop(code);
        match machine_code::map(engine, &code_file) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(%digest, "compiled code in the cache does not load; compiling anew: {error:#}");
                None
            }
        }
    }

    /// Signs what the compiler has just written to `fresh` and puts it in its place.
    pub(crate) fn adopt(&self, digest: &Digest, fresh: &Path) -> io::Result<()> {
        let code = fs::read(fresh)?;
        let mac = hmac::sign(&self.key, &self.signed(digest, &code));
        fs::rename(fresh, self.code_file(digest))?;
        write_private(&self.mac_file(digest), mac.as_ref())
    }

    /// The name is part of what is signed, or one component's code could stand in for another's.
    fn signed(&self, digest: &Digest, code: &[u8]) -> Vec<u8> {
        let name = self.name(digest);
        let mut signed = Vec::with_capacity(name.len() + code.len());
        signed.extend_from_slice(name.as_bytes());
        signed.extend_from_slice(code);
        signed
    }
}

/// No compilation takes this long: nobody is at work on the file any more.
fn is_old(file: &Path) -> bool {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_hours(1)))
}

fn new_key(file: &Path) -> Result<Vec<u8>, Option<io::Error>> {
    let mut key = vec![0; KEY];
    rand::fill(&mut key).map_err(|_| None)?;
    write_private(file, &key).map_err(Some)?;
    Ok(key)
}

/// Makes a directory that only we can read. False when it was there before.
fn make_private(directory: &Path) -> io::Result<bool> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Refuses what belongs to somebody else, or gives others one of the permissions in `forbidden`.
#[cfg(unix)]
fn only_ours(path: &Path, forbidden: u32) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).map_err(|error| CacheError::Io {
        path: path.to_owned(),
        error,
    })?;
    let why = if metadata.uid() != rustix::process::geteuid().as_raw() {
        format!("belongs to another user (uid {})", metadata.uid())
    } else if metadata.mode() & forbidden != 0 {
        format!("is open to other users (mode {:03o})", metadata.mode() & 0o777)
    } else {
        return Ok(());
    };
    let path = path.to_owned();
    Err(CacheError::Exposed { path, why })
}

#[cfg(not(unix))]
fn only_ours(_: &Path, _: u32) -> Result<(), CacheError> {
    Ok(())
}

/// Takes from others what the directory let them read.
#[cfg(unix)]
fn close(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a file that only we can read, whole or not at all.
pub(crate) fn write_private(file: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut open = options.open(&fresh)?;
    open.write_all(content)?;
    open.sync_all()?;
    fs::rename(&fresh, file)
}
