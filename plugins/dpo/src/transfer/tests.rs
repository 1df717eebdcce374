use super::*;
use crate::send::send;
use crate::testing::{CUSTOMER, Fake, Letter as Message, settings};

const INITIALISE: &str = "POST /filetransfer/";
const UPLOAD: &str = "POST /filetransfer/first/upload";
const LOOK: &str = "GET /filetransfer/first";

fn announced(id: &str) -> String {
    format!(r#"{{"fileTransferId":"{id}"}}"#)
}

fn status(name: &str) -> String {
    format!(r#"{{"fileTransferStatus":"{name}","fileTransferStatusChanged":"1970-01-01T00:00:00Z"}}"#)
}

/// A first attempt whose upload breaks off.
fn after_a_broken_upload() -> (Fake, Message) {
    let (host, message) = (Fake::default(), Message::arkivmelding());
    host.on(INITIALISE, 200, &announced("first")).loses(UPLOAD);
    let failure = send(&host, &settings(""), &message).unwrap_err();
    assert!(!failure.is_permanent());
    assert_eq!(host.calls(), [INITIALISE, UPLOAD]);
    (host, message)
}

fn again(host: &Fake, message: &Message) -> Result<Option<String>, Failure> {
    send(host, &settings(""), message).map(|sent| sent.reference)
}

#[test]
fn an_open_transfer_is_used_again() {
    let (host, message) = after_a_broken_upload();
    host.on(LOOK, 200, &status("Initialized")).on(UPLOAD, 200, "");
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
    assert_eq!(host.calls(), [LOOK, UPLOAD]);
}

#[test]
fn an_upload_that_arrived_is_not_repeated() {
    for name in ["UploadProcessing", "Published", "AllConfirmedDownloaded", "Purged"] {
        let (host, message) = after_a_broken_upload();
        host.on(LOOK, 200, &status(name));
        assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
        assert_eq!(host.calls(), [LOOK], "{name}");
    }
}

#[test]
fn an_upload_that_arrived_counts_whatever_has_happened_to_the_receiver_and_to_us_since() {
    let (host, mut message) = after_a_broken_upload();
    message.kept.borrow_mut().clear();
    message.certificate = None;
    message.expires = 0;
    host.with_subjects(&["0192:974720760", CUSTOMER])
        .on(LOOK, 200, &status("Published"));
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
    assert_eq!(host.calls(), [LOOK]);
}

#[test]
fn without_a_token_to_look_with_the_message_is_not_given_up() {
    let (host, message) = after_a_broken_upload();
    host.issues_no_token(Failure::permanent("subject", "no longer one of ours"));
    assert!(!again(&host, &message).unwrap_err().is_permanent());
}

#[test]
fn nothing_is_sent_for_a_message_that_expired_meanwhile() {
    for (name, now, code) in [
        ("Initialized", 0, Some("expired")),
        ("Failed", 0, Some("expired")),
        ("UploadStarted", STUCK, None),
        ("UploadStarted", STUCK + 1, Some("expired")),
    ] {
        let (host, mut message) = after_a_broken_upload();
        message.expires = now;
        host.now.set(now);
        host.on(LOOK, 200, &status(name));
        assert_eq!(again(&host, &message).unwrap_err().code(), code, "{name}");
        assert_eq!(host.calls(), [LOOK]);
    }
}

#[test]
fn another_package_needs_a_new_transfer() {
    let (host, mut message) = after_a_broken_upload();
    message.kept.borrow_mut().clear();
    message.certificate = Some("renewed");
    host.on(LOOK, 200, &status("Initialized"));
    host.on(INITIALISE, 200, &announced("second"))
        .on("POST /filetransfer/second/upload", 200, "");
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("second"));
}

#[test]
fn a_dead_transfer_is_replaced_once_per_attempt() {
    for (code, body) in [
        (200, status("Failed")),
        (200, status("Cancelled")),
        (404, String::new()),
    ] {
        let (host, message) = after_a_broken_upload();
        host.on(LOOK, code, &body)
            .on(INITIALISE, 200, &announced("second"))
            .loses("POST /filetransfer/second/upload");
        assert!(!again(&host, &message).unwrap_err().is_permanent());
        assert_eq!(host.calls(), [LOOK, INITIALISE, "POST /filetransfer/second/upload"]);
        host.on("GET /filetransfer/second", 200, &status("Published"));
        assert_eq!(again(&host, &message).unwrap().as_deref(), Some("second"));
    }
}

#[test]
fn an_upload_that_broke_off_is_made_again_into_the_same_transfer_once_it_has_settled() {
    let (host, message) = after_a_broken_upload();
    host.now.set(SETTLING);
    host.on(LOOK, 200, &status("UploadStarted"));
    let Err(Failure::Temporary(failure)) = again(&host, &message) else {
        panic!("it must be waited for")
    };
    assert_eq!(failure.retry_after, Some(LOOK_AGAIN));
    host.calls();
    host.now.set(SETTLING + 1);
    host.on(LOOK, 200, &status("UploadStarted")).on(UPLOAD, 200, "");
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
    assert_eq!(host.calls(), [LOOK, UPLOAD]);
}

#[test]
fn an_upload_of_a_package_that_we_lost_is_waited_for_and_then_replaced() {
    let (host, mut message) = after_a_broken_upload();
    message.kept.borrow_mut().clear();
    message.certificate = Some("renewed");
    host.now.set(STUCK);
    host.on(LOOK, 200, &status("UploadStarted"));
    assert!(!again(&host, &message).unwrap_err().is_permanent());
    host.now.set(STUCK + 1);
    host.on(LOOK, 200, &status("UploadStarted"));
    host.on(INITIALISE, 200, &announced("second"))
        .on("POST /filetransfer/second/upload", 200, "");
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("second"));
}

#[test]
fn an_unknown_status_is_waited_out() {
    let (host, message) = after_a_broken_upload();
    host.on(LOOK, 200, &status("Quarantined"));
    let failure = again(&host, &message).unwrap_err();
    assert!(!failure.is_permanent() && failure.detail().contains("Quarantined"));
}

#[test]
fn a_look_that_fails_does_not_fail_the_message() {
    for code in [403, 500] {
        let (host, message) = after_a_broken_upload();
        host.on(LOOK, code, "");
        assert!(!again(&host, &message).unwrap_err().is_permanent());
        assert_eq!(host.calls(), [LOOK]);
    }
}

#[test]
fn an_upload_that_was_made_before_is_looked_up() {
    let (host, message) = (Fake::default(), Message::arkivmelding());
    host.on(INITIALISE, 200, &announced("first"))
        .on(UPLOAD, 409, "")
        .on(LOOK, 200, &status("UploadProcessing"));
    assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
    let (host, message) = (Fake::default(), Message::arkivmelding());
    host.on(INITIALISE, 200, &announced("first"))
        .on(UPLOAD, 409, "")
        .on(LOOK, 200, &status("UploadStarted"));
    assert!(!again(&host, &message).unwrap_err().is_permanent());
}

#[test]
fn what_altinn_refuses_is_final_and_what_it_cannot_do_now_is_not() {
    for (code, permanent) in [(400, true), (403, true), (409, false), (429, false), (503, false)] {
        let (host, message) = (Fake::default(), Message::arkivmelding());
        host.on(INITIALISE, code, "BRO-00006");
        let failure = again(&host, &message).unwrap_err();
        assert_eq!(failure.is_permanent(), permanent, "{code}");
        assert!(failure.detail().ends_with("BRO-00006"));
        assert!(message.checkpoints.borrow().is_empty());
    }
    let (host, message) = (Fake::default(), Message::arkivmelding());
    host.on(INITIALISE, 200, &announced("first"))
        .on(UPLOAD, 400, "checksum mismatch");
    assert_eq!(again(&host, &message).unwrap_err().code(), Some("http-400"));
}

#[test]
fn a_broken_checkpoint_starts_anew() {
    for value in ["", "{}", r#"{"id":"../x","md5":"","reference":"","at":0}"#] {
        let (host, message) = (Fake::default(), Message::arkivmelding());
        message.save_checkpoint(CHECKPOINT, value.as_bytes()).unwrap();
        host.on(INITIALISE, 200, &announced("first")).on(UPLOAD, 200, "");
        assert_eq!(again(&host, &message).unwrap().as_deref(), Some("first"));
    }
}
