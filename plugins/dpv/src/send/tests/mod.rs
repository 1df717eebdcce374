mod attempts;
mod letters;

use super::send;
use crate::testing::{Asked, Fake, Letter as Message, NOW};

const UPLOAD: &str = "POST /correspondence/upload";
const FIND: &str = "GET /correspondence?resourceId=eformidling-dpv-administrasjon&role=Sender&idempotentKey=6a1d5f0e-3c52-4c1b-8a0e-9f2b7d3c4e55";
const UPLOADED: &str = r#"{"correspondences":[{"correspondenceId":"c0ffee00-0000-4000-8000-000000000001",
    "status":"Initialized","recipient":"r","notifications":null,"novelty":1}],"attachmentIds":[]}"#;
const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

fn altinn() -> Fake {
    let host = Fake::default();
    host.now.set(NOW);
    host.on(UPLOAD, 200, UPLOADED);
    host
}

fn uploaded(host: &Fake, settings: &str, message: &Message) -> Asked {
    let sent = send(host, &crate::testing::settings(settings), message).unwrap();
    assert_eq!(
        (sent.reference.as_deref(), sent.track_after, sent.reports.len()),
        (Some(ID), Some(5), 0)
    );
    let [asked] = host.requests().try_into().expect("one request");
    asked
}
