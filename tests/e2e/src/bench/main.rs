//! `cargo xtask bench`: the figures of `docs/performance.md`, measured and judged.
//!
//! Ends with 1 when a figure misses its target.
#![forbid(unsafe_code)]

mod accept;
mod ask;
mod backlog;
mod call;
mod client;
mod figure;
mod ground;
mod idle;
mod large;
mod latency;
mod letters;
mod lists;
mod lookups;
mod machine;
mod peek;
mod running;
mod start;
mod sustained;
mod throughput;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use figure::Figure;
use ground::{Kind, on_each};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";

#[derive(Parser)]
struct Arguments {
    /// Only these; all of them when none is named.
    #[arg(value_enum)]
    names: Vec<Bench>,
    /// On one database only, where both are measured.
    #[arg(long, value_enum)]
    on: Option<Kind>,
    /// Messages per second of `sustained` and `outage`, for a machine that cannot do what the target asks. Then some figures miss.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pace: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// A whole fresh call of an adapter's function.
    Call,
    /// Start to ready.
    Start,
    /// Messages of 5 kB that are taken in and wait.
    Accept,
    /// Messages of 5 kB from the first request to Altinn's stand-in.
    Throughput,
    /// The same at a steady pace for ten minutes, on each database.
    Sustained,
    /// Messages that nobody can send, at a steady pace for ten minutes.
    Outage,
    /// From the answer to the first request to Altinn.
    Latency,
    /// Claims in front of a long queue.
    Backlog,
    /// Memory of an installation with nothing to do.
    Idle,
    /// Pages of a million conversations.
    Lists,
    /// Questions to the address service, answered from its own data.
    Lookups,
    /// Questions of a client that knows the answer already.
    Client,
    /// Consumers that compete for the queue.
    Peek,
    /// A file of 1 GiB through both sides.
    Large,
}

impl Bench {
    async fn measure(self, kinds: &[Kind], pace: Option<u32>) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Call => call::measure().await,
            Self::Start => start::measure().await,
            Self::Accept => accept::measure(kinds).await,
            Self::Throughput => throughput::measure(kinds).await,
            Self::Sustained => on_each(kinds, async |ground| sustained::measure(ground, pace).await).await,
            Self::Outage => on_each(kinds, async |ground| sustained::measure_outage(ground, pace).await).await,
            Self::Latency => on_each(kinds, latency::measure).await,
            Self::Backlog => backlog::measure(kinds).await,
            Self::Idle => on_each(kinds, idle::measure).await,
            Self::Lists => lists::measure().await,
            Self::Lookups => lookups::measure().await,
            Self::Client => client::measure().await,
            Self::Peek => peek::measure().await,
            Self::Large => large::measure().await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {
        names: wanted,
        on,
        pace,
    } = Arguments::parse();
    let kinds = on.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
    if let Err(error) = machine::print() {
        eprintln!("the machine cannot be looked at: {error:#}");
    }
    let mut figures = Vec::new();
    let mut broken = false;
    for bench in Bench::value_variants() {
        if !wanted.is_empty() && !wanted.contains(bench) {
            continue;
        }
        match bench.measure(&kinds, pace).await {
            Ok(measured) => {
                figure::print(&measured);
                figures.extend(measured);
            }
            Err(error) => {
                broken = true;
                eprintln!("could not be measured: {error:#}");
            }
        }
    }
    if broken || figures.iter().any(Figure::misses) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
