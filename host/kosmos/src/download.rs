//! Large files: to a temporary name, in bounded time and size, with progress. Nobody but the one who verifies gives a file its name.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt as _, stream};
use reqwest::Client;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt as _;

use crate::config::Download;
use crate::http::{self, HttpError, told};

/// What names of files on their way begin with.
const ON_ITS_WAY: &str = ".kosmos-download-";
/// Between two reports.
const REPORT: Duration = Duration::from_secs(2);

/// Told how far something has come: bytes, and all of them where that is known.
pub type Progress<'a> = dyn Fn(u64, Option<u64>) + Send + Sync + 'a;

/// A file on its way. It goes away with the value.
#[derive(Debug)]
pub struct OnItsWay {
    path: TempPath,
    /// Bytes.
    pub length: u64,
}

impl OnItsWay {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, durably. Its content is on disk already.
    pub fn keep(self, name: &Path) -> std::io::Result<()> {
        self.path.persist(name).map_err(|error| error.error)?;
        sync_folder(name)
    }
}

/// Makes a new name in a folder durable.
pub fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Fetches a URL into a file beside `name`.
pub async fn fetch(
    client: &Client,
    url: &str,
    name: &Path,
    limits: &Download,
    progress: &Progress<'_>,
) -> Result<OnItsWay, HttpError> {
    let response = http::get(client, url);
    let response = tokio::time::timeout(limits.most_time, response).await;
    let response = response.unwrap_or_else(|_| Err(HttpError(format!("{url}: no answer"))))?;
    let length = response.content_length();
    if length.is_some_and(|length| length > limits.size) {
        return Err(HttpError(format!(
            "{url}: is longer than the {} bytes that are allowed (download.size)",
            limits.size
        )));
    }
    let chunks = stream::unfold(response, |mut response| async {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| HttpError(told(&error.without_url())))
            .transpose()?;
        Some((chunk, response))
    });
    write(Box::pin(chunks), length, name, limits, progress)
        .await
        .map_err(|error| HttpError(format!("{url}: {error}")))
}

/// Writes chunks into a file beside `name`, synced.
pub async fn write(
    mut chunks: impl Stream<Item = Result<bytes::Bytes, HttpError>> + Unpin,
    length: Option<u64>,
    name: &Path,
    limits: &Download,
    progress: &Progress<'_>,
) -> Result<OnItsWay, HttpError> {
    let folder = name.parent().unwrap_or(Path::new("."));
    let disk = |error: std::io::Error| HttpError(format!("{} cannot be written: {error}", folder.display()));
    let file = tempfile::Builder::new()
        .prefix(ON_ITS_WAY)
        .tempfile_in(folder)
        .map_err(disk)?;
    let (file, path) = NamedTempFile::into_parts(file);
    let mut file = tokio::fs::File::from_std(file);
    let (started, mut reported, mut written) = (Instant::now(), Instant::now(), 0);
    progress(0, length);
    loop {
        let left = limits.most_time.saturating_sub(started.elapsed());
        let chunk = tokio::time::timeout(left, chunks.next()).await.map_err(|_| {
            HttpError(format!(
                "was not whole after {} s (download.most-time)",
                limits.most_time.as_secs()
            ))
        })?;
        let Some(chunk) = chunk.transpose()? else { break };
        written += chunk.len() as u64;
        if written > limits.size {
            return Err(HttpError(format!(
                "is longer than the {} bytes that are allowed (download.size)",
                limits.size
            )));
        }
        file.write_all(&chunk).await.map_err(disk)?;
        if reported.elapsed() >= REPORT {
            reported = Instant::now();
            progress(written, length);
        }
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    if length.is_some_and(|length| length != written) {
        return Err(HttpError(format!("ended after {written} bytes")));
    }
    progress(written, Some(written));
    Ok(OnItsWay { path, length: written })
}

/// Removes what a supervisor that was killed left on its way.
pub fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let left: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    for path in left {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(ON_ITS_WAY)
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "half a download cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Download {
        Download {
            size: 10,
            most_time: Duration::from_millis(200),
            ..Download::default()
        }
    }

    async fn written(
        chunks: impl Stream<Item = Result<bytes::Bytes, HttpError>>,
        length: Option<u64>,
    ) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("file");
        let done = write(Box::pin(chunks), length, &name, &limits(), &|_, _| {}).await;
        let done = done.map_err(|error| error.to_string()).map(|file| {
            file.keep(&name).unwrap();
            std::fs::read(&name).unwrap()
        });
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, usize::from(done.is_ok()), "nothing else stays");
        done
    }

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<bytes::Bytes, HttpError>> + use<> {
        stream::iter(parts.to_vec()).map(|part| Ok(bytes::Bytes::from_static(part.as_bytes())))
    }

    #[tokio::test]
    async fn a_whole_file_gets_its_name() {
        assert_eq!(written(chunks(&["abc", "de"]), Some(5)).await, Ok(b"abcde".to_vec()));
        assert_eq!(written(chunks(&[]), None).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn what_is_cut_off_endless_or_slow_leaves_nothing() {
        let short = written(chunks(&["abc"]), Some(5)).await.unwrap_err();
        assert!(short.contains("ended after 3 bytes"), "{short}");
        let endless = stream::repeat_with(|| Ok(bytes::Bytes::from_static(b"abc")));
        assert!(written(endless, None).await.unwrap_err().contains("download.size"));
        let slow = chunks(&["a"]).chain(stream::pending());
        assert!(written(slow, None).await.unwrap_err().contains("download.most-time"));
        let broken = chunks(&["a"]).chain(stream::iter([Err(HttpError("reset".into()))]));
        assert_eq!(written(broken, None).await, Err("reset".into()));
    }
}
