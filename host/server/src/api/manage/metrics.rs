//! Counters, as Prometheus reads them. Spec: messaging API, 9.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::IntoResponse as _;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::api::description::refusals::refusals;
use crate::api::error::ApiResult;
use crate::front::AnswerCounts;
use crate::node::Node;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// How a question to the address service ended, and the member of its report that counts it.
const OUTCOMES: [(&str, &str); 4] = [
    ("fresh", "fresh"),
    ("cached", "fromCache"),
    ("last_good", "lastAnswersUsed"),
    ("failed", "failures"),
];

refusals! {
    ReadRefusals: &[];
}

/// Counters of this node
///
/// In the text format of Prometheus: how calls below `/api` were answered since the start, and how questions to the address
/// service ended while one is in use.
#[utoipa::path(get, path = "/manage/prometheus", operation_id = "metrics", tag = "health",
    responses((status = 200, description = "The counters.", body = String, content_type = "text/plain"), ReadRefusals))]
pub(in crate::api) async fn get(State(node): State<Arc<Node>>) -> ApiResult {
    let mut text = of_the_node(&node.answers);
    if let Some(report) = node.registry.report() {
        text.push_str(&of_the_registry(&report));
    }
    Ok(([(CONTENT_TYPE, TEXT)], text).into_response())
}

fn of_the_node(answers: &AnswerCounts) -> String {
    let mut text = String::from(
        "# HELP budstikke_up Whether this node answers.\n\
         # TYPE budstikke_up gauge\n\
         budstikke_up 1\n\
         # HELP budstikke_http_answers_total Answers to calls below /api by class of status, those that were refused included.\n\
         # TYPE budstikke_http_answers_total counter\n",
    );
    for (class, count) in answers.by_class() {
        // Writing to a text does not fail.
        let _never = writeln!(text, "budstikke_http_answers_total{{status=\"{class}\"}} {count}");
    }
    text
}

fn of_the_registry(report: &Value) -> String {
    let mut text = String::from(
        "# HELP budstikke_registry_questions_total Questions to the address service by their outcome; a last good answer was \
         used after one that failed, or instead of it.\n\
         # TYPE budstikke_registry_questions_total counter\n",
    );
    for (outcome, member) in OUTCOMES {
        let count = report.get(member).and_then(Value::as_u64).unwrap_or_default();
        let _never = writeln!(
            text,
            "budstikke_registry_questions_total{{outcome=\"{outcome}\"}} {count}"
        );
    }
    let answers = u8::from(report.get("silentSince").is_none_or(Value::is_null));
    text.push_str(
        "# HELP budstikke_registry_up Whether the address service could be asked the last time.\n\
         # TYPE budstikke_registry_up gauge\n",
    );
    let _never = writeln!(text, "budstikke_registry_up {answers}");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_outcome_is_counted_apart() {
        let report = json!({ "silentSince": "2026-03-02T00:00:00Z", "requests": 9, "fresh": 1, "failures": 2, "fromCache": 3,
            "lastAnswersUsed": 4 });
        let text = of_the_registry(&report);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "budstikke_registry_questions_total{outcome=\"fresh\"} 1",
                "budstikke_registry_questions_total{outcome=\"cached\"} 3",
                "budstikke_registry_questions_total{outcome=\"last_good\"} 4",
                "budstikke_registry_questions_total{outcome=\"failed\"} 2",
                "budstikke_registry_up 0",
            ]
        );
    }
}
