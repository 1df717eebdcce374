//! What arrives, as the fagsystem sees it afterwards. Spec: messaging API, 6 and 8; documents and packaging, 11.

use budstikke_runtime::services::Delivery;
use budstikke_store::Turn;
use serde_json::json;

use super::*;
use crate::delivery::{Handover, Origin, deliver};

pub(super) const NOBODY: &str = "[[receivers]]\nidentifier = \"910076787\"\ncapabilities = []";
const RECEIVER: &str = "910076787";

impl House {
    /// A message over `POST` under the name of its transfer.
    async fn hands_over(&self, reference: &str, sbd: &Value) -> Delivery {
        let sbd = sbd.to_string();
        let handover = Handover {
            service: "POST",
            reference,
            sbd: sbd.as_bytes(),
            package: None,
            origin: Origin::Service,
        };
        deliver(&self.node, handover).await.unwrap()
    }

    /// Statuses of a message with their descriptions, in order.
    async fn statuses(&self, message_id: &str) -> Vec<(String, Option<String>)> {
        let (_, page) = answer(self.get(&format!("/api/statuses/{message_id}"))).await;
        let rows = page["content"].as_array().unwrap().iter();
        rows.map(|row| {
            let description = row["description"].as_str().map(str::to_owned);
            (row["status"].as_str().unwrap().to_owned(), description)
        })
        .collect()
    }

    pub(super) async fn names(&self, message_id: &str) -> Vec<String> {
        self.statuses(message_id)
            .await
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    /// A message of ours over `POST`. Returns its id.
    pub(super) async fn wrote(&self) -> String {
        let mut sbd = Sbd::parse(letter("avtalt", &json!({})).to_string().as_bytes(), &self.node.types).unwrap();
        sbd.set_sender(&"991825827".parse_identifier());
        sbd.set_receiver(&RECEIVER.parse_identifier());
        let facts = facts_of(&sbd, "POST").unwrap();
        let message_id = facts.message_id.clone();
        let new = NewOutgoing {
            sbd: sealed_sbd::seal(&self.node.vault, &message_id, &sbd).unwrap(),
            message_type: "avtalt".into(),
            facts,
            reply_channel: None,
            ready: false,
            route: None,
        };
        let created = NewStatus::plain(Status::Opprettet, Node::now());
        let rules = AttachmentRules { limit: 0 };
        self.node.store.create(new, Vec::new(), rules, created).await.unwrap();
        message_id
    }

    /// The process of each answer that waits to be sent.
    pub(super) async fn answers(&self) -> Vec<(String, String)> {
        let ten = Turn {
            limit: 10,
            lane_limit: 10,
            ..Turn::default()
        };
        let claimed = self.node.store.claim("POST", Node::now(), ten).await.unwrap();
        let answers = claimed
            .into_iter()
            .filter(|claimed| claimed.message.message_type == "status");
        answers
            .map(|claimed| (claimed.message.facts.message_id, claimed.message.facts.process))
            .collect()
    }
}

trait ParseIdentifier {
    fn parse_identifier(&self) -> budstikke_message::identifier::Identifier;
}

impl ParseIdentifier for str {
    fn parse_identifier(&self) -> budstikke_message::identifier::Identifier {
        budstikke_message::identifier::Identifier::parse_any(self).unwrap()
    }
}

/// A whole message from the receiver of ours to us, living for a day.
pub(super) fn letter(kind: &str, body: &Value) -> Value {
    let mut letter = sbd(kind, body);
    let header = &mut letter["standardBusinessDocumentHeader"];
    header["sender"] =
        json!([{ "identifier": { "authority": "iso6523-actorid-upis", "value": format!("0192:{RECEIVER}") } }]);
    header["receiver"] = json!([{ "identifier": { "authority": "iso6523-actorid-upis", "value": "0192:991825827" } }]);
    let new_id = || json!(uuid::Uuid::new_v4().to_string());
    header["documentIdentification"]["instanceIdentifier"] = new_id();
    header["documentIdentification"]["creationDateAndTime"] = json!("2026-03-02T09:15:00+01:00");
    let tomorrow = Timestamp::now() + jiff::SignedDuration::from_hours(24);
    header["businessScope"]["scope"][0]["instanceIdentifier"] = new_id();
    header["businessScope"]["scope"][0]["scopeInformation"] =
        json!([{ "expectedResponseDateTime": tomorrow.to_string() }]);
    letter
}

pub(super) fn id_of(letter: &Value) -> String {
    let id = &letter["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"];
    id.as_str().unwrap().to_owned()
}

fn with_id(mut letter: Value, id: &str) -> Value {
    letter["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"] = json!(id);
    letter
}

#[tokio::test]
async fn a_message_arrives_once_however_often_it_is_handed_over() {
    let house = House::with_post(NOBODY).await;
    let letter = letter("avtalt", &json!({}));
    let id = id_of(&letter);
    assert_eq!(house.hands_over("t1", &letter).await, Delivery::New);
    assert_eq!(house.names(&id).await, ["OPPRETTET", "INNKOMMENDE_MOTTATT"]);
    assert_eq!(house.hands_over("t1", &letter).await, Delivery::AlreadyKnown);
    assert_eq!(house.hands_over("t2", &letter).await, Delivery::AlreadyKnown);
    assert_eq!(house.node.store.incoming_length().await.unwrap(), 1);
    let response = "urn:no:difi:profile:avtalt:response:ver1.0";
    assert_eq!(
        house.answers().await,
        [(id.clone(), response.to_owned())],
        "one MOTTATT"
    );
    answer(house.get("/api/messages/in/peek")).await;
    assert_eq!(answer(house.delete(&format!("/api/messages/in/{id}"))).await.0, 200);
    assert_eq!(
        house.hands_over("t3", &letter).await,
        Delivery::AlreadyKnown,
        "taken before"
    );
    assert_eq!(house.node.store.incoming_length().await.unwrap(), 0);
    assert_eq!(
        house.names(&id).await,
        ["OPPRETTET", "INNKOMMENDE_MOTTATT", "INNKOMMENDE_LEVERT"]
    );
}

#[tokio::test]
async fn a_message_past_its_time_on_arrival_is_recorded_and_not_queued() {
    let house = House::with_post(NOBODY).await;
    let mut late = letter("avtalt", &json!({}));
    late["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["scopeInformation"] =
        json!([{ "expectedResponseDateTime": "2026-03-02T09:15:00+01:00" }]);
    assert_eq!(house.hands_over("t", &late).await, Delivery::Expired);
    let statuses = house.statuses(&id_of(&late)).await;
    assert_eq!(statuses.len(), 2);
    assert_eq!(statuses[0], ("OPPRETTET".into(), None));
    assert!(
        statuses[1].0 == "LEVETID_UTLOPT" && statuses[1].1.is_some(),
        "{statuses:?}"
    );
    assert_eq!(answer(house.get("/api/messages/in/peek")).await.0, 204);
    assert_eq!(house.answers().await, [], "nobody is told that it was received");
}

#[tokio::test]
async fn a_status_of_the_receiver_is_registered_and_nothing_is_queued() {
    let house = House::with_post(NOBODY).await;
    let id = house.wrote().await;
    let status = |value: &str| with_id(letter("status", &json!({ "status": value })), &id);
    assert_eq!(house.hands_over("t1", &status("MOTTATT")).await, Delivery::Status);
    assert_eq!(house.hands_over("t2", &status("LEVERT")).await, Delivery::Status);
    assert_eq!(house.hands_over("t3", &status("LEVERT")).await, Delivery::Status);
    let mut stranger = status("FEIL");
    stranger["standardBusinessDocumentHeader"]["sender"][0]["identifier"]["value"] = json!("0192:974720760");
    assert_eq!(house.hands_over("t4", &stranger).await, Delivery::Status);
    assert_eq!(house.names(&id).await, ["OPPRETTET", "MOTTATT", "LEVERT"]);
    assert_eq!(answer(house.get("/api/messages/in")).await.1["totalElements"], 0);
    let (_, conversation) = answer(house.get(&format!("/api/conversations/messageId/{id}"))).await;
    assert_eq!(conversation["finished"], true);
}

#[tokio::test]
async fn a_kvittering_is_queued_and_tells_what_became_of_the_message() {
    for (kind, status) in [
        ("OK", "LEST"),
        ("WARNING", "LEST"),
        ("ERROR", "FEIL"),
        ("NOTSUPPORTED", "FEIL"),
    ] {
        let house = House::with_post(NOBODY).await;
        let id = house.wrote().await;
        let body = json!({ "receiptType": kind, "relatedToMessageId": id, "messages": [{ "code": "1", "text": "x" }] });
        let receipt = letter("arkivmelding_kvittering", &body);
        assert_eq!(house.hands_over("t", &receipt).await, Delivery::New);
        let statuses = house.statuses(&id).await;
        assert_eq!(
            statuses[1],
            (status.to_owned(), Some(format!("ArkivmeldingKvittering: {kind}")))
        );
        let (_, page) = answer(house.get(&format!("/api/statuses/{id}"))).await;
        let raw: Value = serde_json::from_str(page["content"][1]["rawReceipt"].as_str().unwrap()).unwrap();
        assert_eq!(raw, body);
        let (_, peeked) = answer(house.get("/api/messages/in/peek")).await;
        assert_eq!(id_of(&peeked), id_of(&receipt));
        assert_eq!(
            answer(house.get(&format!("/api/messages/in/pop/{}", id_of(&receipt))))
                .await
                .0,
            204
        );
    }
}

#[tokio::test]
async fn a_message_of_a_type_of_the_operators_is_answered_in_its_process_and_delivered_even_when_its_body_is_wrong() {
    let house = House::with_post(NOBODY).await;
    let mut wrong = letter("byggesak", &json!({ "saksnummer": 1, "eiendom": null }));
    let header = &mut wrong["standardBusinessDocumentHeader"];
    header["documentIdentification"]["standard"] = json!("urn:no:eksempel:byggesak:xsd::byggesak");
    header["businessScope"]["scope"][0]["identifier"] = json!("urn:no:eksempel:profile:byggesak:soknad:ver1.0");
    assert_eq!(house.hands_over("t", &wrong).await, Delivery::New);
    let (status, peeked) = answer(house.get("/api/messages/in/peek")).await;
    assert_eq!((status, &peeked["byggesak"]), (StatusCode::OK, &wrong["byggesak"]));
    assert_eq!(
        house.answers().await,
        [(id_of(&wrong), "urn:no:eksempel:profile:byggesak:svar:ver1.0".to_owned())]
    );
}
