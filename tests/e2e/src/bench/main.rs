//! `cargo xtask bench`: the figures of `docs/performance.md`, measured and judged.
//!
//! Ends with 1 when a figure misses its target.
#![forbid(unsafe_code)]

mod accept;
mod call;
mod figure;
mod ground;
mod large;
mod letters;
mod lists;
mod machine;
mod peek;
mod start;
mod throughput;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use figure::Figure;

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";

#[derive(Parser)]
struct Arguments {
    /// Only these; all of them when none is named.
    #[arg(value_enum)]
    names: Vec<Bench>,
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
    /// Pages of a million conversations.
    Lists,
    /// Consumers that compete for the queue.
    Peek,
    /// A file of 1 GiB through both sides.
    Large,
}

impl Bench {
    async fn measure(self) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Call => call::measure().await,
            Self::Start => start::measure().await,
            Self::Accept => accept::measure().await,
            Self::Throughput => throughput::measure().await,
            Self::Lists => lists::measure().await,
            Self::Peek => peek::measure().await,
            Self::Large => large::measure().await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = Arguments::parse().names;
    machine::print();
    let mut figures = Vec::new();
    let mut broken = false;
    for bench in Bench::value_variants() {
        if !wanted.is_empty() && !wanted.contains(bench) {
            continue;
        }
        match bench.measure().await {
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
