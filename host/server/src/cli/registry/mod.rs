//! `budstikke registry`: the address service.

mod directory;
mod embedded;
mod import;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::{AddressService, Problems};

pub(super) use embedded::{embedded, has_data, is_sound};

/// What stands behind `registry`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    /// The TOML file; examples/registry.toml explains every key.
    #[arg(long, required = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Writes processes and organisations from a CSV or TOML file into own data: all of them, or nothing. Also while the address
    /// service runs.
    Import {
        /// The TOML file of the address service.
        #[arg(long)]
        config: PathBuf,
        /// Its name ends in .csv or .toml.
        file: PathBuf,
    },
}

/// Does what the command line says.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    super::start::log();
    match (&arguments.command, &arguments.config) {
        // Also into the data of one that nobody asks from outside.
        (Some(Command::Import { config, file }), _) => with(AddressService::read_embedded(config), |config| {
            import::run(config, file.clone())
        }),
        (None, Some(config)) => with(AddressService::read(config), serve::run),
        // The parser does not let this through.
        (None, None) => ExitCode::FAILURE,
    }
}

fn with<F>(config: Result<AddressService, Problems>, work: impl FnOnce(AddressService) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let config = match config {
        Ok(config) => config,
        Err(problems) => {
            for problem in &problems.0 {
                tracing::error!("{problem}");
            }
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no threads can be started");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(work(config));
    runtime.shutdown_timeout(super::serve::THREADS);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
