//! An S3 bucket for tests, in the process of the test, over plain HTTP on 127.0.0.1.
//!
//! [`Bucket::start`] gives an empty one with credentials of its own. The server is `s3s-fs`: it checks signatures, and its
//! objects are plain files that a test may look at or damage. [`Bucket::fail`] orders faults.
//!
//! Everything runs on a thread of its own and ends with the value, so tests need no runtime, or any.

mod faults;
mod server;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use faults::Fault;
use faults::Faults;
use server::Server;

/// A running server with one bucket.
pub struct Bucket {
    /// `http://127.0.0.1:<port>`, for requests in path style.
    pub endpoint: String,
    /// Name of the bucket.
    pub name: String,
    /// The access key that the server knows.
    pub access_key: String,
    /// Its secret.
    pub secret: String,
    faults: Arc<Faults>,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bucket {
    /// Starts a server with an empty bucket.
    pub fn start() -> io::Result<Self> {
        let name = "budstikke".to_owned();
        let access_key = format!("ACCESS{}", uuid::Uuid::new_v4().simple());
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join(&name))?;

        let files = FileSystem::new(folder.path()).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut s3 = S3ServiceBuilder::new(files);
        s3.set_auth(SimpleAuth::from_single(access_key.clone(), secret.clone()));
        let faults = Arc::new(Faults::default());
        let server = Server {
            s3: s3.build(),
            root: folder.path().to_owned(),
            faults: Arc::clone(&faults),
        };

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("test bucket".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = server.run(listener) => {}
                    // Told to, or the bucket was forgotten: both end it.
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self {
            endpoint,
            name,
            access_key,
            secret,
            faults,
            folder,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The next `times` requests whose line (`PUT /bucket/key?query`) contains `matching` meet this fault. An empty `matching` is
    /// every request.
    pub fn fail(&self, matching: &str, fault: Fault, times: usize) {
        self.faults.order(matching, fault, times);
    }

    /// Takes back all faults that were ordered.
    pub fn heal(&self) {
        self.faults.heal();
    }

    /// The requests so far, oldest first, as `PUT /bucket/key?query`.
    pub fn requests(&self) -> Vec<String> {
        self.faults.seen()
    }

    /// The keys of all objects, sorted.
    pub fn objects(&self) -> io::Result<Vec<String>> {
        let root = self.folder.path().join(&self.name);
        let mut keys = Vec::new();
        collect_keys(&root, &root, &mut keys)?;
        keys.sort();
        Ok(keys)
    }

    /// Where the bytes of an object are. Change them as you like.
    pub fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join(&self.name).join(key)
    }

    /// Parts of uploads that were neither completed nor aborted.
    pub fn unfinished_parts(&self) -> io::Result<usize> {
        let mut parts = 0;
        for entry in std::fs::read_dir(self.folder.path())? {
            parts += usize::from(entry?.file_name().to_string_lossy().starts_with(".upload_id-"));
        }
        Ok(parts)
    }

    /// Stops listening and breaks all connections; later requests are refused by the system.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server was shown where it happened.
            let _ended = thread.join();
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stop();
    }
}

fn collect_keys(root: &Path, folder: &Path, keys: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect_keys(root, &entry.path(), keys)?;
        } else if let Ok(key) = entry.path().strip_prefix(root) {
            keys.push(key.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
