//! How calls of the API were answered, counted by class of status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// The classes that a final answer can have.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// The first of them.
const FIRST: u16 = 2;

/// Answers to calls below `/api` since the start, for those who want to know. What operators and probes ask below `/manage`
/// is not among them: it would drown the rest.
#[derive(Debug, Clone, Default)]
pub struct AnswerCounts(Arc<[AtomicU64; CLASSES.len()]>);

impl AnswerCounts {
    /// One more, when the path is below `/api`.
    pub(super) fn add(&self, path: &str, status: StatusCode) {
        let below = path.strip_prefix("/api");
        if !below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
            return;
        }
        let class = (status.as_u16() / 100).checked_sub(FIRST);
        if let Some(count) = class.and_then(|class| self.0.get(usize::from(class))) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each class, such as `2xx`, and its answers so far.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        CLASSES.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_below_api_are_counted_by_their_class_and_no_others() {
        let counts = AnswerCounts::default();
        for (path, status) in [
            ("/api", 404),
            ("/api/statuses", 200),
            ("/api/messages/in/peek", 204),
            ("/api/statuses", 401),
            ("/api/messages/out", 507),
            ("/api/x", 999),
            ("/api/x", 101),
            ("/apis", 200),
            ("/manage/health", 503),
            ("/", 200),
        ] {
            counts.add(path, StatusCode::from_u16(status).unwrap());
        }
        let counted: Vec<_> = counts.by_class().collect();
        assert_eq!(counted, [("2xx", 2), ("3xx", 0), ("4xx", 2), ("5xx", 1)]);
    }
}
