//! Creating and sending with an address service, and what the API tells of it. Spec: service registry, 8.6, 8.8, 9.5 and 9.6.

use std::time::Duration;

use budstikke_runtime::services::{Failure, Outgoing as _, Services as _};
use budstikke_store::Turn;

use super::*;
use crate::certificates::Checks;
use crate::config::RoutingRule;
use crate::delivery::OutgoingCall;
use crate::registry::remote::tests::stand_in::{Says, StandIn};
use crate::registry::remote::tests::{client_with, organisation};
use crate::registry::remote::{LastAnswers, RemoteRegistry};

const CONVERSATION: &str = "3f2c4e7a-6f0c-4d55-9a3b-0d3a4b1d2c11";
pub(super) const PERSON: &str = "05839012391";

/// A house that asks a stand-in, with a service `POST`. Nothing is kept in memory unless `cache`.
pub(super) async fn house(stand_in: &StandIn, cache: bool, furnish: impl FnOnce(&mut Node)) -> House {
    House::furnished(|node| {
        let last = LastAnswers::new(node.store.clone(), &node.vault, Duration::from_hours(72));
        let client: RemoteRegistry = client_with(stand_in, Some(last), |settings| {
            settings.read_time = Duration::from_millis(500);
            if !cache {
                settings.cache_seconds = 0;
            }
        });
        node.registry = Arc::new(client);
        node.adapters.pretended.push(ServiceRules {
            id: "POST".into(),
            ..ServiceRules::default()
        });
        furnish(node);
    })
    .await
}

fn at_level_three() -> Value {
    let mut sbd = sbd("arkivmelding", &json!({ "sikkerhetsnivaa": 3 }));
    sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["instanceIdentifier"] = json!(CONVERSATION);
    sbd
}

fn message_id(created: &Value) -> String {
    let id = "/standardBusinessDocumentHeader/documentIdentification/instanceIdentifier";
    created.pointer(id).unwrap().as_str().unwrap().to_owned()
}

/// The message in the hands of the service.
async fn sent(house: &House, id: &str) -> Result<OutgoingCall, Failure> {
    assert_eq!(
        answer(house.upload(id, "arkivmelding.xml", arkivmelding_xml(&[])))
            .await
            .0,
        200
    );
    taken(house, id).await
}

/// The same for one whose files are there.
async fn taken(house: &House, id: &str) -> Result<OutgoingCall, Failure> {
    let (status, body) = answer(house.post(&format!("/api/messages/out/{id}"))).await;
    assert_eq!(status, 200, "{body}");
    let turn = Turn {
        limit: 1,
        lane_limit: 1,
        ..Turn::default()
    };
    let claimed = house
        .node
        .store
        .claim("POST", Node::now(), turn)
        .await
        .unwrap()
        .remove(0);
    OutgoingCall::new(&house.node, claimed).await
}

#[tokio::test]
async fn create_and_send_ask_one_and_the_same_question() {
    let stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = house(&stand_in, true, |_| {}).await;
    let (status, created) = answer(house.create(&at_level_three())).await;
    assert_eq!(status, 200, "{created}");
    let call = sent(&house, &message_id(&created)).await.unwrap();
    assert_eq!(
        stand_in.places(),
        [format!(
            "identifier/910076787/process/{PROCESS}?securityLevel=3&conversationId={CONVERSATION}"
        )]
    );
    let resource = call
        .facts()
        .receiver_address
        .iter()
        .find(|(name, _)| name == "resource");
    assert_eq!(resource.map(|(_, value)| value.as_str()), Some("r"));
}

/// Spec: service registry, 9.5 (3) and (4).
#[tokio::test]
async fn names_and_addresses_are_asked_for_by_the_adapter_that_wants_them_and_once() {
    let stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = house(&stand_in, true, |_| {}).await;
    let (_, created) = answer(house.create(&at_level_three())).await;
    sent(&house, &message_id(&created)).await.unwrap();
    let granted = house.granted();
    for _ in 0..2 {
        for identifier in ["0192:910076787", "0192:991825827"] {
            let party = granted.look_up(identifier).await.unwrap().unwrap();
            assert_eq!(party.name.as_deref(), Some("EKSEMPELETATEN"));
        }
    }
    assert_eq!(stand_in.places().len(), 1, "the way is asked for once");
    let infos = ["info/910076787", "info/991825827"].map(|place| stand_in.count(place));
    assert_eq!(infos, [1, 1]);
}

/// Spec: service registry, 9.5 (5).
#[tokio::test]
async fn post_to_a_citizen_asks_with_its_level_and_is_sent_by_the_same_answer() {
    let mut registered = organisation("POST");
    registered["serviceRecords"][0]["process"] = json!("urn:no:difi:profile:digitalpost:info:ver1.0");
    registered["serviceRecords"][0]["documentTypes"] = json!(["urn:no:difi:digitalpost:xsd:digital::digital"]);
    let stand_in = StandIn::new(Says::Good(registered));
    let house = house(&stand_in, true, |_| {}).await;
    let body = json!({ "sikkerhetsnivaa": 3, "hoveddokument": "brev.pdf", "tittel": "Brev", "spraak": "NO",
        "digitalPostInfo": { "virkningsdato": "2026-03-02", "aapningskvittering": false }, "varsler": {} });
    let mut letter = sbd("digital", &body);
    let header = &mut letter["standardBusinessDocumentHeader"];
    header["receiver"][0]["identifier"]["value"] = json!(PERSON);
    header["documentIdentification"]["standard"] = json!("urn:no:difi:digitalpost:xsd:digital::digital");
    let scope = &mut header["businessScope"]["scope"][0];
    scope["identifier"] = json!("urn:no:difi:profile:digitalpost:info:ver1.0");
    scope["instanceIdentifier"] = json!(CONVERSATION);
    let (status, created) = answer(house.create(&letter)).await;
    assert_eq!(status, 200, "{created}");
    let id = message_id(&created);
    assert_eq!(answer(house.upload(&id, "brev.pdf", "%PDF")).await.0, 200);
    taken(&house, &id).await.unwrap();
    assert_eq!(
        stand_in.places(),
        [format!(
            "identifier/{PERSON}/process/urn:no:difi:profile:digitalpost:info:ver1.0\
             ?securityLevel=3&conversationId={CONVERSATION}"
        )]
    );
}

/// Spec: service registry, 9.5 (6).
#[tokio::test]
async fn a_receipt_asks_in_the_process_of_answers() {
    let response = "urn:no:difi:profile:arkivmelding:response:ver1.0";
    let standard = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering";
    let mut registered = organisation("POST");
    registered["serviceRecords"][0]["process"] = json!(response);
    registered["serviceRecords"][0]["documentTypes"] = json!([standard]);
    let stand_in = StandIn::new(Says::Good(registered));
    let house = house(&stand_in, true, |_| {}).await;
    let body = json!({ "receiptType": "OK", "relatedToMessageId": CONVERSATION });
    let mut receipt = sbd("arkivmelding_kvittering", &body);
    let scope = &mut receipt["standardBusinessDocumentHeader"]["businessScope"]["scope"][0];
    scope["identifier"] = json!(response);
    scope["instanceIdentifier"] = json!(CONVERSATION);
    let (status, created) = answer(house.create(&receipt)).await;
    assert_eq!(status, 200, "{created}");
    taken(&house, &message_id(&created)).await.unwrap();
    let asked = format!("identifier/910076787/process/{response}?conversationId={CONVERSATION}");
    assert_eq!(stand_in.places(), [asked]);
}

#[tokio::test]
async fn what_is_sent_belongs_to_the_service_that_was_chosen() {
    let stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = house(&stand_in, false, |_| {}).await;
    let (_, created) = answer(house.create(&at_level_three())).await;
    // Another service comes first by now.
    let mut both = organisation("OTHER");
    let post = organisation("POST")["serviceRecords"][0].clone();
    both["serviceRecords"][0]["service"]["resource"] = json!("other");
    both["serviceRecords"].as_array_mut().unwrap().push(post);
    stand_in.says(Says::Good(both));
    let call = sent(&house, &message_id(&created)).await.unwrap();
    let address: std::collections::BTreeMap<_, _> = call.facts().receiver_address.iter().cloned().collect();
    assert_eq!(address["resource"], "r");
}

#[tokio::test]
async fn only_a_receiver_that_has_moved_ends_a_message_that_had_a_way() {
    for (says, permanent) in [
        (Says::Error(400, json!({})), false),
        (Says::Error(403, json!({})), false),
        (Says::Unsigned(organisation("POST")), false),
        (Says::NotThere, false),
        (Says::Good(nothing()), false),
        (Says::Good(organisation("OTHER")), true),
    ] {
        let stand_in = StandIn::new(Says::Good(organisation("POST")));
        let house = house(&stand_in, false, |_| {}).await;
        let (_, created) = answer(house.create(&at_level_three())).await;
        stand_in.says(says);
        let failure = sent(&house, &message_id(&created)).await.err().unwrap();
        assert_eq!(matches!(failure, Failure::Permanent { .. }), permanent, "{failure}");
    }
}

/// A receiver that takes nothing.
fn nothing() -> Value {
    let mut nothing = organisation("POST");
    nothing["serviceRecords"] = json!([]);
    nothing
}

#[tokio::test]
async fn an_old_answer_ends_no_message_and_refuses_none() {
    let mut stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = house(&stand_in, false, |_| {}).await;
    let (_, created) = answer(house.create(&at_level_three())).await;
    // Somebody asks in between, and the registry goes away with that as its last word.
    stand_in.says(Says::Good(organisation("OTHER")));
    assert_eq!(
        exception(&answer(house.create(&at_level_three())).await.1),
        "ServiceNotEnabledException"
    );
    stand_in.kill();
    let failure = sent(&house, &message_id(&created)).await.err().unwrap();
    assert!(matches!(failure, Failure::Temporary { .. }), "{failure}");
    assert!(failure.to_string().contains("could last be asked"), "{failure}");

    let mut other = at_level_three();
    other["standardBusinessDocumentHeader"]["documentIdentification"]["standard"] =
        json!("urn:no:difi:other:xsd::arkivmelding");
    let (status, body) = answer(house.create(&other)).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (503, "ServiceRegistryLookupException"),
        "{body}"
    );
}

#[tokio::test]
async fn a_question_that_the_registry_does_not_accept_is_not_a_receiver_that_is_not_there() {
    let stand_in = StandIn::new(Says::Error(400, json!({ "error_code": "", "error_description": "no" })));
    let house = house(&stand_in, false, |_| {}).await;
    for path in ["/api/capabilities/910076787", "/servicerecord/910076787"] {
        let (status, body) = answer(house.get(path)).await;
        assert_eq!(
            (status.as_u16(), exception(&body)),
            (503, "ServiceRegistryLookupException"),
            "{path}: {body}"
        );
    }
    stand_in.says(Says::NotThere);
    assert_eq!(answer(house.get("/api/capabilities/910076787")).await.0, 404);
}

/// A certificate of an organisation, in force from one year to another.
fn certificate(organisation: &str, from: i32, to: i32) -> String {
    let mut parameters = CertificateParams::default();
    let organisation_identifier = rcgen::DnType::CustomDnType(vec![2, 5, 4, 97]);
    let names = &mut parameters.distinguished_name;
    names.push(organisation_identifier, format!("NTRNO-{organisation}"));
    parameters.not_before = rcgen::date_time_ymd(from, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(to, 1, 1);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

#[tokio::test]
async fn a_message_waits_for_the_next_certificate_of_its_receiver() {
    let with = |pem: String| {
        let mut registered = organisation("POST");
        registered["serviceRecords"][0]["pemCertificate"] = json!(pem);
        Says::Good(registered)
    };
    for (later, permanent) in [
        (certificate("910076787", 2020, 2021), false),
        (certificate("910076787", 2090, 2091), false),
        (certificate("974720760", 2020, 2090), true),
        ("abc".to_owned(), true),
    ] {
        let stand_in = StandIn::new(with(certificate("910076787", 2020, 2090)));
        let house = house(&stand_in, false, |_| {}).await;
        let (status, created) = answer(house.create(&at_level_three())).await;
        assert_eq!(status, 200, "{created}");
        stand_in.says(with(later));
        let failure = sent(&house, &message_id(&created)).await.err().unwrap();
        assert_eq!(matches!(failure, Failure::Permanent { .. }), permanent, "{failure}");
        assert!(failure.to_string().contains("certificate of the receiver"), "{failure}");
    }
}

#[tokio::test]
async fn a_registry_that_is_killed_under_load_fails_no_message_whose_route_is_known() {
    let mut stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = Arc::new(house(&stand_in, false, |_| {}).await);
    assert_eq!(answer(house.create(&at_level_three())).await.0, 200);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let (status, body) = answer(house.create(&at_level_three())).await;
                    assert_eq!(status, 200, "{body}");
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    stand_in.kill();
    for task in tasks {
        task.await.unwrap();
    }
    let (_, page) = answer(house.get("/api/conversations?size=1")).await;
    assert_eq!(page["totalElements"], 41);
    let (_, created) = answer(house.create(&at_level_three())).await;
    let path = format!("/api/conversations/messageId/{}", message_id(&created));
    let (_, conversation) = answer(house.get(&path)).await;
    let path = format!("/manage/conversations/{}/route", conversation["id"]);
    let (_, route) = answer(house.get(&path)).await;
    let first = route["route"]["trail"][0].as_str().unwrap();
    assert!(
        first.starts_with("The address service could not be asked; what it said at"),
        "{first}"
    );

    let mut unknown = at_level_three();
    unknown["standardBusinessDocumentHeader"]["receiver"][0]["identifier"]["value"] = json!("0192:974720760");
    let (status, body) = answer(house.create(&unknown)).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (503, "ServiceRegistryLookupException")
    );
    let (_, health) = answer(house.get("/manage/health")).await;
    assert!(
        health["components"]["registry"]["details"]["lastAnswersUsed"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(health["components"]["registry"]["status"], "UP");
}

#[tokio::test]
async fn what_the_receiver_does_not_take_is_told_apart_from_faults() {
    for (says, status, expected) in [
        (Says::NotThere, 400, "ReceiverDoesNotAcceptProcessException"),
        (
            Says::Error(400, json!({ "error_description": "Level 4" })),
            400,
            "ReceiverDoesNotAcceptProcessException",
        ),
        (Says::Error(404, json!({})), 503, "ServiceRegistryLookupException"),
        (Says::Error(401, json!({})), 503, "ServiceRegistryLookupException"),
        (Says::Error(500, json!({})), 503, "ServiceRegistryLookupException"),
        (
            Says::Unsigned(organisation("POST")),
            503,
            "ServiceRegistryLookupException",
        ),
        (Says::Hang, 503, "ServiceRegistryLookupException"),
        (Says::Good(organisation("STRANGE")), 400, "ServiceNotEnabledException"),
    ] {
        let stand_in = StandIn::new(says);
        let house = house(&stand_in, true, |_| {}).await;
        let (got, body) = answer(house.create(&at_level_three())).await;
        assert_eq!((got.as_u16(), exception(&body)), (status, expected), "{body}");
        if status == 400 && expected.starts_with("Receiver") {
            assert!(body["description"].as_str().unwrap().contains("registry"), "{body}");
        }
        let (_, page) = answer(house.get("/api/conversations")).await;
        assert_eq!(page["totalElements"], 0, "nothing is stored");
    }
}

fn rule(change: impl FnOnce(&mut RoutingRule)) -> Vec<RoutingRule> {
    let mut rule = RoutingRule {
        reason: "it is being moved".into(),
        ..RoutingRule::default()
    };
    change(&mut rule);
    vec![rule]
}

#[tokio::test]
async fn rules_of_the_operator_decide_and_the_decision_is_kept() {
    let mut both = organisation("OTHER");
    let post = organisation("POST")["serviceRecords"][0].clone();
    both["serviceRecords"].as_array_mut().unwrap().push(post);
    let stand_in = StandIn::new(Says::Good(both));
    let rules = rule(|rule| rule.forbid = Some("OTHER".into()));
    let house = house(&stand_in, true, |node| {
        node.routing = Rules::new(rules, [("mail".to_owned(), vec!["POST".to_owned()])]);
    })
    .await;
    let (status, created) = answer(house.create(&at_level_three())).await;
    assert_eq!(status, 200, "{created}");
    let id = message_id(&created);
    let (_, conversation) = answer(house.get(&format!("/api/conversations/messageId/{id}"))).await;
    assert_eq!(conversation["serviceIdentifier"], "POST");
    let path = format!("/manage/conversations/{}/route", conversation["id"]);
    let (status, body) = answer(house.get(&path)).await;
    assert_eq!(status, 200);
    assert_eq!(body["messageId"], id);
    let route = &body["route"];
    assert_eq!(
        (&route["serviceIdentifier"], &route["adapter"]),
        (&json!("POST"), &json!("mail"))
    );
    assert_eq!(
        route["trail"],
        json!([
            "The address service was asked.",
            format!("The registry offers 2 ways (OTHER, POST) in the process {PROCESS}."),
            "Rule 1 forbids OTHER; left: POST. Its reason: it is being moved",
            "POST is chosen, by the adapter mail.",
        ])
    );
    let (status, body) = answer(house.get("/manage/conversations/999/route")).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (404, "ConversationNotFoundException")
    );
    let draft = house.draft(sbd("arkivmelding", &json!({}))).await;
    let (_, conversation) = answer(house.get(&format!("/api/conversations/messageId/{draft}"))).await;
    let (_, body) = answer(house.get(&format!("/manage/conversations/{}/route", conversation["id"]))).await;
    assert!(body.get("route").is_none());
}

#[tokio::test]
async fn a_message_whose_every_way_is_forbidden_is_refused_with_the_reason() {
    let stand_in = StandIn::new(Says::Good(organisation("POST")));
    let rules = rule(|rule| rule.forbid = Some("POST".into()));
    let house = house(&stand_in, true, |node| node.routing = Rules::new(rules, [])).await;
    let (status, body) = answer(house.create(&at_level_three())).await;
    assert_eq!((status.as_u16(), exception(&body)), (400, "ServiceNotEnabledException"));
    assert!(
        body["description"].as_str().unwrap().contains("it is being moved"),
        "{body}"
    );
}

#[tokio::test]
async fn a_message_is_not_created_for_a_certificate_that_is_none_or_somebody_elses() {
    let other = certificate("974720760", 2020, 2090);
    for (pem, words) in [
        ("abc", "cannot be read"),
        (other.as_str(), "belongs to 974720760, not to 910076787"),
    ] {
        let mut registered = organisation("POST");
        registered["serviceRecords"][0]["pemCertificate"] = json!(pem);
        let stand_in = StandIn::new(Says::Good(registered));
        let house = house(&stand_in, true, |_| {}).await;
        let (status, body) = answer(house.create(&at_level_three())).await;
        assert_eq!(
            (status.as_u16(), exception(&body)),
            (400, "InvalidCertificateException")
        );
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
    let mut registered = organisation("POST");
    registered["serviceRecords"][0]["pemCertificate"] = json!(other);
    let stand_in = StandIn::new(Says::Good(registered));
    let settings = config::Certificates {
        suppliers: vec!["974720760".into()],
        ..config::Certificates::default()
    };
    let house = house(&stand_in, true, |node| {
        node.certificates = Checks::new(&settings).unwrap();
    })
    .await;
    assert_eq!(answer(house.create(&at_level_three())).await.0, 200);
}
