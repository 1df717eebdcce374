//! The same promises, kept in a folder and in a bucket.

mod damage;
mod keys;
mod round_trip;
mod sweep;

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use budstikke_test_bucket::Bucket as TestBucket;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{BucketSettings, Files, MessageKey, NewFile, StoreKey, StoredFiles};

pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
});

/// A place for files, and a way to its bytes behind our back.
pub(super) struct Home {
    pub(super) files: Files,
    pub(super) folder: TempDir,
    pub(super) bucket: Option<Arc<TestBucket>>,
}

impl Home {
    pub(super) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            files: Files::folder(folder.path(), StoreKey::generate().unwrap()).unwrap(),
            folder,
            bucket: None,
        }
    }

    pub(super) fn bucket() -> Self {
        let bucket = TestBucket::start().unwrap();
        let spool = tempfile::tempdir().unwrap();
        let key = StoreKey::generate().unwrap();
        Self {
            files: Files::bucket(&settings(&bucket), spool.path(), key, RUNTIME.handle().clone()).unwrap(),
            folder: spool,
            bucket: Some(Arc::new(bucket)),
        }
    }

    pub(super) fn every() -> [Self; 2] {
        [Self::folder(), Self::bucket()]
    }

    /// Where the stored bytes are.
    pub(super) fn stored(&self, name: &str) -> PathBuf {
        match &self.bucket {
            None => self.folder.path().join(&name[..2]).join(name),
            Some(bucket) => bucket.object(&format!("some/files/{name}")),
        }
    }

    pub(super) fn write(&self, key: &MessageKey, content: &[u8]) -> NewFile {
        let mut writer = self.files.create(key).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    /// A large file that the database names.
    pub(super) fn claimed(&self, key: &MessageKey, content: &[u8]) -> String {
        let file = self.write(key, content);
        assert!(file.small().is_none(), "a small file stands nowhere");
        file.claim();
        file.name().to_owned()
    }

    pub(super) fn content(&self, key: &MessageKey, name: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.files.read(key, name)?.read_to_end(&mut content)?;
        Ok(content)
    }
}

pub(super) fn settings(bucket: &TestBucket) -> BucketSettings {
    BucketSettings {
        endpoint: Some(bucket.endpoint.clone()),
        region: "us-east-1".to_owned(),
        bucket: bucket.name.clone(),
        prefix: "some/files".to_owned(),
        access_key: Some(bucket.access_key.clone()),
        secret: Some(bucket.secret.clone()),
        path_style: true,
        allow_http: true,
    }
}

pub(super) fn key() -> MessageKey {
    MessageKey::generate().unwrap()
}

/// Bytes that do not repeat too soon.
pub(super) fn sample(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| u8::try_from((index * 31 + index / 251) % 256).unwrap())
        .collect()
}

/// Whether the stored bytes of a large file are still those that it is named by.
pub(super) fn is_whole(files: &Files, name: &str) -> bool {
    let mut stored = StoredFiles::from(files).open(name).unwrap();
    io::copy(&mut stored, &mut io::sink()).unwrap();
    stored.is_whole()
}
