//! What subscribers are told, as JSON. Spec: messaging API, 9.

use budstikke_message::datetime::DateTime;
use budstikke_store::Event;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    created_ts: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    event: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    status: Option<WrittenStatus<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenStatus<'a> {
    message_id: &'a str,
    conversation_id: &'a str,
    direction: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    service_identifier: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

fn written(at: i64, resource: Option<&str>, event: &str, status: Option<WrittenStatus<'_>>) -> Vec<u8> {
    let created = DateTime::in_oslo(Timestamp::from_millisecond(at).unwrap_or_default());
    let written = Written {
        created_ts: created.as_str(),
        resource,
        event,
        status,
    };
    // Nothing but texts: there is nothing that could fail.
    serde_json::to_vec(&written).unwrap_or_default()
}

/// That somebody subscribed, at a time in ms.
pub(super) fn ping(at: i64) -> Vec<u8> {
    written(at, None, "ping", None)
}

/// That a message has a status. The same bytes at each attempt.
pub(super) fn status(event: &Event) -> Vec<u8> {
    let status = WrittenStatus {
        message_id: &event.message_id,
        conversation_id: &event.conversation_id,
        direction: event.direction.as_str(),
        service_identifier: &event.service,
        status: &event.status,
        description: event.description.as_deref(),
    };
    written(event.at, Some("messages"), "status", Some(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_store::Direction;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_ping_has_a_time_and_nothing_else() {
        assert_eq!(
            text(ping(1_553_513_903_000)),
            r#"{"createdTs":"2019-03-25T12:38:23+01:00","event":"ping"}"#
        );
    }

    /// Spec: messaging API, 13, vector 2.
    #[test]
    fn an_event_has_the_members_that_its_status_has() {
        let mut event = Event {
            message_id: "m".into(),
            conversation_id: "c".into(),
            direction: Direction::Incoming,
            service: String::new(),
            status: "MOTTATT".into(),
            description: Some("some text".into()),
            at: 1_553_513_903_000,
        };
        assert_eq!(
            text(status(&event)),
            r#"{"createdTs":"2019-03-25T12:38:23+01:00","resource":"messages","event":"status","messageId":"m","conversationId":"c","direction":"INCOMING","status":"MOTTATT","description":"some text"}"#
        );
        (event.service, event.description) = ("S".into(), None);
        let written = text(status(&event));
        assert!(
            written.contains(r#""serviceIdentifier":"S","status":"MOTTATT"}"#),
            "{written}"
        );
    }
}
