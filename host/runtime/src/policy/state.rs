//! What one call of a policy has: the situation, an inert WASI, and a log.

use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::bindings::budstikke::plugin::situation as contract;
use super::bindings::wasi::logging::logging;
use super::situation::{Cause, Outcome};
use crate::limits::{Limits, MemoryMeter};

/// Bytes of log lines, and of what is printed.
const LOG: usize = 64 << 10;
/// Bytes of random numbers in one request.
const RANDOM: u64 = 64 << 10;

pub(super) struct JudgeState {
    pub(super) table: ResourceTable,
    pub(super) memory: MemoryMeter,
    wasi: WasiCtx,
    printed: MemoryOutputPipe,
    lines: Vec<String>,
    room: usize,
}

/// A clock that stands still.
#[derive(Clone, Copy)]
struct Still(Duration);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}

impl JudgeState {
    pub(super) fn new(now: u64, limits: &Limits) -> Self {
        let clock = Still(Duration::from_secs(now));
        let printed = MemoryOutputPipe::new(LOG);
        let chance = || Deterministic::new((0..=255).collect());
        let wasi = WasiCtxBuilder::new()
            .stdout(printed.clone())
            .stderr(printed.clone())
            .wall_clock(clock)
            .monotonic_clock(clock)
            .secure_random(chance())
            .insecure_random(chance())
            .insecure_random_seed(0)
            .max_random_size(RANDOM)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self {
            table,
            memory: MemoryMeter::new(limits),
            wasi,
            printed,
            lines: Vec::new(),
            room: LOG,
        }
    }

    /// What was logged, then what was printed.
    pub(super) fn log(self) -> Vec<String> {
        let printed = self.printed.contents();
        let printed = String::from_utf8_lossy(&printed);
        let mut lines = self.lines;
        lines.extend(printed.lines().map(tidy));
        lines
    }
}

fn tidy(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Links what a policy can import.
pub(super) fn link(linker: &mut Linker<JudgeState>) -> wasmtime::Result<()> {
    type Judge = HasSelf<JudgeState>;
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    logging::add_to_linker::<_, Judge>(linker, |state| state)?;
    contract::add_to_linker::<_, Judge>(linker, |state| state)
}

impl WasiView for JudgeState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl logging::Host for JudgeState {
    fn log(&mut self, _level: logging::Level, context: String, message: String) -> wasmtime::Result<()> {
        let line = tidy(&if context.is_empty() {
            message
        } else {
            format!("{context}: {message}")
        });
        if let Some(room) = self.room.checked_sub(line.len()) {
            self.room = room;
            self.lines.push(line);
        }
        Ok(())
    }
}

impl contract::Host for JudgeState {}

type About = Resource<super::About>;

impl contract::HostUpdate for JudgeState {
    fn target(&mut self, about: About) -> wasmtime::Result<String> {
        Ok(self.table.get(&about)?.target.clone())
    }

    fn organisation(&mut self, about: About) -> wasmtime::Result<String> {
        Ok(self.table.get(&about)?.organisation.clone())
    }

    fn environment(&mut self, about: About) -> wasmtime::Result<String> {
        Ok(self.table.get(&about)?.environment.clone())
    }

    fn early_bird(&mut self, about: About) -> wasmtime::Result<bool> {
        Ok(self.table.get(&about)?.early_bird)
    }

    fn cause(&mut self, about: About) -> wasmtime::Result<contract::Cause> {
        Ok(match self.table.get(&about)?.cause {
            Cause::Start => contract::Cause::Start,
            Cause::Schedule => contract::Cause::Schedule,
            Cause::Demand => contract::Cause::Demand,
            Cause::Ended => contract::Cause::Ended,
        })
    }

    fn now(&mut self, about: About) -> wasmtime::Result<u64> {
        Ok(self.table.get(&about)?.now)
    }

    fn civil_time(&mut self, about: About, moment: u64) -> wasmtime::Result<contract::Civil> {
        Ok(self.table.get(&about)?.civil_time(moment))
    }

    fn moment(&mut self, about: About, civil: contract::Civil) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&about)?.moment(civil))
    }

    fn current(&mut self, about: About) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&about)?.current.clone())
    }

    fn healthy(&mut self, about: About) -> wasmtime::Result<bool> {
        Ok(self.table.get(&about)?.healthy)
    }

    fn last_good(&mut self, about: About) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&about)?.last_good.clone())
    }

    fn previous(&mut self, about: About) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&about)?.previous.clone())
    }

    fn candidates(&mut self, about: About) -> wasmtime::Result<Vec<contract::Candidate>> {
        let candidates = self.table.get(&about)?.candidates.iter();
        let told = candidates.map(|candidate| contract::Candidate {
            version: candidate.version.clone(),
            channel: candidate.channel.clone(),
        });
        Ok(told.collect())
    }

    fn released(&mut self, about: About, version: String) -> wasmtime::Result<Option<u64>> {
        let candidates = &self.table.get(&about)?.candidates;
        let found = candidates.iter().find(|candidate| candidate.version == version);
        Ok(found.and_then(|candidate| candidate.released))
    }

    fn schema(&mut self, about: About, version: String) -> wasmtime::Result<Option<u32>> {
        let candidates = &self.table.get(&about)?.candidates;
        let found = candidates.iter().find(|candidate| candidate.version == version);
        Ok(found.and_then(|candidate| candidate.schema))
    }

    fn blocked(&mut self, about: About) -> wasmtime::Result<Vec<contract::Blocked>> {
        let blocked = self.table.get(&about)?.blocked.iter();
        let told = blocked.map(|blocked| contract::Blocked {
            version: blocked.version.clone(),
            until: blocked.until,
        });
        Ok(told.collect())
    }

    fn attempts(&mut self, about: About) -> wasmtime::Result<Vec<contract::Attempt>> {
        let attempts = self.table.get(&about)?.attempts.iter();
        let told = attempts.map(|attempt| contract::Attempt {
            version: attempt.version.clone(),
            at: attempt.at,
            outcome: match &attempt.outcome {
                Outcome::Good => contract::Outcome::Good,
                Outcome::Failed(reason) => contract::Outcome::Failed(reason.clone()),
            },
        });
        Ok(told.collect())
    }

    fn proposal(&mut self, about: About) -> wasmtime::Result<Option<contract::Decision>> {
        Ok(self.table.get(&about)?.proposal.as_ref().map(Into::into))
    }

    fn settings(&mut self, about: About) -> wasmtime::Result<String> {
        Ok(serde_json::to_string(&self.table.get(&about)?.settings)?)
    }

    fn drop(&mut self, about: About) -> wasmtime::Result<()> {
        self.table.delete(about)?;
        Ok(())
    }
}
