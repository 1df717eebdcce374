//! `budstikke serve`

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::start;
use crate::config::{Config, Problems};
use crate::{api, delivery};

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
    match runtime.block_on(serve(config)) {
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

async fn serve(config: Config) -> anyhow::Result<()> {
    let listen = config.server.listen;
    let address_file = config.server.address_file.clone();
    let started = start::node(config).await?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("[server] listen = \"{listen}\""))?;
    let address = listener.local_addr()?;

    let stop = CancellationToken::new();
    let tasks = delivery::start(&started.node, &stop);
    tokio::spawn(told_to_stop(stop.clone()));
    if let Some(file) = &address_file {
        let temporary = file.with_extension("new");
        fs::write(&temporary, format!("{address}\n"))
            .and_then(|()| fs::rename(&temporary, file))
            .with_context(|| file.display().to_string())?;
    }
    tracing::info!(%address, "ready");
    axum::serve(listener, api::router(Arc::clone(&started.node)))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .await?;
    tracing::info!("stopping; what is under way is finished first");
    tasks.join_all().await;
    tracing::info!("stopped");
    Ok(())
}

async fn told_to_stop(stop: CancellationToken) {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::warn!("SIGTERM cannot be listened for");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => {
            if let Err(error) = result {
                tracing::warn!(%error, "Ctrl-C cannot be listened for");
                terminate.recv().await;
            }
        }
    }
    stop.cancel();
}
