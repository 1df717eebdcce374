//! `cargo xtask chaos`: messages go both ways while everything under them is killed, cut and frozen. Every message that was
//! accepted must arrive once, as it was sent, with the right statuses.
//!
//! | file | holds |
//! |---|---|
//! | `ground` | what a run is played on: the organisations, their nodes, what lies under them |
//! | `torment` | the life and death of one node |
//! | `weather` | what goes wrong with the database, the bucket and Altinn |
//!
//! Ends with 1 when anything was lost, doubled or told wrongly.
#![forbid(unsafe_code)]

mod ground;
mod torment;
mod weather;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, ValueEnum};

use ground::Ground;

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";

#[derive(Parser)]
struct Arguments {
    /// Of faults, on each ground. Then comes a calm until everything has arrived.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    minutes: u64,
    /// What the installations stand on.
    #[arg(long, value_enum, default_value_t = Choice::Both)]
    ground: Choice,
    /// Repeats the choices of an earlier run, though never its moments.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// One process for each organisation, `SQLite` and folders.
    Sqlite,
    /// Three nodes for each organisation, `PostgreSQL` and buckets.
    Postgres,
    /// One after the other.
    Both,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    let grounds = match arguments.ground {
        Choice::Sqlite => vec![Ground::Sqlite],
        Choice::Postgres => vec![Ground::Postgres],
        Choice::Both => vec![Ground::Sqlite, Ground::Postgres],
    };
    let mut good = true;
    for ground in grounds {
        let time = Duration::from_mins(arguments.minutes);
        match ground.play(time, seed).await {
            Ok(verdict) => good &= verdict,
            Err(error) => {
                eprintln!("\nThe run on {ground} broke off: {error:#}");
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
