//! The road in: calls an adapter's `receive` again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::adapters::Adapter;
use crate::node::Node;

/// How long to wait for an adapter that is not running, or has nothing to receive, before looking again.
const NOT_RUNNING: Duration = Duration::from_secs(2);
/// How long to wait while another node fetches, before looking whether it still does.
const NOT_OURS: Duration = Duration::from_secs(1);
/// The longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Fetches until told to stop. A call under way is finished first.
pub(super) async fn run(node: Arc<Node>, adapter: Arc<Adapter>, stop: CancellationToken) {
    let duty = format!("receive {}", adapter.name);
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        let pause = match interval(&adapter) {
            None => NOT_RUNNING,
            Some(_) if !node.holds(&duty).await => NOT_OURS,
            Some(interval) => match once(&adapter).await {
                Fetched::More => Duration::ZERO,
                Fetched::All => {
                    failures = 0;
                    interval
                }
                Fetched::Failed => {
                    failures = failures.saturating_add(1);
                    interval
                        .saturating_mul(1 << failures.min(6))
                        .min(LONGEST_PAUSE.max(interval))
                }
            },
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn interval(adapter: &Adapter) -> Option<Duration> {
    adapter
        .description()?
        .poll_interval
        .map(|seconds| Duration::from_secs(u64::from(seconds.max(1))))
}

enum Fetched {
    All,
    More,
    Failed,
}

async fn once(adapter: &Adapter) -> Fetched {
    let Some(plugin) = adapter.plugin() else {
        return Fetched::Failed;
    };
    match plugin.receive().await {
        Ok(Ok(received)) => {
            for problem in &received.problems {
                tracing::warn!(
                    adapter = adapter.name,
                    problem,
                    "something could not be fetched; it stays at the service"
                );
            }
            if received.handled > 0 {
                tracing::info!(adapter = adapter.name, handled = received.handled, "fetched");
            }
            if received.more && received.handled > 0 {
                Fetched::More
            } else {
                Fetched::All
            }
        }
        Ok(Err(failure)) => {
            tracing::warn!(adapter = adapter.name, %failure, "fetching failed");
            Fetched::Failed
        }
        Err(error) => {
            tracing::error!(adapter = adapter.name, %error, "fetching failed");
            Fetched::Failed
        }
    }
}
