//! The commands.

mod check;
mod hash_password;
mod serve;
mod start;
mod stop;

use std::path::PathBuf;
use std::process::ExitCode;

use budstikke_runtime::{CompileLimits, compile_in_this_process};
use clap::{Parser, Subcommand};

/// An integrasjonspunkt for eFormidling whose message services are sandboxed plugins.
#[derive(Parser)]
#[command(name = "budstikke", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the integrasjonspunkt until SIGTERM or Ctrl-C.
    Serve {
        /// The TOML file; examples/budstikke.toml explains every key.
        #[arg(long)]
        config: PathBuf,
    },
    /// Reads the configuration, opens the keystores, loads every plugin, and says what is wrong by file, line and key.
    Check {
        /// The TOML file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Reads a password from standard input and prints its hash, for `password-hash` under [[server.users]].
    HashPassword,
    /// For plugin files.
    #[command(subcommand)]
    Plugin(PluginCommand),
}

#[derive(Subcommand)]
enum PluginCommand {
    /// Compiles a component in this process, within limits; `serve` calls it so that no compilation can harm it.
    #[command(hide = true)]
    Compile {
        /// The component.
        #[arg(long = "in")]
        input: PathBuf,
        /// Where the compiled code goes.
        #[arg(long = "out")]
        output: PathBuf,
        /// Address space that it may take, bytes.
        #[arg(long)]
        memory: u64,
    },
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config } => check::run(&config),
        Command::HashPassword => hash_password::run(),
        Command::Plugin(PluginCommand::Compile { input, output, memory }) => {
            let limits = CompileLimits {
                memory,
                ..CompileLimits::default()
            };
            compile_in_this_process(&input, &output, limits)
        }
    }
}
