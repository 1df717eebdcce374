//! The SBD: JSON of any client or peer.

use std::time::Duration;

use budstikke_message::document_type::MessageTypes;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::sbd::Sbd;

use super::identity::MOMENT;

/// Most broken rules that are told of.
const VIOLATIONS: usize = 100;
const DAY: Duration = Duration::from_hours(24);

pub(super) fn check(input: &[u8]) {
    let types = MessageTypes::standard();
    let Ok(mut sbd) = Sbd::parse(input, &types).inspect_err(|error| assert!(error.to_string().len() < 1000)) else {
        return;
    };
    reads_back(&sbd, &types);
    let header = sbd.validate(*MOMENT);
    let body = sbd.validate_body();
    assert!(header.len() <= VIOLATIONS && body.len() <= VIOLATIONS);
    assert!(!format!("{sbd:?}").contains("sikkerhetsnivaa"));

    let own: OrganisationNumber = "991825827".parse().unwrap();
    if sbd.fill_defaults(&own, *MOMENT, DAY, None).is_err() {
        return;
    }
    reads_back(&sbd, &types);
    if header.is_empty() {
        assert_eq!(sbd.validate(*MOMENT), [], "defaults broke a rule");
        let envelope = sbd.envelope().expect("a message without fault has an envelope");
        assert_eq!(Some(envelope.message_id), sbd.message_id());
    }
    let filled = sbd.clone();
    sbd.fill_defaults(&own, *MOMENT, DAY, None).unwrap();
    assert!(sbd == filled, "defaults were filled in twice");
}

fn reads_back(sbd: &Sbd, types: &MessageTypes) {
    let json = sbd.to_json().unwrap();
    let again = Sbd::parse(&json, types).expect("what is written can be read");
    assert!(again == *sbd, "{}", String::from_utf8_lossy(&json));
    assert_eq!(again.to_json().unwrap(), json);
}
