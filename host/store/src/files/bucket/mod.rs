//! Files in a bucket: `<prefix>/<name>`.
//!
//! A file is put only when its name is known, which is after its last byte. Until then its bytes are gathered: in memory, and in
//! a file without a name when they become many.

mod patience;
mod pending;
mod reader;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;
mod upload;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore};
use tokio::runtime::Handle;

use self::patience::{PROBE, Patience, WORK};
use self::pending::Pending;
use self::reader::BucketReader;
use self::refusal::Refusal;
use self::upload::Gathering;
use super::name::{checked, is_name};
use super::place::{Draft, PAGE, Place, Source};

pub use settings::BucketSettings;

/// Sorts behind every name, so that a listing after it is empty.
const BEHIND_ALL: &str = "z";

pub(super) struct Bucket {
    connection: Arc<Connection>,
    probing: AmazonS3,
    spool: PathBuf,
}

/// What uploads and readers share.
struct Connection {
    store: AmazonS3,
    prefix: Key,
    label: String,
    runtime: Handle,
    patience: Patience,
}

impl Connection {
    fn key(&self, name: &str) -> io::Result<Key> {
        Ok(self.prefix.clone().join(checked(name)?))
    }

    fn told(&self, what: &str, error: &object_store::Error) -> io::Error {
        Refusal::new(error).at(&self.label, what)
    }

    fn prefix(&self) -> Option<&Key> {
        Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty())
    }
}

impl Bucket {
    pub(super) fn open(settings: &BucketSettings, spool: &Path, runtime: Handle) -> io::Result<Self> {
        Self::open_with(settings, spool, runtime, WORK)
    }

    fn open_with(settings: &BucketSettings, spool: &Path, runtime: Handle, patience: Patience) -> io::Result<Self> {
        std::fs::create_dir_all(spool).map_err(|error| spool_error(spool, &error))?;
        let environment = |name: &str| std::env::var(name).ok();
        Ok(Self {
            connection: Arc::new(Connection {
                store: settings.connect(&patience, environment)?,
                prefix: settings.path()?,
                label: settings.label(),
                runtime,
                patience,
            }),
            probing: settings.connect(&PROBE, environment)?,
            spool: spool.to_owned(),
        })
    }
}

impl Place for Bucket {
    fn create(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(Gathering::new(Arc::clone(&self.connection), &self.spool)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        Ok(Box::new(BucketReader::open(Arc::clone(&self.connection), name)?))
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        let connection = &self.connection;
        let keys = names
            .iter()
            .map(|name| connection.key(name))
            .collect::<io::Result<Vec<_>>>()?;
        Pending::start(&connection.runtime, remove(Arc::clone(connection), keys)).wait()?
    }

    fn discard(&self, name: &str) {
        let connection = Arc::clone(&self.connection);
        let Ok(key) = connection.key(name) else {
            return;
        };
        self.connection.runtime.spawn(async move {
            if let Err(error) = remove(connection, vec![key]).await {
                tracing::warn!(%error, "a file that is not needed could not be removed; the sweeper will");
            }
        });
    }

    fn written_before(&self, time: SystemTime, page: &mut dyn FnMut(Vec<String>) -> io::Result<()>) -> io::Result<()> {
        let connection = &self.connection;
        let mut listing = connection.store.list(connection.prefix()).ready_chunks(PAGE);
        loop {
            let next = Pending::start(&connection.runtime, async move { (listing.next().await, listing) });
            let (objects, rest) = next.wait()?;
            listing = rest;
            let Some(objects) = objects else {
                return Ok(());
            };
            let objects = objects
                .into_iter()
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| connection.told("it cannot be listed", &error))?;
            let old = objects
                .into_iter()
                .filter(|object| SystemTime::from(object.last_modified) < time)
                .filter_map(|object| self.name_of(&object))
                .collect::<Vec<_>>();
            if !old.is_empty() {
                page(old)?;
            }
        }
    }

    /// A listing that is known to be empty: it needs the bucket, the credentials and little else.
    fn probe(&self) -> io::Result<()> {
        let prefix = &self.connection.prefix;
        let mut nothing: BoxStream<'static, _> = self
            .probing
            .list_with_offset(self.connection.prefix(), &prefix.clone().join(BEHIND_ALL));
        let first = Pending::start(&self.connection.runtime, async move { nothing.next().await });
        match first.wait()? {
            Some(Err(error)) => Err(self.connection.told("it does not answer as it should", &error)),
            _ => Ok(()),
        }
    }
}

impl Bucket {
    /// None of what somebody else keeps there.
    fn name_of(&self, object: &ObjectMeta) -> Option<String> {
        let name = object.location.filename().filter(|name| is_name(name))?;
        let own = self.connection.prefix.clone().join(name) == object.location;
        own.then(|| name.to_owned())
    }
}

/// All of them, also when some cannot be removed; then the error of one.
async fn remove(connection: Arc<Connection>, keys: Vec<Key>) -> io::Result<()> {
    let mut answers = connection
        .store
        .delete_stream(futures::stream::iter(keys.into_iter().map(Ok)).boxed());
    let mut failed = Ok(());
    while let Some(answer) = answers.next().await {
        if let Err(error) = answer {
            let refusal = Refusal::new(&error);
            if !refusal.is_missing() {
                failed = Err(refusal.at(&connection.label, "files cannot be removed"));
            }
        }
    }
    failed
}

fn spool_error(spool: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the folder {}, where files are gathered: {error}", spool.display()),
    )
}
