//! A memory of the requests that came in: no bodies, no headers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::faults::Route;

/// How many requests are remembered. Counts per route go on beyond this.
const REMEMBERED: usize = 10_000;

/// One request and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    /// When the request head had arrived.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The call that this is, if it is one of the known calls.
    pub route: Option<Route>,
    /// Status of the answer; `None` if the connection was cut, or the request is still running or was given up.
    pub status: Option<u16>,
    /// Time until the head of the answer was ready, in milliseconds.
    pub millis: u64,
    /// Name of the fault that was switched on for this request.
    pub fault: Option<&'static str>,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    first: u64,
    requests: VecDeque<RecordedRequest>,
    counts: HashMap<Route, u64>,
}

impl RequestLog {
    /// Remembers the start of a request; the number returned is for [`RequestLog::finish`].
    pub(crate) fn start(&self, request: RecordedRequest) -> u64 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = request.route {
            *inner.counts.entry(route).or_default() += 1;
        }
        if inner.requests.len() == REMEMBERED {
            inner.requests.pop_front();
            inner.first += 1;
        }
        inner.requests.push_back(request);
        inner.first + inner.requests.len() as u64 - 1
    }

    /// Adds how the request ended.
    pub(crate) fn finish(&self, number: u64, status: Option<u16>, millis: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = number
            .checked_sub(inner.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| inner.requests.get_mut(index)) {
            request.status = status;
            request.millis = millis;
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) fn count(&self, route: Route) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counts
            .get(&route)
            .copied()
            .unwrap_or(0)
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers of running requests must not hit later ones.
        inner.first += inner.requests.len() as u64;
        inner.requests.clear();
        inner.counts.clear();
    }
}
