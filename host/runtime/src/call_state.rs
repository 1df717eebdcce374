//! What one call has of its own: handles, meters, its quota of the network and of the log. Gone when the call ends.

use std::sync::{Arc, Mutex};

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::egress::{Egress, Gate};
use crate::grants::Grants;
use crate::host::allowance::Allowance;
use crate::host::logging::{CallLog, Printed, SharedLog};
use crate::limits::{CpuClock, Limits, MemoryMeter};
use crate::services::Services;

/// Bytes of random numbers in one request: enough for any key, too little to keep the host busy.
const RANDOM: u64 = 64 << 10;

/// What all calls of one loaded adapter share.
pub(crate) struct PluginContext {
    pub(crate) name: Arc<str>,
    pub(crate) limits: Limits,
    pub(crate) grants: Arc<Grants>,
    pub(crate) services: Arc<dyn Services>,
    pub(crate) gate: Arc<Gate>,
}

/// The data of one store.
pub(crate) struct CallState {
    pub(crate) plugin: Arc<PluginContext>,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryMeter,
    pub(crate) cpu: CpuClock,
    pub(crate) allowance: Allowance,
    pub(crate) log: SharedLog,
    pub(crate) egress: Egress,
    wasi: WasiCtx,
    http: WasiHttpCtx,
}

impl CallState {
    pub(crate) fn new(plugin: Arc<PluginContext>) -> Self {
        let limits = &plugin.limits;
        let log: SharedLog = Arc::new(Mutex::new(CallLog::new(plugin.name.clone(), limits)));
        // No environment, no arguments, no files, no sockets, no names; what is printed goes to the log.
        let wasi = WasiCtxBuilder::new()
            .stdout(Printed::stdout(log.clone()))
            .stderr(Printed::stderr(log.clone()))
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
            cpu: CpuClock::new(limits.cpu_time),
            allowance: Allowance::new(limits),
            log,
            egress: Egress::new(plugin.gate.clone(), limits),
            wasi,
            http: WasiHttpCtx::new(),
            plugin,
        }
    }
}

impl Drop for CallState {
    fn drop(&mut self) {
        self.egress.quota().end();
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.egress,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
