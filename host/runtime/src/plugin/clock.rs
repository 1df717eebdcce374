//! The wall clock of a call: short for one that hangs, long for one that moves files.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::egress::Quota;
use crate::limits::Limits;

/// Bytes within `call-time` that count as moving files.
const STEADY: u64 = 1 << 20;

/// The wall clock of one call.
pub(super) struct CallClock {
    call_time: Duration,
    transfer_time: Duration,
    quota: Arc<Quota>,
}

/// The time is over; the limit that it was.
pub(super) struct OutOfTime(pub(super) Duration);

impl CallClock {
    pub(super) fn new(limits: &Limits, quota: Arc<Quota>) -> Self {
        Self {
            call_time: limits.call_time,
            transfer_time: limits.transfer_time,
            quota,
        }
    }

    /// Does the work, unless its time is over first.
    pub(super) async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, OutOfTime> {
        let mut work = pin!(work);
        let last = Instant::now() + self.transfer_time.max(self.call_time);
        let mut moved = 0;
        loop {
            let until = (Instant::now() + self.call_time).min(last);
            if let Ok(done) = tokio::time::timeout_at(until, work.as_mut()).await {
                return Ok(done);
            }
            let now = self.quota.moved();
            if now.saturating_sub(moved) < STEADY {
                return Err(OutOfTime(self.call_time));
            }
            if until == last {
                return Err(OutOfTime(self.transfer_time));
            }
            moved = now;
        }
    }
}
