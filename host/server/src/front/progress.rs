//! How far one connection is, and when that has taken too long. One watcher per connection asks now and then, instead of a
//! timer for each read and write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::config::ServerLimits;

/// How often the watcher looks, at least and at most.
const OFTEN: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_secs(2);

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The headers of a request, or a TLS handshake, are still not whole.
    Headers,
    /// No request came.
    Idle,
    /// The client does not read its answer.
    Unread,
}

/// The times of `[server.limits]` that the watcher knows.
#[derive(Clone, Copy)]
pub(super) struct Times {
    headers: Duration,
    idle: Duration,
    read: Duration,
}

impl From<&ServerLimits> for Times {
    fn from(limits: &ServerLimits) -> Self {
        Self {
            headers: limits.header_time,
            idle: limits.idle_time,
            read: limits.read_time,
        }
    }
}

impl Times {
    /// So that nothing is noticed more than a quarter late.
    fn look(self) -> Duration {
        (self.headers.min(self.idle).min(self.read) / 4).clamp(OFTEN, SELDOM)
    }
}

struct Marks {
    /// Requests that are not answered to the end.
    underway: usize,
    /// Since when nothing is under way, or since when headers are coming in.
    waiting: Instant,
    /// Bytes came since then.
    begun: bool,
    /// A request came before.
    served: bool,
    /// The gate let one of them through: until then nobody knows who this is.
    admitted: bool,
    /// The system takes no more bytes of answers since then.
    blocked: Option<Instant>,
    /// HTTP/2: several answers share the connection, and each can be left unread while bytes of the others flow. When each
    /// answer last handed out a piece that the next one has not been asked for after.
    handed: Option<BTreeMap<u64, Instant>>,
    next: u64,
}

/// See the module.
pub(super) struct Progress(Mutex<Marks>);

impl Progress {
    /// A connection that was just accepted.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Marks {
            underway: 0,
            waiting: Instant::now(),
            begun: false,
            served: false,
            admitted: false,
            blocked: None,
            handed: None,
            next: 0,
        })))
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        let mut marks = self.marks();
        if marks.underway == 0 && !marks.begun {
            marks.begun = true;
            if marks.served {
                marks.waiting = Instant::now();
            }
        }
    }

    /// Whether the system took bytes.
    pub(super) fn sent(&self, taken: bool) {
        let mut marks = self.marks();
        if taken {
            marks.blocked = None;
        } else {
            marks.blocked.get_or_insert_with(Instant::now);
        }
    }

    /// A request is there with all its headers. It is under way until the guard goes.
    pub(super) fn begin(self: &Arc<Self>, shared: bool) -> Underway {
        let mut marks = self.marks();
        marks.underway = marks.underway.saturating_add(1);
        marks.served = true;
        if shared {
            marks.handed.get_or_insert_default();
        }
        let number = marks.next;
        marks.next = number.wrapping_add(1);
        Underway {
            progress: self.clone(),
            number,
        }
    }

    fn overdue_now(&self, times: Times) -> Option<Overdue> {
        let marks = self.marks();
        let over = |since: Instant, time: Duration| since.elapsed() >= time;
        let unread = marks.handed.iter().flat_map(BTreeMap::values).copied();
        if unread.chain(marks.blocked).any(|since| over(since, times.read)) {
            return Some(Overdue::Unread);
        }
        if marks.underway > 0 {
            return None;
        }
        // Between the requests of HTTP/2 come other frames, which begin nothing.
        if !marks.served || (marks.begun && marks.handed.is_none()) {
            return over(marks.waiting, times.headers).then_some(Overdue::Headers);
        }
        let idle = if marks.admitted { times.idle } else { times.headers };
        over(marks.waiting, idle).then_some(Overdue::Idle)
    }

    /// Waits until something has taken too long.
    pub(super) async fn overdue(&self, times: Times) -> Overdue {
        loop {
            if let Some(overdue) = self.overdue_now(times) {
                return overdue;
            }
            sleep(times.look()).await;
        }
    }
}

/// A request that is not answered to the end.
pub(super) struct Underway {
    progress: Arc<Progress>,
    number: u64,
}

impl Underway {
    /// The gate lets the request through.
    pub(super) fn admitted(&self) {
        self.progress.marks().admitted = true;
    }

    /// The answer is asked for its next piece: the one before has been taken.
    pub(super) fn asked(&self) {
        if let Some(handed) = &mut self.progress.marks().handed {
            handed.remove(&self.number);
        }
    }

    /// The answer handed out a piece.
    pub(super) fn handed(&self) {
        if let Some(handed) = &mut self.progress.marks().handed {
            handed.insert(self.number, Instant::now());
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.asked();
        let mut marks = self.progress.marks();
        marks.underway = marks.underway.saturating_sub(1);
        if marks.underway == 0 {
            marks.waiting = Instant::now();
            marks.begun = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        headers: Duration::from_secs(30),
        idle: Duration::from_mins(5),
        read: Duration::from_mins(1),
    };

    impl Progress {
        /// As if so many seconds had passed.
        fn pass(&self, seconds: u64) {
            let mut marks = self.marks();
            let earlier = |at: &mut Instant| *at = at.checked_sub(Duration::from_secs(seconds)).unwrap();
            earlier(&mut marks.waiting);
            marks.blocked.as_mut().map(earlier);
            marks.handed.iter_mut().flat_map(BTreeMap::values_mut).for_each(earlier);
        }

        /// Nothing is overdue until so many seconds have passed.
        #[track_caller]
        fn ends_after(&self, seconds: u64, with: Overdue) {
            self.pass(seconds - 1);
            assert_eq!(self.overdue_now(TIMES), None);
            self.pass(1);
            assert_eq!(self.overdue_now(TIMES), Some(with));
        }
    }

    /// A request that was let through and answered.
    fn answered(progress: &Arc<Progress>, shared: bool) {
        progress.begin(shared).admitted();
    }

    #[test]
    fn who_was_never_let_in_is_not_waited_for_longer_than_for_headers() {
        for shared in [false, true] {
            let progress = Progress::new();
            drop(progress.begin(shared));
            progress.ends_after(30, Overdue::Idle);
            answered(&progress, shared);
            drop(progress.begin(shared));
            progress.ends_after(300, Overdue::Idle);
        }
    }

    #[test]
    fn a_new_connection_has_the_time_of_headers() {
        Progress::new().ends_after(30, Overdue::Headers);
        let progress = Progress::new();
        progress.pass(20);
        // A byte now and then buys nothing.
        progress.received();
        progress.ends_after(10, Overdue::Headers);
    }

    #[test]
    fn between_requests_a_connection_is_idle_until_a_byte_comes() {
        let progress = Progress::new();
        answered(&progress, false);
        progress.ends_after(300, Overdue::Idle);
        drop(progress.begin(false));
        progress.pass(200);
        progress.received();
        progress.pass(10);
        progress.received();
        progress.ends_after(20, Overdue::Headers);
    }

    #[test]
    fn other_frames_of_http2_are_no_headers() {
        let progress = Progress::new();
        answered(&progress, true);
        progress.received();
        progress.ends_after(300, Overdue::Idle);
    }

    #[test]
    fn a_request_may_take_its_time_while_its_answer_is_read() {
        let progress = Progress::new();
        let underway = progress.begin(false);
        underway.admitted();
        for _ in 0..100 {
            underway.asked();
            underway.handed();
            progress.sent(false);
            progress.pass(50);
            assert_eq!(progress.overdue_now(TIMES), None);
            progress.sent(true);
        }
        drop(underway);
        progress.ends_after(300, Overdue::Idle);
    }

    #[test]
    fn an_answer_that_the_system_cannot_send_is_unread() {
        let progress = Progress::new();
        let _underway = progress.begin(false);
        progress.sent(false);
        progress.pass(30);
        progress.sent(false);
        progress.ends_after(30, Overdue::Unread);
    }

    #[test]
    fn one_unread_answer_of_http2_is_seen_beside_others_that_flow() {
        let progress = Progress::new();
        let (stuck, flowing) = (progress.begin(true), progress.begin(true));
        stuck.handed();
        for _ in 0..5 {
            flowing.asked();
            flowing.handed();
            progress.sent(true);
            progress.pass(10);
            assert_eq!(progress.overdue_now(TIMES), None);
        }
        progress.ends_after(10, Overdue::Unread);
        drop(stuck);
        assert_eq!(progress.overdue_now(TIMES), None);
        flowing.asked();
        progress.pass(1000);
        assert_eq!(progress.overdue_now(TIMES), None);
    }

    #[tokio::test]
    async fn the_watcher_wakes_when_it_is_time() {
        let times = Times {
            headers: Duration::from_millis(40),
            ..TIMES
        };
        assert_eq!(Progress::new().overdue(times).await, Overdue::Headers);
    }
}
