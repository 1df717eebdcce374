//! Takes up a new certificate while the server runs: told by the file system, by SIGHUP, and by looking now and then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Tls;
use super::material::files;
use crate::config;

/// Between two looks, for file systems that report no changes.
const LOOK: Duration = Duration::from_secs(5);
/// Certificate and key are replaced one after the other: a change is taken up when this much later nothing has changed more.
const STILL: Duration = Duration::from_millis(500);

/// The content of all files, or which of them could not be read.
pub(super) type Seen = Vec<Option<Vec<u8>>>;

/// Watches until the server stops. Without TLS, SIGHUP has nothing to do, and does no harm.
pub(in crate::front) async fn watch(tls: Option<Arc<Tls>>, stop: CancellationToken) {
    let changed = Arc::new(Notify::new());
    let _watcher = tls.as_deref().and_then(|tls| watcher(tls, &changed));
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => Some(hangup),
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be listened for");
            None
        }
    };
    // Not as they are now: they may have changed while the server started.
    let mut taken = tls.as_ref().map(|tls| tls.first.clone()).unwrap_or_default();
    loop {
        let told = tokio::select! {
            () = stop.cancelled() => return,
            () = changed.notified() => false,
            () = sleep(LOOK) => false,
            () = next(&mut hangup) => true,
        };
        let Some(tls) = &tls else {
            if told {
                tracing::info!("SIGHUP: there is no certificate to read anew");
            }
            continue;
        };
        let mut now = seen(&tls.settings);
        if !told {
            if now == taken {
                continue;
            }
            loop {
                sleep(STILL).await;
                let later = seen(&tls.settings);
                if later == now {
                    break;
                }
                now = later;
            }
        }
        taken = now;
        if let Err(error) = tls.reload() {
            tracing::error!("[server.tls] {error}; the certificate before it stays in use");
        }
    }
}

async fn next(hangup: &mut Option<Signal>) {
    let told = match hangup {
        Some(hangup) => hangup.recv().await,
        None => None,
    };
    if told.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Digests: keys are not kept in memory for comparison.
pub(super) fn seen(settings: &config::Tls) -> Seen {
    let digest = |path: &Path| {
        let content = zeroize::Zeroizing::new(std::fs::read(path).ok()?);
        let mut digest = Context::new(&SHA256);
        digest.update(&content);
        Some(digest.finish().as_ref().to_vec())
    };
    files(settings).into_iter().map(digest).collect()
}

/// Reports changes in the folders of the files: a file that is renamed over another is seen there only.
fn watcher(tls: &Tls, changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let told = changed.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Looking opens the files, and that is reported too: it must not lead to the next look.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            told.notify_one();
        }
    })
    .inspect_err(|error| tracing::warn!(%error, "changes of certificate files are not reported; they are looked at"))
    .ok()?;
    for folder in files(&tls.settings).into_iter().filter_map(Path::parent) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, folder = %folder.display(), "changes of certificate files are not reported; they are looked at");
        }
    }
    Some(watcher)
}
