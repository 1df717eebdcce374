//! Counters, as Prometheus reads them. Labels are routes and outcomes, never identifiers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// All counters of the address service.
#[derive(Debug, Default)]
pub struct Metrics {
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<(String, u16), u64>,
    lookups: BTreeMap<(&'static str, &'static str), u64>,
    failures: BTreeMap<&'static str, u64>,
}

impl Metrics {
    pub(super) fn answered(&self, route: &str, status: StatusCode) {
        let key = (route.to_owned(), status.as_u16());
        *self.counted().requests.entry(key).or_default() += 1;
    }

    pub(super) fn looked_up(&self, kind: &'static str, outcome: &'static str) {
        *self.counted().lookups.entry((kind, outcome)).or_default() += 1;
    }

    /// A register gave no answer that could be used.
    pub(super) fn register_failed(&self, register: &'static str) {
        *self.counted().failures.entry(register).or_default() += 1;
    }

    /// The text that Prometheus reads.
    pub(super) fn text(&self, change: i64) -> String {
        let counted = self.counted();
        let mut text = String::new();
        head(&mut text, "requests_total", "counter", "Requests by route and status.");
        for ((route, status), count) in &counted.requests {
            // A route is ours and holds nothing to escape.
            let _never = writeln!(
                text,
                "{PREFIX}requests_total{{route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
        head(&mut text, "lookups_total", "counter", "Look-ups by kind and outcome.");
        for ((kind, outcome), count) in &counted.lookups {
            let _never = writeln!(
                text,
                "{PREFIX}lookups_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        head(
            &mut text,
            "register_failures_total",
            "counter",
            "Look-ups that failed because a register did.",
        );
        for (register, count) in &counted.failures {
            let _never = writeln!(
                text,
                "{PREFIX}register_failures_total{{register=\"{register}\"}} {count}"
            );
        }
        head(
            &mut text,
            "own_data_change",
            "gauge",
            "Number of the last change of own data that this node has seen.",
        );
        let _never = writeln!(text, "{PREFIX}own_data_change {change}");
        text
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PREFIX: &str = "budstikke_registry_";

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _never = write!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
}
