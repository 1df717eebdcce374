use super::*;

const OWN: &str = "991825827";

fn iso(value: &str) -> Identifier {
    Identifier::parse("iso6523-actorid-upis", value).unwrap()
}

fn refused(value: &str) -> bool {
    Identifier::parse("iso6523-actorid-upis", value).is_err()
}

fn sent_by_own(value: &str) -> Iso6523 {
    let Identifier::Iso6523(id) = iso(value) else {
        panic!("{value} is no organisation")
    };
    id.on_behalf_of(&OWN.parse().unwrap())
}

#[test]
fn nine_digits_alone_are_a_norwegian_organisation() {
    assert_eq!(iso("991825827").as_str(), "0192:991825827");
    assert_eq!(iso("991825827").primary(), "991825827");
}

#[test]
fn organisation_part_and_source_round_trip_unchanged() {
    let Identifier::Iso6523(id) = iso("0192:991825827:974720760:1") else {
        panic!()
    };
    assert_eq!(
        (id.icd(), id.org(), id.part(), id.source()),
        ("0192", "991825827", Some("974720760"), Some('1'))
    );
    assert_eq!(id.as_str(), "0192:991825827:974720760:1");
    assert_eq!(id.to_string(), "0192:991825827:974720760:1");
}

#[test]
fn a_part_may_hold_slashes_and_norwegian_letters() {
    let id = iso("0192:987654321:MP//Vergemålsetaten:1");
    assert_eq!(id.as_str(), "0192:987654321:MP//Vergemålsetaten:1");
    assert_eq!(id.sender_part(), "MP//Vergemålsetaten");
}

#[test]
fn wrong_organisations_are_refused() {
    for value in [
        "0192 :991825827",
        "1234:991825827",
        "9908:991825827",
        "0192:991825827:0:0",
        "",
        ":",
        "0192:",
        "0192:991825827:",
        "0192:a:b:12",
        "0192:a:b:x",
        "0192:a:b c",
        "0192:a:b:1:2",
        "99182582",
        "0192:\u{7}",
        "9911:1",
        "9959:1",
    ] {
        assert!(refused(value), "{value}");
    }
    assert!(refused(&format!("0192:{}", "1".repeat(36))));
    assert!(!refused(&format!("0192:{}", "1".repeat(35))));
    assert!(!refused("9912:1") && !refused("9958:1"));
}

#[test]
fn built_from_components_the_rule_is_stricter() {
    assert_eq!(
        Iso6523::from_components("0192", OWN, Some("a b"), Some('1'))
            .unwrap()
            .as_str(),
        "0192:991825827:a b:1"
    );
    assert!(Iso6523::from_components("0192", "12", None, None).is_err());
    assert!(Iso6523::from_components("0192", OWN, Some(" ab "), None).is_err());
    assert!(Iso6523::from_components("0192", OWN, None, Some('1')).is_err());
    assert!(Iso6523::from_components("9908", OWN, None, None).is_err());
}

#[test]
fn the_owner_of_the_installation_sends_as_itself() {
    assert_eq!(sent_by_own("0192:991825827").as_str(), "0192:991825827");
    assert_eq!(
        sent_by_own("0192:991825827:910076787").as_str(),
        "0192:991825827:910076787"
    );
}

#[test]
fn another_organisation_is_sent_for_on_its_behalf() {
    let sender = sent_by_own("0192:974720760");
    assert_eq!(sender.as_str(), "0192:991825827:974720760");
    assert_eq!(sender.without_owner().as_str(), "0192:974720760");
    assert_eq!(Identifier::Iso6523(sender).sender_part(), "974720760");
}

#[test]
fn persons_are_known_by_their_control_digits() {
    for number in ["17912099997", "57912075186"] {
        assert!(matches!(iso(number), Identifier::Person(_)), "{number}");
    }
    assert!(refused("17912099996"));
    assert!(refused("1791209999７"));
}

#[test]
fn a_person_number_under_an_organisation_list_is_accepted() {
    assert_eq!(iso("0192:17912099997").primary(), "17912099997");
}

#[test]
fn person_numbers_never_reach_a_log() {
    let nhn = Identifier::parse("nhn-actorid", "fastlege-for:17912099997").unwrap();
    for id in [
        iso("17912099997"),
        iso("0192:17912099997"),
        iso("0192:991825827:17912099997"),
        nhn,
    ] {
        assert!(!format!("{id} {id:?}").contains("17912099997"), "{id}");
        assert!(id.as_str().contains("17912099997"));
    }
}

#[test]
fn a_uuid_in_full_is_a_fiks_io_account() {
    assert!(matches!(
        iso("5D9A7C1E-3b60-4a55-8f0e-6a1f7d2b9c10"),
        Identifier::FiksIo(_)
    ));
    assert!(refused("1-2-3-4-5"));
    assert!("1-2-3-4-5".parse::<MessageId>().is_err());
    assert_eq!(
        "5D9A7C1E-3b60-4a55-8f0e-6a1f7d2b9c10"
            .parse::<MessageId>()
            .unwrap()
            .as_str(),
        "5D9A7C1E-3b60-4a55-8f0e-6a1f7d2b9c10"
    );
}

#[test]
fn a_her_id_is_a_positive_number() {
    let Identifier::Nhn(id) = Identifier::parse("nhn-actorid", "her-id:1234567").unwrap() else {
        panic!()
    };
    assert_eq!((id.her_id(), id.patient()), (Some(1_234_567), None));
    for value in [
        "her-id:0",
        "her-id:-1",
        "her-id:+1",
        "her-id:",
        "her-id:123456789012",
        "fastlege-for:17912099996",
        "ABC",
    ] {
        assert!(Identifier::parse("nhn-actorid", value).is_err(), "{value}");
    }
}

#[test]
fn the_authority_must_fit_the_value() {
    let qualified = "iso6523-actorid-upis::0192:991825827";
    assert_eq!(Identifier::parse_qualified(qualified).unwrap().qualified(), qualified);
    assert_eq!(
        Identifier::parse_qualified("nhn-actorid::her-id:123")
            .unwrap()
            .authority(),
        Authority::NhnActorid
    );
    assert!(Identifier::parse_qualified("iso6523-actorid-upis::her-id:1234567").is_err());
    assert!(Identifier::parse_qualified("nhn-actorid::0192:991825827").is_err());
    assert!(Identifier::parse_qualified("0192:991825827").is_err());
    assert_eq!(
        Identifier::parse("foo", "0192:991825827"),
        Err(IdentifierError::UnknownAuthority)
    );
}

#[test]
fn without_an_authority_every_kind_is_tried() {
    assert!(matches!(Identifier::parse_any("991825827"), Ok(Identifier::Iso6523(_))));
    assert!(matches!(
        Identifier::parse_any("17912099997"),
        Ok(Identifier::Person(_))
    ));
    assert!(matches!(
        Identifier::parse_any("5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c10"),
        Ok(Identifier::FiksIo(_))
    ));
    assert!(matches!(
        Identifier::parse_any("her-id:1234567"),
        Ok(Identifier::Nhn(_))
    ));
    assert_eq!(Identifier::parse_any("foo"), Err(IdentifierError::Unrecognised));
}

#[test]
fn the_url_form_is_form_encoded() {
    assert_eq!(iso("0192:991825827").url_form(), "0192%3A991825827");
    assert_eq!(iso("0192:a b").url_form(), "0192%3Aa+b");
    assert_eq!(
        iso("0192:991825827:MP//å").url_form(),
        "0192%3A991825827%3AMP%2F%2F%C3%A5"
    );
}

#[test]
fn a_document_type_fits_by_its_last_part() {
    let standard: DocumentType = "urn:no:difi:arkivmelding:xsd::arkivmelding".parse().unwrap();
    assert!(standard.fits("arkivmelding"));
    assert!(!standard.fits("avtalt"));
    assert_eq!("urn:uten:type".parse::<DocumentType>().unwrap().type_name(), None);
}

#[test]
fn a_service_is_any_short_plain_name() {
    assert!("POST".parse::<ServiceId>().is_ok());
    assert!("ACME_X-1".parse::<ServiceId>().is_ok());
    assert!("D PO".parse::<ServiceId>().is_err());
    assert!("".parse::<ServiceId>().is_err());
}

#[test]
fn an_organisation_that_no_manifest_can_hold_is_refused() {
    for value in ["0192:a\u{ffff}", "0192:991825827:b\u{fffe}", "0192:a\nb"] {
        assert!(Identifier::parse_any(value).is_err(), "{value:?}");
    }
}
