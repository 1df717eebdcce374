//! `budstikke serve`

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::start;
use super::stop::{self, Ended};
use crate::config::{Config, ManagePart, Problems, Server};
use crate::front::{Front, FrontError, Site};
use crate::{api, certificates, delivery, presence, webhooks};

/// For threads that are busy when everything else has ended.
pub(super) const THREADS: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub(super) fn run(path: &Path) -> ExitCode {
    start::log();
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no threads can be started");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(serve(config));
    // What was dropped may still hold a thread: it is not waited for.
    runtime.shutdown_timeout(THREADS);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(problems: &Problems) -> ExitCode {
    for problem in &problems.0 {
        tracing::error!("{problem}");
    }
    ExitCode::FAILURE
}

/// What others on the network can do that the operator may not have meant.
fn exposed(server: &Server) -> Vec<&'static str> {
    if server.listen.ip().is_loopback() {
        return Vec::new();
    }
    [
        (
            server.open,
            "[server] open = true: EVERYBODY who reaches this address can send and read messages; nobody is asked for a password",
        ),
        (
            server.manage_open.contains(&ManagePart::Shutdown),
            "[server] manage-open has \"shutdown\": EVERYBODY who reaches this address can stop this process",
        ),
        (
            server.tls.is_none(),
            "there is no [server.tls]: passwords and messages cross the network in the clear",
        ),
    ]
    .into_iter()
    .filter_map(|(is_so, warning)| is_so.then_some(warning))
    .collect()
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let listen = config.server.listen;
    let address_file = config.server.address_file.clone();
    let front = Front::new(&config.server, Site::integrasjonspunkt()).map_err(|errors| refusal(&errors))?;
    let secure = config.server.tls.is_some();
    let drain_time = config.server.drain_time;
    for exposed in exposed(&config.server) {
        tracing::warn!(%listen, "{exposed}");
    }
    let started = start::node(config, &front).await?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[server] listen = \"{listen}\""))?;
    let address = listener.local_addr()?;

    let stop = CancellationToken::new();
    let mut tasks = delivery::start(&started.node, &stop);
    tasks.spawn(webhooks::run(Arc::clone(&started.node), stop.clone()));
    tasks.spawn(certificates::own::watch(Arc::clone(&started.node), stop.clone()));
    tasks.spawn(presence::listen(Arc::clone(&started.node), stop.clone()));
    // Until nothing is in hand any more, the others must not take it for dead.
    let idle = CancellationToken::new();
    let present = tokio::spawn(presence::run(Arc::clone(&started.node), idle.clone()));
    let signals = stop::signals().context("SIGTERM and Ctrl-C cannot be listened for")?;
    if let Some(file) = &address_file {
        let temporary = file.with_extension("new");
        fs::write(&temporary, format!("{address}\n"))
            .and_then(|()| fs::rename(&temporary, file))
            .with_context(|| file.display().to_string())?;
    }
    tracing::info!(%address, tls = secure, "ready");
    let router = api::router(Arc::clone(&started.node));
    let work = async {
        front.serve(listener, router, stop.clone()).await;
        tasks.join_all().await;
        idle.cancel();
        if let Err(error) = present.await {
            tracing::error!(%error, "saying that this node is alive broke off");
        }
    };
    let signals = stop::or_asked(signals, started.node.shutdown.clone());
    // A load balancer learns from the readiness that no calls are wanted; until it has, they are answered.
    let drain = async {
        started.node.presence.drain();
        tokio::time::sleep(drain_time).await;
    };
    match stop::until_told(work, signals, &stop, drain, stop::GRACE).await {
        Ended::Whole => tracing::info!("stopped"),
        Ended::Late => tracing::warn!("stopped; what took too long was dropped, nothing that was accepted is lost"),
        Ended::AtOnce => tracing::warn!("stopped at once; nothing that was accepted is lost"),
    }
    Ok(())
}

pub(super) fn refusal(errors: &[FrontError]) -> anyhow::Error {
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    anyhow::Error::msg(told.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_on_the_network_can_do_is_warned_of() {
        let warnings = |listen: &str, more: &str| {
            let text = format!("listen = \"{listen}\"\n{more}");
            let exposed = exposed(&toml::from_str(&text).unwrap());
            let first = |text: &str| text.split([':', ' ']).take(3).collect::<Vec<_>>().join(" ");
            exposed.into_iter().map(first).collect::<Vec<_>>()
        };
        let stops = "shutdown = true\nmanage-open = [\"health\", \"shutdown\"]\n";
        for loopback in ["127.0.0.1:1", "[::1]:1"] {
            assert_eq!(warnings(loopback, &format!("open = true\n{stops}")), [""; 0]);
        }
        assert_eq!(warnings("0.0.0.0:1", "shutdown = true"), ["there is no"]);
        assert_eq!(
            warnings("0.0.0.0:1", stops),
            ["[server] manage-open has", "there is no"]
        );
        assert_eq!(
            warnings("192.0.2.1:1", &format!("open = true\n{stops}[tls]\n")),
            ["[server] open =", "[server] manage-open has"]
        );
    }
}
