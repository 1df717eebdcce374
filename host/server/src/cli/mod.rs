//! The commands.

mod backup;
mod check;
mod erase;
mod hash_password;
mod kosmos;
mod registry;
mod route;
mod serve;
mod start;
mod stop;

use std::path::PathBuf;
use std::process::ExitCode;

use budstikke_runtime::{CompileLimits, Purpose, compile_in_this_process};
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
    /// Copies the database and the files into a folder, also while the integrasjonspunkt runs.
    Backup {
        /// The TOML file.
        #[arg(long)]
        config: PathBuf,
        /// A folder that is empty or not there.
        #[arg(long)]
        to: PathBuf,
        /// Says on standard error how far it has come.
        #[arg(long)]
        progress: bool,
    },
    /// Puts a backup in an empty place. Messages that were on their way are held back for you to decide.
    Restore {
        /// The TOML file.
        #[arg(long)]
        config: PathBuf,
        /// What `backup` made.
        #[arg(long)]
        from: PathBuf,
        /// Sends messages that were on their way. Those that left after the backup can arrive twice.
        #[arg(long)]
        resend: bool,
        /// Puts what there is now aside, in a folder beside the data folder, when the backup has been restored.
        #[arg(long)]
        aside: bool,
        /// Says on standard error how far it has come.
        #[arg(long)]
        progress: bool,
    },
    /// Erases all that is kept about a message, a conversation or a party, for good. Shows first how much it is.
    Erase {
        /// The TOML file.
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        what: erase::What,
        /// Erases. Without it, it is only counted.
        #[arg(long)]
        yes: bool,
    },
    /// Runs the address service until SIGTERM or Ctrl-C.
    Registry(registry::Arguments),
    /// Keeps an integrasjonspunkt current: runs beside it until SIGTERM or Ctrl-C, or takes one of the commands.
    Kosmos(kosmos::Arguments),
    /// For the ways of messages.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Reads a password from standard input and prints its hash, for `password-hash` under [[server.users]].
    HashPassword,
    /// For plugin files.
    #[command(subcommand)]
    Plugin(PluginCommand),
}

#[derive(Subcommand)]
enum RouteCommand {
    /// Says over which service a message to a receiver goes, by which adapter, and why. Sends nothing.
    Explain {
        /// The TOML file.
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        what: route::What,
    },
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
        /// It is an update policy.
        #[arg(long)]
        policy: bool,
    },
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config } => check::run(&config),
        Command::Backup { config, to, progress } => backup::make(&config, &to, progress),
        Command::Restore {
            config,
            from,
            resend,
            aside,
            progress,
        } => backup::restore(&config, &from, resend, aside, progress),
        Command::Erase { config, what, yes } => erase::run(&config, what, yes),
        Command::Registry(arguments) => registry::run(&arguments),
        Command::Route(RouteCommand::Explain { config, what }) => route::explain(&config, &what),
        Command::Kosmos(arguments) => kosmos::run(arguments),
        Command::HashPassword => hash_password::run(),
        Command::Plugin(PluginCommand::Compile {
            input,
            output,
            memory,
            policy,
        }) => {
            let limits = CompileLimits {
                memory,
                ..CompileLimits::default()
            };
            let purpose = if policy { Purpose::Policies } else { Purpose::Adapters };
            compile_in_this_process(purpose, &input, &output, limits)
        }
    }
}
