//! Answers, and attempts after one another.

use budstikke_sdk::Failure;
use budstikke_sdk::http::Reach;

use super::{FIND, ID, Message, UPLOAD, UPLOADED};
use crate::host::Outgoing as _;
use crate::send::{CHECKPOINT, send};
use crate::testing::{Fake, NOW, settings};

#[test]
fn t20_a_refusal_is_final_and_an_outage_is_not() {
    for (status, permanent) in [
        (400, true),
        (403, true),
        (404, true),
        (422, true),
        (408, false),
        (429, false),
        (500, false),
        (502, false),
    ] {
        let host = Fake::default();
        host.on(UPLOAD, status, r#"{"errorCode":1036,"detail":"why"}"#);
        let failure = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err();
        assert_eq!(failure.is_permanent(), permanent, "{status}");
        assert!(failure.detail().contains("why"), "{}", failure.detail());
        if permanent {
            assert_eq!(failure.code(), Some(format!("http-{status}").as_str()));
        }
    }
    let host = Fake::default();
    host.busy(UPLOAD, 503, 90);
    let Failure::Temporary(failure) = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err() else {
        panic!("503 is temporary")
    };
    assert_eq!(failure.retry_after, Some(90));
}

#[test]
fn t20_a_key_that_was_used_leads_to_the_letter_that_is_there() {
    for body in [r#"{"errorCode":1034}"#, "", "<html>"] {
        let host = Fake::default();
        host.on(UPLOAD, 409, body)
            .on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
        let sent = send(&host, &settings(""), &Message::arkivmelding()).unwrap();
        assert_eq!((sent.reference.as_deref(), sent.track_after), (Some(ID), Some(5)));
        assert_eq!(host.calls(), [UPLOAD, FIND]);
    }
}

#[test]
fn t20_a_used_key_without_a_letter_is_sent_and_never_asked_about() {
    let host = Fake::default();
    host.on(UPLOAD, 409, r#"{"errorCode":1034}"#)
        .on(FIND, 200, r#"{"ids":[]}"#);
    let sent = send(&host, &settings(""), &Message::arkivmelding()).unwrap();
    assert_eq!((sent.reference, sent.track_after), (None, None));
    assert_eq!(host.warnings().len(), 1);
}

#[test]
fn a_look_up_that_fails_after_a_used_key_is_tried_again() {
    for (status, body) in [(500, ""), (400, ""), (200, "{}"), (200, r#"{"ids":["../x"]}"#)] {
        let host = Fake::default();
        host.on(UPLOAD, 409, r#"{"errorCode":1034}"#).on(FIND, status, body);
        let failure = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err();
        assert!(!failure.is_permanent(), "{status} {body}");
    }
    let host = Fake::default();
    host.on(UPLOAD, 409, r#"{"errorCode":9999}"#);
    assert!(
        !send(&host, &settings(""), &Message::arkivmelding())
            .unwrap_err()
            .is_permanent()
    );
    assert_eq!(host.calls(), [UPLOAD], "another conflict says nothing about the key");
}

#[test]
fn an_upload_whose_answer_is_lost_is_looked_for_before_it_is_sent_again() {
    let host = Fake::default();
    let message = Message::arkivmelding();
    host.breaks(UPLOAD, Reach::Unknown);
    assert!(matches!(send(&host, &settings(""), &message), Err(Failure::Unknown(_))));
    host.on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
    let sent = send(&host, &settings(""), &message).unwrap();
    assert_eq!(sent.reference.as_deref(), Some(ID));
    assert_eq!(host.calls(), [UPLOAD, FIND]);

    let host = Fake::default();
    host.breaks(UPLOAD, Reach::NeverLeft);
    let message = Message::arkivmelding();
    assert!(matches!(
        send(&host, &settings(""), &message),
        Err(Failure::Temporary(_))
    ));
    host.on(FIND, 200, r#"{"ids":[]}"#).on(UPLOAD, 200, UPLOADED);
    assert_eq!(
        send(&host, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );
    assert_eq!(host.calls(), [UPLOAD, FIND, UPLOAD]);
}

#[test]
fn an_answer_that_does_not_say_leaves_it_open_whether_altinn_has_the_letter() {
    for body in [
        "",
        "null",
        "{}",
        r#"{"correspondences":null}"#,
        r#"{"correspondences":[]}"#,
    ] {
        let host = Fake::default();
        host.on(UPLOAD, 200, body);
        let result = send(&host, &settings(""), &Message::arkivmelding());
        assert!(matches!(result, Err(Failure::Unknown(_))), "{body}");
    }
}

#[test]
fn the_look_up_goes_by_the_resource_of_the_attempt_whatever_the_registry_says_now() {
    let host = Fake::default();
    let message = Message {
        resource: None,
        uncertain: true,
        ..Message::arkivmelding()
    };
    let begun = br#"{"resource":"eformidling-dpv-administrasjon","at":1}"#;
    message.save_checkpoint(CHECKPOINT, begun).unwrap();
    host.on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
    assert_eq!(
        send(&host, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );

    let uncertain = Message {
        uncertain: true,
        ..Message::arkivmelding()
    };
    host.on(FIND, 200, r#"{"ids":[]}"#).on(UPLOAD, 200, UPLOADED);
    send(&host, &settings(""), &uncertain).unwrap();
    assert_eq!(host.calls(), [FIND, FIND, UPLOAD]);
}

#[test]
fn a_look_up_that_fails_says_nothing_about_the_message() {
    let message = Message::arkivmelding();
    message
        .save_checkpoint(CHECKPOINT, br#"{"resource":"eformidling-dpv-administrasjon","at":1}"#)
        .unwrap();
    for status in [400, 403, 500] {
        let host = Fake::default();
        host.on(FIND, status, "");
        assert!(!send(&host, &settings(""), &message).unwrap_err().is_permanent());
        assert_eq!(host.calls(), [FIND]);
    }
}

#[test]
fn an_expired_message_is_looked_for_and_not_sent() {
    let message = Message {
        expires: NOW - 1,
        ..Message::arkivmelding()
    };
    let begun = |at: u64| format!(r#"{{"resource":"eformidling-dpv-administrasjon","at":{at}}}"#).into_bytes();
    let at_altinn = |found: &str| {
        let host = Fake::default();
        host.now.set(NOW);
        host.on(FIND, 200, found);
        host
    };
    message.save_checkpoint(CHECKPOINT, &begun(NOW - 10)).unwrap();
    let found = at_altinn(&format!(r#"{{"ids":["{ID}"]}}"#));
    assert_eq!(
        send(&found, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );
    let settling = send(&at_altinn(r#"{"ids":[]}"#), &settings(""), &message).unwrap_err();
    assert!(matches!(settling, Failure::Temporary(failure) if failure.retry_after == Some(60)));
    message.save_checkpoint(CHECKPOINT, &begun(NOW - 120)).unwrap();
    let host = at_altinn(r#"{"ids":[]}"#);
    assert_eq!(
        send(&host, &settings(""), &message).unwrap_err().code(),
        Some("expired")
    );
    assert_eq!(host.calls(), [FIND]);
}
