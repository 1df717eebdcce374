//! Looking, locking, fetching, taking.

use std::io::Write as _;

use budstikke_message::cms::{ContentCipher, EnvelopeWriter, KeyTransport};
use budstikke_store::files::MessageKey;
use budstikke_store::{Arrival, StoredFile};
use serde_json::json;

use super::*;

impl House {
    /// A message on the queue whose package is sealed to somebody. Returns its id.
    async fn arrived(&self, kind: &str, package: Option<(&[u8], &Identity)>) -> String {
        let mut sbd = Sbd::parse(sbd(kind, &json!({})).to_string().as_bytes(), &self.node.types).unwrap();
        let own = "910076787".parse().unwrap();
        sbd.fill_defaults(&own, Timestamp::now(), std::time::Duration::from_hours(24), None)
            .unwrap();
        let facts = facts_of(&sbd, "S").unwrap();
        let message_id = facts.message_id.clone();
        let key = MessageKey::generate().unwrap();
        let package = package.map(|(content, owner)| {
            let writer = self.node.vault.create(&key).unwrap();
            let (transport, cipher) = (KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc);
            let mut envelope = EnvelopeWriter::new(writer, owner.certificate(), transport, cipher).unwrap();
            envelope.write_all(content).unwrap();
            let blob = envelope.finish().unwrap().finish().unwrap();
            blob.claim();
            StoredFile::from(&blob)
        });
        let arrival = Arrival {
            sbd: sealed_sbd::seal_with(&self.node.vault, &key, &message_id, &sbd).unwrap(),
            message_type: kind.into(),
            facts,
            package,
            statuses: vec![NewStatus::plain(Status::InnkommendeMottatt, Node::now())],
            queue: true,
            answer: None,
            related: None,
            reference: message_id.clone(),
            now: Node::now(),
        };
        assert!(self.node.store.arrive(arrival).await.unwrap());
        message_id
    }

    async fn peek(&self) -> (StatusCode, Value) {
        answer(self.get("/api/messages/in/peek?serviceIdentifier=S")).await
    }
}

#[tokio::test]
async fn a_message_is_peeked_popped_and_taken() {
    let house = House::new().await;
    assert_eq!(house.peek().await, (StatusCode::NO_CONTENT, Value::Null));
    let content: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let id = house.arrived("avtalt", Some((&content, &OWN))).await;
    let pop = format!("/api/messages/in/pop/{id}");
    let take = format!("/api/messages/in/{id}");
    assert_eq!(exception(&answer(house.get(&pop)).await.1), "MessageNotLockedException");
    assert_eq!(
        exception(&answer(house.delete(&take)).await.1),
        "MessageNotLockedException"
    );

    let (status, sbd) = house.peek().await;
    assert_eq!(status, 200);
    assert_eq!(
        sbd["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"],
        id.as_str()
    );
    assert_eq!(house.peek().await.0, 204);
    let (_, page) = answer(house.get("/api/messages/in")).await;
    assert_eq!(page["content"][0], sbd);
    for _ in 0..2 {
        let response = house.get(&pop).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/vnd.etsi.asic-e+zip");
        assert_eq!(
            response.headers()["content-disposition"],
            "attachment; filename=asic.zip"
        );
        assert!(response.bytes().await.unwrap() == content);
    }
    assert_eq!(answer(house.delete(&take)).await, (StatusCode::OK, sbd));
    assert_eq!(answer(house.get(&pop)).await.0, 404);
    let (_, page) = answer(house.get("/api/conversations?direction=INCOMING")).await;
    let statuses = page["content"][0]["messageStatuses"].as_array().unwrap();
    assert_eq!(statuses.last().unwrap()["status"], "INNKOMMENDE_LEVERT");
    assert_eq!(page["content"][0]["finished"], true);
    let id = page["content"][0]["id"].as_i64().unwrap();
    assert_eq!(answer(house.get(&format!("/api/conversations/{id}"))).await.0, 404);
}

#[tokio::test]
async fn nothing_to_pop_is_no_content() {
    let house = House::new().await;
    for (kind, package) in [
        ("avtalt", None),
        ("arkivmelding_kvittering", Some((&b"package"[..], &**OWN))),
    ] {
        let id = house.arrived(kind, package).await;
        house.peek().await;
        assert_eq!(
            answer(house.get(&format!("/api/messages/in/pop/{id}"))).await.0,
            204,
            "{kind}"
        );
        assert_eq!(
            answer(house.delete(&format!("/api/messages/in/{id}"))).await.0,
            200,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_package_for_another_key_is_an_error_and_the_message_stays() {
    let house = House::new().await;
    let id = house.arrived("avtalt", Some((b"secret", &identity()))).await;
    house.peek().await;
    let (status, body) = answer(house.get(&format!("/api/messages/in/pop/{id}"))).await;
    assert_eq!((status.as_u16(), exception(&body)), (500, "AsicReadException"));
    assert_eq!(house.node.store.incoming_length().await.unwrap(), 1);
}

#[tokio::test]
async fn many_peeks_at_once_never_hand_out_one_message_twice() {
    let house = House::new().await;
    for _ in 0..10 {
        house.arrived("avtalt", None).await;
    }
    let peeks = futures::future::join_all((0..40).map(|_| house.peek())).await;
    let mut ids: Vec<String> = peeks
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .map(|(_, sbd)| {
            sbd["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"].to_string()
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10);
    assert_eq!(
        peeks
            .iter()
            .filter(|(status, _)| *status == StatusCode::NO_CONTENT)
            .count(),
        30
    );
}

#[tokio::test]
async fn a_lock_has_a_name_and_can_be_given_back() {
    let house = House::new().await;
    let id = house.arrived("avtalt", Some((b"package", &OWN))).await;
    let peek = || async { house.get("/api/messages/in/peek").send().await.unwrap() };
    let token = |response: &reqwest::Response| response.headers()["budstikke-lock-token"].to_str().unwrap().to_owned();
    let (pop, take) = (format!("/api/messages/in/pop/{id}"), format!("/api/messages/in/{id}"));
    let lock = format!("{take}/lock");
    let named = |request: RequestBuilder, token: &str| request.header("budstikke-lock-token", token);

    let first = token(&peek().await);
    assert_eq!(
        exception(&answer(house.delete(&lock)).await.1),
        "MissingRequestHeaderException"
    );
    assert_eq!(
        exception(&answer(named(house.delete(&lock), "other")).await.1),
        "MessageNotLockedException"
    );
    assert_eq!(
        answer(named(house.delete(&lock), &first)).await,
        (StatusCode::OK, Value::Null)
    );
    assert_eq!(
        exception(&answer(named(house.get(&pop), &first)).await.1),
        "MessageNotLockedException"
    );

    let second = token(&peek().await);
    assert_ne!(first, second);
    for request in [house.get(&pop), house.delete(&take), house.delete(&lock)] {
        let (status, body) = answer(named(request, &first)).await;
        assert_eq!((status.as_u16(), exception(&body)), (400, "MessageNotLockedException"));
        assert!(body["hint"].as_str().unwrap().contains("Budstikke-Lock-Token"));
    }
    for request in [house.get(&pop), named(house.get(&pop), &second)] {
        assert_eq!(request.send().await.unwrap().bytes().await.unwrap(), "package");
    }
    assert_eq!(answer(named(house.delete(&take), &second)).await.0, 200);
    assert_eq!(answer(named(house.delete(&lock), &second)).await.0, 404);
}

#[tokio::test]
async fn a_package_that_is_gone_from_disk_is_an_error_and_the_message_stays() {
    let house = House::new().await;
    let id = house.arrived("avtalt", Some((&vec![7; 100_000], &OWN))).await;
    house.peek().await;
    for folder in std::fs::read_dir(house.folder.path().join("files")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
    let (status, body) = answer(house.get(&format!("/api/messages/in/pop/{id}"))).await;
    assert_eq!((status.as_u16(), exception(&body)), (500, "AsicReadException"));
    assert_eq!(house.node.store.incoming_length().await.unwrap(), 1);
    let (_, page) = answer(house.get("/api/conversations?direction=INCOMING&finished=false")).await;
    assert_eq!(page["totalElements"], 1);
}

#[tokio::test]
async fn each_filter_of_peek_selects_only_its_match() {
    let house = House::new().await;
    let id = house.arrived("avtalt", None).await;
    let (_, page) = answer(house.get(&format!("/api/conversations?messageId={id}"))).await;
    let conversation = page["content"][0]["conversationId"].as_str().unwrap();
    for (name, right) in [
        ("messageId", id.as_str()),
        ("conversationId", conversation),
        ("receiverIdentifier", "910076787"),
        ("senderIdentifier", "910076787"),
        ("serviceIdentifier", "S"),
        ("process", PROCESS),
    ] {
        for (value, status) in [("another", 204), (right, 200)] {
            let response = house
                .get(&format!("/api/messages/in/peek?{name}={value}"))
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), status, "{name}={value}");
            let Some(token) = response.headers().get("budstikke-lock-token") else {
                continue;
            };
            let unlock = house.delete(&format!("/api/messages/in/{id}/lock"));
            assert_eq!(answer(unlock.header("budstikke-lock-token", token)).await.0, 200);
        }
    }
    let other = house.arrived("avtalt", None).await;
    let (status, _) = answer(house.get(&format!(
        "/api/messages/in/peek?messageId={other}&conversationId={conversation}"
    )))
    .await;
    assert_eq!(status, 204);
}
