//! Each action, each condition, and what stays of a decision.

use jiff::Timestamp;

use super::*;
use crate::registry::Source;

const PROCESS: &str = "urn:p:saksbehandling";
const STANDARD: &str = "urn:x::brev";

fn way(service: &str) -> Capability {
    Capability {
        process: PROCESS.into(),
        service: service.into(),
        document_types: vec![STANDARD.into()],
        ..Capability::default()
    }
}

fn rules(rows: &str) -> Rules {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        routing: Vec<RoutingRule>,
    }
    let rows = toml::from_str::<File>(rows).unwrap().routing;
    let adapters = [("fast", "ONE"), ("slow", "TWO")].map(|(name, service)| (name.into(), vec![service.into()]));
    Rules::new(rows, adapters)
}

fn request() -> Request<'static> {
    Request {
        process: PROCESS,
        receiver: Some("910076787"),
        document_type: Some(STANDARD),
    }
}

fn decided(rows: &str) -> (Option<String>, Vec<String>) {
    let decision = decide(&[way("ONE"), way("TWO"), way("THREE")], &rules(rows), &request());
    (decision.capability.map(|way| way.service), decision.trail)
}

fn chosen(rows: &str) -> Option<String> {
    decided(rows).0
}

#[test]
fn without_rules_the_registry_has_its_way() {
    let decision = decide(&[way("ONE"), way("TWO")], &rules(""), &request());
    assert_eq!(decision.adapter.as_deref(), Some("fast"));
    assert_eq!(
        decision.trail,
        [
            "The registry offers 2 ways (ONE, TWO) in the process urn:p:saksbehandling.",
            "ONE is chosen, by the adapter fast."
        ]
    );
}

#[test]
fn a_way_must_take_the_document_type() {
    let mut first = way("ONE");
    first.document_types = vec!["urn:x::other".into()];
    let decision = decide(&[first, way("TWO")], &rules(""), &request());
    assert_eq!(decision.capability.unwrap().service, "TWO");
    assert_eq!(decision.trail[1], "1 of them take the document type urn:x::brev: TWO.");
}

#[test]
fn a_service_is_preferred_where_the_receiver_takes_it() {
    let (service, trail) = decided("[[routing]]\nprefer = \"TWO\"\nreason = \"cheaper\"");
    assert_eq!(service.as_deref(), Some("TWO"));
    assert_eq!(trail[1], "Rule 1 prefers TWO. Its reason: cheaper");
    let (service, trail) = decided("[[routing]]\nprefer = \"FOUR\"\nreason = \"r\"");
    assert_eq!(service.as_deref(), Some("ONE"));
    assert!(trail[1].contains("which the receiver does not take"), "{trail:?}");
}

#[test]
fn a_forbidden_service_is_never_used() {
    let forbid = |service: &str| format!("[[routing]]\nforbid = \"{service}\"\nreason = \"r\"\n");
    assert_eq!(chosen(&forbid("ONE")).as_deref(), Some("TWO"));
    let (service, trail) = decided(&(forbid("ONE") + &forbid("TWO") + &forbid("THREE")));
    assert_eq!(service, None);
    assert_eq!(trail[3], "Rule 3 forbids THREE; left: none. Its reason: r");
    assert_eq!(trail[4], "There is no way left.");
}

#[test]
fn a_pinned_adapter_is_the_only_one() {
    let pin = "[[routing]]\npin = \"slow\"\nreason = \"r\"\n";
    assert_eq!(chosen(pin).as_deref(), Some("TWO"));
    let decision = decide(&[way("ONE")], &rules(pin), &request());
    assert!(decision.capability.is_none());
}

#[test]
fn a_version_is_pinned_for_the_messages_of_its_rule() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let rules = rules(&format!(
        "[[routing]]\nprocess = \"urn:p:*\"\npin = \"slow\"\npin-digest = \"{digest}\"\nreason = \"r\"\n"
    ));
    assert_eq!(rules.pinned_version(&request(), "TWO"), Some(digest.as_str()));
    assert_eq!(rules.pinned_version(&request(), "ONE"), None);
    let elsewhere = Request {
        process: "urn:q",
        ..request()
    };
    assert_eq!(rules.pinned_version(&elsewhere, "TWO"), None);
    let decision = decide(&[way("TWO")], &rules, &request());
    assert!(decision.trail.last().unwrap().contains(&digest));
}

#[test]
fn rules_hold_for_what_their_conditions_say_first_to_last() {
    for (condition, holds) in [
        ("process = \"urn:p:saksbehandling\"", true),
        ("process = \"urn:p:*\"", true),
        ("process = \"urn:p:sak\"", false),
        ("receiver = \"910076787\"", true),
        ("receiver = \"974720760\"", false),
        ("document-type = \"*\"", true),
        ("document-type = \"urn:y*\"", false),
        ("service = \"ONE\"", true),
        ("service = \"TWO\"", false),
        ("process = \"urn:p:*\"\nreceiver = \"9\"", false),
    ] {
        let rule = format!("[[routing]]\n{condition}\nprefer = \"THREE\"\nreason = \"r\"");
        assert_eq!(chosen(&rule).as_deref() == Some("THREE"), holds, "{condition}");
    }
    // What the first rule chose is what the second one is asked about.
    let rows = "[[routing]]\nprefer = \"TWO\"\nreason = \"r\"\n[[routing]]\nservice = \"TWO\"\nprefer = \"THREE\"\nreason = \"r\"\n";
    assert_eq!(chosen(rows).as_deref(), Some("THREE"));
}

#[test]
fn a_condition_on_the_receiver_holds_for_nobody_when_there_is_none() {
    let rules = rules("[[routing]]\nreceiver = \"*\"\nforbid = \"ONE\"\nreason = \"r\"");
    let without = Request {
        receiver: None,
        ..request()
    };
    assert!(decide(&[way("ONE")], &rules, &without).capability.is_some());
}

#[test]
fn each_source_is_told_in_its_own_words() {
    for (source, words) in [
        (Source::OwnList, "The receiver stands in the list"),
        (Source::WithoutReceiver, "The message names no receiver"),
        (Source::AddressService, "The address service was asked"),
        (Source::LastAnswer(0), "The address service could not be asked"),
    ] {
        assert!(told(source).starts_with(words), "{source:?}: {}", told(source));
    }
}

#[test]
fn what_is_kept_names_nobody_and_is_never_too_large() {
    let rule = format!(
        "[[routing]]\nreceiver = \"05839012391\"\nprefer = \"TWO\"\nreason = \"{}\"\n",
        "æ".repeat(100)
    );
    let request = Request {
        receiver: Some("05839012391"),
        ..request()
    };
    let decision = decide(&[way("ONE"), way("TWO")], &rules(&rule.repeat(40)), &request);
    let kept = Kept::of(&decision, Source::LastAnswer(0), Timestamp::UNIX_EPOCH).unwrap();
    let json = kept.to_json().unwrap();
    assert!(json.len() <= budstikke_store::ROUTE_BYTES && json.len() > 3500);
    assert!(!json.contains("05839012391"));
    let read: Kept = serde_json::from_str(&json).unwrap();
    assert_eq!(read.service_identifier, "TWO");
    assert_eq!(
        read.trail.first().unwrap(),
        "The address service could not be asked; what it said at 1970-01-01T00:00:00Z was used."
    );
    assert_eq!(read.trail.last().unwrap(), "TWO is chosen, by the adapter slow.");
    assert!(
        Kept::of(
            &decide(&[], &rules(""), &request),
            Source::OwnList,
            Timestamp::UNIX_EPOCH
        )
        .is_none()
    );
}
