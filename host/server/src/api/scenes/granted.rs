//! What an adapter is granted, on a house that runs.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use budstikke_runtime::services::{Delivery, DocumentRef, Failure, Services};
use tokio::io::AsyncReadExt as _;

use super::arriving::{NOBODY, id_of, letter};
use super::*;
use crate::abilities::AdapterServices;
use crate::abilities::tokens::Tokens;

impl House {
    /// What stands behind the imports of an adapter that serves `POST`.
    pub(super) fn granted(&self) -> AdapterServices {
        let adapter: config::Adapter = toml::from_str("component = \"post.wasm\"\nservices = [\"POST\"]").unwrap();
        let tokens = Tokens::new(&BTreeMap::new(), &OWN, "0192:991825827").unwrap();
        let node = Arc::new(OnceLock::from(self.node.clone()));
        AdapterServices::new("post".into(), json!({}), &adapter, Arc::new(tokens), node)
    }
}

async fn content(document: &DocumentRef) -> Vec<u8> {
    let mut content = Vec::new();
    document.open().await.unwrap().read_to_end(&mut content).await.unwrap();
    content
}

#[tokio::test]
async fn a_receipt_that_an_adapter_makes_is_queued_once_and_changes_no_status() {
    let house = House::with_post(NOBODY).await;
    let granted = house.granted();
    let id = house.wrote().await;
    let receipt = || {
        let body = json!({ "receiptType": "OK", "relatedToMessageId": id });
        letter("arkivmelding_kvittering", &body)
    };
    let first = receipt();
    let made = async |sbd: &Value, reference: &str| {
        let sbd = sbd.to_string().into_bytes();
        granted.generate("POST", reference, sbd).await.unwrap()
    };
    assert_eq!(made(&first, "receipt 1").await, Delivery::New);
    // Made anew under another message id, as after a crash.
    assert_eq!(made(&receipt(), "receipt 1").await, Delivery::AlreadyKnown);
    assert_eq!(made(&first, "receipt 2").await, Delivery::AlreadyKnown);
    assert_eq!(house.names(&id).await, ["OPPRETTET"]);
    assert_eq!(house.node.store.incoming_length().await.unwrap(), 1);
    let (_, peeked) = answer(house.get("/api/messages/in/peek")).await;
    assert_eq!(id_of(&peeked), id_of(&first));
    assert_eq!(house.answers().await, [], "nobody waits for an answer");
    let refused = granted.generate("POST", "receipt 3", b"{}".to_vec()).await;
    assert!(matches!(refused, Err(Failure::Permanent { code, .. }) if code == "sbd"));
    let refused = granted.generate("OTHER", "receipt 4", b"{}".to_vec()).await;
    assert!(matches!(refused, Err(Failure::Permanent { code, .. }) if code == "service"));
}

#[tokio::test]
async fn what_is_sealed_to_us_is_opened_and_nothing_else() {
    let house = House::with_post(NOBODY).await;
    let granted = house.granted();
    let parts = vec![(
        "a.txt".to_owned(),
        granted.from_bytes("a.txt", "text/plain", b"first".to_vec()),
    )];
    let archive = granted.zip("all.zip", parts).await.unwrap();
    let sealed = granted.seal_to_us("all.p7m", archive.clone()).await.unwrap();
    let opened = granted
        .unseal("all.zip", "application/zip", sealed.clone(), 1 << 20)
        .await
        .unwrap();
    assert_eq!((opened.name(), opened.media_type()), ("all.zip", "application/zip"));
    assert_eq!(opened.size(), Some(content(&archive).await.len() as u64));
    let entries = granted.unzip(opened).await.unwrap();
    assert_eq!(content(&entries[0]).await, b"first");

    let code = async |document, limit| match granted.unseal("x", "", document, limit).await {
        Err(Failure::Permanent { code, .. }) => code,
        _ => panic!("opened, or to be tried again"),
    };
    let bytes = |content: &[u8]| granted.from_bytes("x.p7m", "", content.to_vec());
    assert_eq!(code(sealed.clone(), 10).await, "too-large");
    assert_eq!(code(bytes(b"no envelope"), 1 << 20).await, "not-for-us");
    let whole = content(&sealed).await;
    assert_eq!(code(bytes(&whole[..whole.len() / 2]), 1 << 20).await, "not-for-us");
    let stranger = identity();
    let to_another = granted
        .seal(
            "x",
            archive,
            stranger.certificate().der().to_vec(),
            budstikke_runtime::services::SealScheme::OaepCbc,
        )
        .await
        .unwrap();
    assert_eq!(code(to_another, 1 << 20).await, "not-for-us");
}
