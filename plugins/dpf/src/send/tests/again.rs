//! What is tried again, what is not, and what an attempt makes of those before it.

use budstikke_sdk::http::Reach;

use super::*;

#[test]
fn v7_another_fault_is_tried_again() {
    let host = Fake::default();
    host.on(SEND, 500, &fault("Intern feil").1);
    let message = Letter::v1();
    let failure = send(&host, &soap(""), &message).unwrap_err();
    assert!(matches!(failure, Failure::Temporary(_)), "{failure:?}");
    host.on(FIND, 200, &soap_answer(FIND, ""));
    host.on(SEND, 200, &soap_answer(SEND, &format!("<return>{M}</return>")));
    assert_eq!(send(&host, &soap(""), &message).unwrap().reference.as_deref(), Some(M));
}

#[test]
fn e6_what_is_final_and_what_passes_over_rest() {
    let body = r#"{"errorId":"0b7c","message":"tittel for 05839012391"}"#;
    for status in [400, 403, 404, 409, 413, 422] {
        let host = Fake::default();
        host.on(&send_path(), status, body);
        let failure = send(&host, &rest(""), &Letter::v1()).unwrap_err();
        assert_eq!(failure.code(), Some(format!("http-{status}").as_str()));
        assert!(failure.detail().contains("0b7c") && !failure.detail().contains("05839012391"));
    }
    for status in [408, 429, 503] {
        let host = Fake::default();
        host.on(&send_path(), status, "");
        let failure = send(&host, &rest(""), &Letter::v1()).unwrap_err();
        assert!(matches!(failure, Failure::Temporary(_)), "{status}");
    }
    for status in [500, 502, 504] {
        let host = Fake::default();
        host.on(&send_path(), status, "");
        let failure = send(&host, &rest(""), &Letter::v1()).unwrap_err();
        assert!(matches!(failure, Failure::Unknown(_)), "{status}");
    }
    let host = Fake::default();
    host.loses(&send_path(), Reach::NeverLeft);
    assert!(matches!(
        send(&host, &rest(""), &Letter::v1()),
        Err(Failure::Temporary(_))
    ));
}

#[test]
fn e6_a_refused_token_is_renewed_once() {
    let host = Fake::default();
    host.on(&send_path(), 401, "").on(&send_path(), 200, &id_answer(X));
    assert!(send(&host, &rest(""), &Letter::v1()).is_ok());
    assert_eq!(host.tokens().len(), 2);
    assert_eq!(host.posted()[0].body, host.posted()[1].body);
    let host = Fake::default();
    host.on(&send_path(), 401, "").on(&send_path(), 401, "nei");
    assert_eq!(
        send(&host, &rest(""), &Letter::v1()).unwrap_err().code(),
        Some("http-401")
    );
}

#[test]
fn e7_only_files_that_are_sent_are_sealed_and_once_for_all_attempts() {
    let message = Letter::v1();
    let host = Fake::default();
    host.on(&send_path(), 503, "")
        .on(&find_path(), 200, &found(&[]))
        .on(&send_path(), 200, &id_answer(X));
    send(&host, &rest(""), &message).unwrap_err();
    send(&host, &rest(""), &message).unwrap();
    let kept: Vec<_> = message.kept.borrow().values().map(|file| file.name.clone()).collect();
    assert_eq!(kept, ["test.txt"]);
    let other = Letter {
        certificate: Some("KS 2"),
        kept: message.kept,
        ..Letter::v1()
    };
    host.on(&send_path(), 200, &id_answer(X));
    send(&host, &rest(""), &other).unwrap();
    assert!(host.posted().last().unwrap().body.contains("sealed for KS 2"));
}

#[test]
fn e8_after_a_lost_answer_svarut_is_asked_before_anything_is_sent_again() {
    let (host, message) = (Fake::default(), Letter::v1());
    host.now.set(1000);
    host.loses(&send_path(), Reach::Unknown);
    assert!(matches!(send(&host, &rest(""), &message), Err(Failure::Unknown(_))));
    host.calls();
    host.on(&find_path(), 200, &found(&[X]));
    let sent = send(
        &host,
        &rest(""),
        &Letter {
            uncertain: true,
            checkpoints: message.checkpoints,
            ..Letter::v1()
        },
    );
    assert_eq!(sent.unwrap().reference.as_deref(), Some(X));
    assert_eq!(host.calls(), [find_path()]);
}

#[test]
fn e8_what_may_still_be_on_its_way_is_waited_for() {
    let (host, message) = (Fake::default(), Letter::v1());
    host.now.set(1000);
    host.loses(&send_path(), Reach::Unknown);
    send(&host, &rest(""), &message).unwrap_err();
    host.now.set(1100);
    host.on(&find_path(), 200, &found(&[]));
    let Err(Failure::Unknown(failure)) = send(&host, &rest(""), &message) else {
        panic!("it waits")
    };
    assert_eq!(failure.retry_after, Some(860));
    host.now.set(1960);
    host.on(&find_path(), 200, &found(&[]))
        .on(&send_path(), 200, &id_answer(X));
    assert!(send(&host, &rest(""), &message).is_ok());
    assert!(send(&host, &rest(""), &message).is_ok(), "and not once more");
    assert_eq!(host.posted().len(), 2);
}

#[test]
fn e8_a_look_up_that_fails_sends_nothing() {
    let (host, message) = (
        Fake::default(),
        Letter {
            uncertain: true,
            ..Letter::v1()
        },
    );
    host.on(&find_path(), 403, "");
    let failure = send(&host, &rest(""), &message).unwrap_err();
    assert!(!failure.is_permanent());
    assert!(host.posted().is_empty());
}

#[test]
fn e9_a_duplicate_that_svarut_knows_by_our_message_is_success() {
    let duplicate = fault("Duplikat av forsendelse").1;
    let host = Fake::default();
    host.on(SEND, 500, &duplicate)
        .on(FIND, 200, &soap_answer(FIND, &format!("<return>{X}</return>")));
    assert_eq!(
        send(&host, &soap(""), &Letter::v1()).unwrap().reference.as_deref(),
        Some(X)
    );
    let host = Fake::default();
    host.on(SEND, 500, &duplicate).on(FIND, 200, &soap_answer(FIND, ""));
    assert_eq!(
        send(&host, &soap(""), &Letter::v1()).unwrap_err().code(),
        Some("duplicate")
    );
    let host = Fake::default();
    host.on(SEND, 500, &duplicate).on(FIND, 500, &fault("Intern feil").1);
    assert!(!send(&host, &soap(""), &Letter::v1()).unwrap_err().is_permanent());
}

#[test]
fn over_soap_only_a_fault_is_final() {
    for status in [302, 401, 403, 404, 503] {
        let host = Fake::default();
        host.on(SEND, status, "<html/>");
        let failure = send(&host, &soap(""), &Letter::v1()).unwrap_err();
        assert!(matches!(failure, Failure::Temporary(_)), "{status}");
        assert!(!failure.detail().contains("pæssord"));
    }
    for status in [200, 500, 502, 504] {
        let host = Fake::default();
        host.on(SEND, status, "<html/>");
        let failure = send(&host, &soap(""), &Letter::v1()).unwrap_err();
        assert!(matches!(failure, Failure::Unknown(_)), "{status}");
    }
}

#[test]
fn an_expired_message_is_looked_for_and_not_sent() {
    let expired = |answer: &[&str]| {
        let host = Fake::default();
        host.now.set(100_000);
        host.on(&find_path(), 200, &found(answer));
        send(
            &host,
            &rest(""),
            &Letter {
                uncertain: true,
                ..Letter::v1()
            },
        )
    };
    assert!(expired(&[X]).is_ok());
    assert_eq!(expired(&[]).unwrap_err().code(), Some("expired"));
}
