//! Watching a version after its start: is it well, do its calls fail, does it bring a message?

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::actuator::{Actuator, Health};
use crate::config::{ErrorRate, LoopBack};
use crate::http::told;

/// Between two looks at a message.
const LOOK: Duration = Duration::from_secs(1);

/// Whether it is well.
pub async fn well(actuator: &Actuator) -> Result<(), String> {
    match actuator.health().await {
        Health::Up => Ok(()),
        health => Err(health.to_string()),
    }
}

/// Calls and failures that a counter has seen.
fn counted(metrics: &str, settings: &ErrorRate) -> (f64, f64) {
    let lines = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(settings.counter.as_str())?;
        let (labels, value) = rest.strip_prefix('{')?.split_once('}')?;
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        let label = labels.split(',').find_map(|label| {
            let (name, value) = label.split_once('=')?;
            (name.trim() == settings.label).then(|| value.trim_matches('"'))
        })?;
        Some((label.starts_with(&settings.failure), value))
    });
    lines.fold((0.0, 0.0), |(all, failed), (failure, value)| {
        (all + value, if failure { failed + value } else { failed })
    })
}

/// The share of calls that failed since it was started, per cent; none while there were too few, or nothing can be had.
pub async fn error_rate(actuator: &Actuator, settings: &ErrorRate) -> Option<f64> {
    let metrics = match actuator.metrics().await {
        Ok(metrics) => metrics,
        Err(error) => {
            tracing::warn!(%error, "the counters cannot be had");
            return None;
        }
    };
    let (all, failed) = counted(&metrics, settings);
    let least = u32::try_from(settings.least).map_or(f64::MAX, f64::from);
    (all >= least && all > 0.0).then(|| failed / all * 100.0)
}

/// Compares the share of failures with what is allowed, and with what it was before.
pub fn judge_rate(rate: f64, before: Option<f64>, settings: &ErrorRate) -> Result<(), String> {
    let allowed = f64::from(settings.at_most).max(before.unwrap_or_default() * 2.0);
    if rate <= allowed {
        Ok(())
    } else {
        Err(format!("{rate:.1} % of its calls fail; {allowed:.1} % are allowed"))
    }
}

/// Sends a message and waits until it has a status.
pub async fn loop_back(actuator: &Actuator, settings: &LoopBack) -> Result<(), String> {
    let deadline = Instant::now() + settings.time;
    let (id, sbd) = fresh(settings)?;
    let api = format!("{}/api", actuator.root());
    let login = match (&settings.user, &settings.password) {
        (Some(user), Some(password)) => Some((user.clone(), password.value()?)),
        _ => None,
    };
    let with_login = |request: reqwest::RequestBuilder| match &login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    };
    let json = |text: String| {
        Part::text(text)
            .mime_str("application/json")
            .map_err(|error| told(&error))
    };
    let mut form = Form::new().part("sbd", json(sbd.to_string())?);
    for file in &settings.files {
        let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let xml = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("xml"));
        let kind = if xml {
            "application/xml"
        } else {
            "application/octet-stream"
        };
        let part = Part::bytes(bytes)
            .file_name(name.clone())
            .mime_str(kind)
            .map_err(|error| told(&error))?;
        form = form.part(name, part);
    }
    let sent = with_login(
        actuator
            .client()
            .post(format!("{api}/messages/out/multipart"))
            .multipart(form),
    );
    let sent = sent.send().await.map_err(|error| told(&error.without_url()))?;
    if !sent.status().is_success() {
        let status = sent.status();
        let said: Value = sent.json().await.unwrap_or_default();
        let said = said["message"].as_str().unwrap_or_default();
        return Err(format!("the message was not accepted: {status} {said}"));
    }
    loop {
        let asked = with_login(actuator.client().get(format!("{api}/statuses/{id}")))
            .send()
            .await;
        let statuses: Value = match asked {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        };
        let reached: Vec<&str> = statuses["content"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|status| status["status"].as_str())
            .collect();
        if reached.contains(&settings.status.as_str()) {
            break;
        }
        if reached.contains(&"FEIL") {
            return Err("the message could not be brought (FEIL)".into());
        }
        if Instant::now() >= deadline {
            return Err(format!(
                "the message has not reached {} after {} s; it has {}",
                settings.status,
                settings.time.as_secs(),
                if reached.is_empty() {
                    "no status".to_owned()
                } else {
                    reached.join(", ")
                }
            ));
        }
        sleep(LOOK).await;
    }
    if !settings.take {
        return Ok(());
    }
    loop {
        let peek = with_login(actuator.client().get(format!("{api}/messages/in/peek?messageId={id}")))
            .send()
            .await;
        if peek.is_ok_and(|peek| peek.status() == reqwest::StatusCode::OK) {
            let taken = with_login(actuator.client().delete(format!("{api}/messages/in/{id}")))
                .send()
                .await;
            let taken = taken.map_err(|error| told(&error.without_url()))?;
            return if taken.status().is_success() {
                Ok(())
            } else {
                Err(format!(
                    "the message came back and could not be taken: {}",
                    taken.status()
                ))
            };
        }
        if Instant::now() >= deadline {
            return Err("the message did not come back".into());
        }
        sleep(LOOK).await;
    }
}

/// The SBD with ids of its own, and the id of its message.
fn fresh(settings: &LoopBack) -> Result<(String, Value), String> {
    let named = |error: String| format!("{}: {error}", settings.sbd.display());
    let bytes = std::fs::read(&settings.sbd).map_err(|error| named(error.to_string()))?;
    let mut sbd: Value = serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))?;
    let id = uuid::Uuid::new_v4().to_string();
    let header = &mut sbd["standardBusinessDocumentHeader"];
    if !header.is_object() {
        return Err(named("is no SBD".into()));
    }
    header["documentIdentification"]["instanceIdentifier"] = Value::String(id.clone());
    header["documentIdentification"]["creationDateAndTime"] = Value::String(jiff::Timestamp::now().to_string());
    for scope in header["businessScope"]["scope"].as_array_mut().into_iter().flatten() {
        if scope["type"] == "ConversationId" {
            scope["instanceIdentifier"] = Value::String(id.clone());
        }
        if let Some(scope) = scope.as_object_mut() {
            scope.remove("scopeInformation");
        }
    }
    Ok((id, sbd))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# HELP budstikke_http_answers_total x
budstikke_http_answers_total{status=\"2xx\"} 90
budstikke_http_answers_total{status=\"5xx\"} 10
other{status=\"5xx\"} 99
http_server_requests_seconds_count{method=\"GET\",outcome=\"SUCCESS\",status=\"200\",uri=\"/x\"} 3.0
http_server_requests_seconds_count{method=\"GET\",status=\"503\"} 1.0
";

    #[test]
    fn failures_are_counted_in_ours_and_in_the_java_counters() {
        assert_eq!(counted(METRICS, &ErrorRate::default()), (100.0, 10.0));
        let java = ErrorRate {
            counter: "http_server_requests_seconds_count".into(),
            ..ErrorRate::default()
        };
        assert_eq!(counted(METRICS, &java), (4.0, 1.0));
        assert_eq!(counted("", &java), (0.0, 0.0));
    }

    #[test]
    fn more_failures_than_allowed_are_an_alarm_unless_it_was_so_before() {
        let settings = ErrorRate::default();
        assert!(judge_rate(5.0, None, &settings).is_ok());
        assert!(judge_rate(5.1, None, &settings).is_err());
        assert!(judge_rate(12.0, Some(7.0), &settings).is_ok());
        assert!(judge_rate(15.0, Some(7.0), &settings).is_err());
    }
}
