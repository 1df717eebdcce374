//! How long a bucket is waited for.

use std::time::Duration;

#[derive(Clone)]
pub(super) struct Patience {
    /// Until a connection stands.
    pub(super) connect: Duration,
    /// Until one request is answered. The largest sends 16 MiB: enough at 1.2 Mbit/s.
    pub(super) request: Duration,
    /// Before a request is made the second time. The next waits grow, with chance in them.
    pub(super) first_wait: Duration,
    /// Between two tries of a request, at most; and before a whole upload begins anew.
    pub(super) longest_wait: Duration,
    /// How often a request is made again.
    pub(super) retries: usize,
    /// After this nothing is tried again. The caller's own client waits as well.
    pub(super) altogether: Duration,
    /// How often an upload is begun, each time from its first byte.
    pub(super) uploads: u32,
}

/// For work: a service that is away for some seconds is not noticed.
pub(super) const WORK: Patience = Patience {
    connect: Duration::from_secs(5),
    request: Duration::from_mins(2),
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(5),
    retries: 6,
    altogether: Duration::from_mins(1),
    uploads: 3,
};

/// For a probe: who asks whether we are ready wants to know about now.
pub(super) const PROBE: Patience = Patience {
    connect: Duration::from_secs(2),
    request: Duration::from_secs(5),
    retries: 0,
    ..WORK
};
