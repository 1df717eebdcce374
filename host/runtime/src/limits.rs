//! How much one adapter may take. On by default, each with a test that trips it.

mod meter;

use std::time::Duration;

use budstikke_settings::quantity;
use serde::Deserialize;

pub(crate) use meter::{CpuClock, MemoryMeter, Refusal};

/// The limits of one adapter, as under `[adapters.<name>.limits]`. Sizes are bytes or text such as `128MiB`; times are
/// seconds or text such as `30s`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory of one call, all memories together. At most the pool's slot size.
    #[serde(deserialize_with = "quantity::size")]
    pub memory: usize,
    /// Wall clock of one call, waiting for services included. A call that has moved 1 MiB of HTTP bodies or more in this
    /// time gets as much again, up to `transfer_time`: a file of 1 GiB takes minutes on an ordinary line.
    #[serde(deserialize_with = "quantity::time")]
    pub call_time: Duration,
    /// Wall clock of a call that moves files all the time.
    #[serde(deserialize_with = "quantity::time")]
    pub transfer_time: Duration,
    /// Time that the guest itself may compute in one call, measured in steps of 10 ms.
    #[serde(deserialize_with = "quantity::time")]
    pub cpu_time: Duration,
    /// Calls at the same time.
    pub concurrency: usize,
    /// How long a call waits for its turn before it is refused as busy.
    #[serde(deserialize_with = "quantity::time")]
    pub queue_time: Duration,
    /// Elements of one table.
    pub table_elements: usize,
    /// Core instances inside one call; a Python component has more than 20.
    pub instances: usize,
    /// Resource handles alive at the same time.
    pub handles: usize,
    /// Bytes that the guest may make the host copy in one call of one function.
    #[serde(deserialize_with = "quantity::size")]
    pub hostcall_bytes: usize,
    /// Bytes of documents that the guest makes in one call and the host keeps in memory.
    #[serde(deserialize_with = "quantity::size")]
    pub document_bytes: usize,
    /// Bytes sent as HTTP request bodies in one call.
    #[serde(deserialize_with = "quantity::size")]
    pub request_bytes: u64,
    /// Bytes received as HTTP response bodies in one call.
    #[serde(deserialize_with = "quantity::size")]
    pub response_bytes: u64,
    /// HTTP requests in one call.
    pub requests: u64,
    /// HTTP requests of the adapter at the same time, over all its calls.
    pub connections: usize,
    /// Time to connect, TLS included.
    #[serde(deserialize_with = "quantity::time")]
    pub connect_time: Duration,
    /// Silence of a service that is tolerated, before and within its response and while it takes a request.
    #[serde(deserialize_with = "quantity::time")]
    pub silence_time: Duration,
    /// Log text of one call.
    #[serde(deserialize_with = "quantity::size")]
    pub log_bytes_per_call: usize,
    /// Log lines of one call.
    pub log_lines_per_call: usize,
    /// Bytes of one spool.
    #[serde(deserialize_with = "quantity::size")]
    pub download_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 128 << 20,
            call_time: Duration::from_secs(30),
            transfer_time: Duration::from_hours(1),
            cpu_time: Duration::from_secs(5),
            concurrency: 112,
            queue_time: Duration::from_secs(30),
            table_elements: 20_000,
            instances: 100,
            handles: 10_000,
            hostcall_bytes: 32 << 20,
            document_bytes: 64 << 20,
            request_bytes: 2 << 30,
            response_bytes: 2 << 30,
            requests: 1000,
            connections: 64,
            connect_time: Duration::from_secs(10),
            silence_time: Duration::from_secs(30),
            log_bytes_per_call: 64 << 10,
            log_lines_per_call: 200,
            download_bytes: 2 << 30,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_an_operator_writes_them() {
        let limits: Limits =
            serde_json::from_str(r#"{"memory": "64MiB", "call-time": "2m", "concurrency": 4, "response-bytes": 1024}"#)
                .unwrap();
        assert_eq!(limits.memory, 64 << 20);
        assert_eq!(limits.call_time, Duration::from_mins(2));
        assert_eq!(limits.concurrency, 4);
        assert_eq!(limits.response_bytes, 1024);
        assert_eq!(limits.cpu_time, Limits::default().cpu_time);
    }

    #[test]
    fn a_misspelt_limit_is_refused() {
        let error = serde_json::from_str::<Limits>(r#"{"memmory": "64MiB"}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("memmory"), "{error}");
    }

    #[test]
    fn a_limit_that_is_no_size_is_refused() {
        let error = serde_json::from_str::<Limits>(r#"{"memory": "much"}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`much` is not a size"), "{error}");
    }
}
