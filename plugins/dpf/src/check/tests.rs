use budstikke_sdk::http::Reach;

use super::*;
use crate::testing::{Fake, Letter, file, letter_xml, rest, soap, typed};

const TYPES: &str = "GET /api/v2/forsendelsestyper";
const SOAP_TYPES: &str = "retreiveForsendelseTyper";

fn knows_type_1() -> Fake {
    let host = Fake::default();
    host.on(TYPES, 200, r#"{"forsendelsestyper":["type-1"]}"#);
    host
}

fn refusal(result: Result<(), Failure>) -> (String, String) {
    let failure = result.expect_err("it was accepted");
    (failure.code().unwrap().to_owned(), failure.detail().to_owned())
}

fn with_type(kind: &str) -> Letter {
    Letter {
        body: format!(r#"{{"sikkerhetsnivaa":3,"dpf":{{"forsendelseType":"{kind}"}}}}"#),
        ..Letter::v1()
    }
}

#[test]
fn v6_a_message_without_a_level_is_refused() {
    for body in ["{}", r#"{"sikkerhetsnivaa":null}"#, r#"{"sikkerhetsnivaa":"3"}"#] {
        let message = Letter {
            body: body.to_owned(),
            ..Letter::v1()
        };
        let (code, text) = refusal(check(&Fake::default(), &rest(""), &message.draft(false)));
        assert_eq!(code, "sikkerhetsnivaa");
        assert!(text.contains("sikkerhetsnivaa"));
    }
}

#[test]
fn v6_a_type_that_svarut_does_not_have_is_refused_with_those_that_it_has() {
    let (code, text) = refusal(check(&knows_type_1(), &rest(""), &with_type("nope").draft(false)));
    assert_eq!(code, "ForsendelseTypeNotFoundException");
    assert!(text.contains("'nope'") && text.contains("type-1"), "{text}");
    assert!(check(&knows_type_1(), &rest(""), &with_type("type-1").draft(false)).is_ok());
    let none = Fake::default();
    none.on(TYPES, 200, r#"{"forsendelsestyper":[]}"#);
    assert_eq!(
        refusal(check(&none, &rest(""), &with_type("type-1").draft(false))).0,
        "ForsendelseTypeNotFoundException"
    );
}

#[test]
fn v6_the_types_come_over_soap_too() {
    let host = Fake::default();
    let answer = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><n:r xmlns:n=\"n\"><return>type-1</return>\
                  </n:r></s:Body></s:Envelope>";
    host.on(SOAP_TYPES, 200, answer);
    assert!(check(&host, &soap(""), &with_type("type-1").draft(false)).is_ok());
    assert_eq!(
        refusal(check(&host, &soap(""), &with_type("nope").draft(false))).0,
        "ForsendelseTypeNotFoundException"
    );
    let posted = host.posted().remove(0);
    assert_eq!(posted.content_type, "application/soap+xml; charset=UTF-8");
    assert!(
        posted
            .body
            .contains("<s9:retreiveForsendelseTyper xmlns:s9=\"http://www.ks.no/svarut/servicesV9\"")
    );
    assert_eq!(host.calls(), [SOAP_TYPES], "they are kept");
}

#[test]
fn the_types_of_each_sender_are_asked_for_once() {
    let host = knows_type_1();
    for _ in 0..3 {
        check(&host, &rest(""), &with_type("type-1").draft(false)).unwrap();
    }
    assert_eq!(host.calls(), [TYPES]);
    assert!(host.state.borrow().contains_key("types/991825827"));
    check(&Fake::default(), &rest(""), &with_type(" ").draft(false)).unwrap();
}

#[test]
fn a_type_that_cannot_be_looked_up_is_accepted() {
    for status in [401, 403, 500] {
        let host = Fake::default();
        host.on(TYPES, status, "").on(TYPES, status, "");
        assert!(
            check(&host, &rest(""), &with_type("nope").draft(false)).is_ok(),
            "{status}"
        );
        assert_eq!(host.warnings().len(), 1);
        assert!(host.state.borrow().is_empty());
    }
    let host = Fake::default();
    host.loses(TYPES, Reach::Unknown);
    assert!(check(&host, &rest(""), &with_type("nope").draft(false)).is_ok());
}

#[test]
fn v6_a_sender_without_an_account_is_refused() {
    let message = Letter {
        sender: "0192:991825827:987464291".to_owned(),
        ..Letter::v1()
    };
    for settings in [rest(""), soap("")] {
        let (code, text) = refusal(check(&Fake::default(), &settings, &message.draft(false)));
        assert_eq!(code, "MissingSvarUtCredentialsException");
        assert_eq!(text, "SvarUt credentials not configured for orgnr 987464291");
    }
}

#[test]
fn v6_every_file_that_is_referred_to_must_be_there() {
    let xml = |name: &str| {
        letter_xml(&format!(
            "<dokumentbeskrivelse><dokumentobjekt><referanseDokumentfil>{name}</referanseDokumentfil></dokumentobjekt>\
             </dokumentbeskrivelse><tittel>Brev</tittel>"
        ))
    };
    let check_files = |files: Vec<crate::testing::File>| {
        let message = Letter { files, ..with_type("") };
        check(&Fake::default(), &rest(""), &message.draft(true))
    };
    let pdf = |name: &str, content: &str| typed(name, "application/pdf", content);
    let arkivmelding = |name: &str| file("arkivmelding.xml", &xml(name));
    assert!(check_files(vec![arkivmelding("a.pdf"), pdf("a.pdf", "x")]).is_ok());
    assert_eq!(
        refusal(check_files(vec![arkivmelding("b.pdf"), pdf("a.pdf", "x")])).0,
        "missing-file"
    );
    assert_eq!(refusal(check_files(vec![pdf("a.pdf", "x")])).0, "arkivmelding");
    assert_eq!(
        refusal(check_files(vec![file(
            "arkivmelding.xml",
            &letter_xml("<tittel>t</tittel>")
        )]))
        .0,
        "no-documents"
    );
    assert_eq!(
        refusal(check_files(vec![arkivmelding("a.pdf"), pdf("a.pdf", "")])).0,
        "empty-document"
    );
}

#[test]
fn the_limits_of_svarut_are_told_before_the_message_is_accepted() {
    let document = |name: &str| {
        format!(
            "<dokumentbeskrivelse><dokumentobjekt><referanseDokumentfil>{name}</referanseDokumentfil></dokumentobjekt>\
             </dokumentbeskrivelse>"
        )
    };
    let checked = |name: &str, title: &str, content: &str, extra: &str| {
        let xml = letter_xml(&format!("{}<tittel>{title}</tittel>", document(name)));
        let message = Letter {
            files: vec![file("arkivmelding.xml", &xml), typed(name, "application/pdf", content)],
            ..with_type("")
        };
        check(&Fake::default(), &rest(extra), &message.draft(true))
    };
    assert!(checked(&"å".repeat(226), &"t".repeat(1000), "x", "").is_ok());
    assert_eq!(refusal(checked(&"å".repeat(227), "t", "x", "")).0, "file-name");
    for name in ["a:b.pdf", "a?.pdf", "a|b.pdf", "a*.pdf", "a\\b.pdf"] {
        assert_eq!(refusal(checked(name, "t", "x", "")).0, "file-name", "{name}");
    }
    assert_eq!(refusal(checked("a.pdf", &"t".repeat(1001), "x", "")).0, "title");
    let xml = letter_xml(&format!("{}<tittel>t</tittel>", document("a.pdf")));
    let twice = Letter {
        files: vec![
            file("arkivmelding.xml", &xml),
            typed("a.pdf", "application/pdf", "1"),
            typed("a.pdf", "application/pdf", "2"),
        ],
        ..with_type("")
    };
    let refused = refusal(check(&Fake::default(), &rest(""), &twice.draft(true)));
    assert_eq!(refused.0, "file-name");
    let large = "bytes:400000000";
    assert_eq!(refusal(checked("a.pdf", "t", large, "")).0, "too-large");
    assert!(checked("a.pdf", "t", large, r#","kun-digital-levering":true"#).is_ok());
}

#[test]
fn receipts_are_not_looked_at() {
    let receipt = Letter {
        kind: "arkivmelding_kvittering",
        sender: "0192:987464291".to_owned(),
        body: "{}".to_owned(),
        ..Letter::v1()
    };
    assert!(check(&Fake::default(), &rest(""), &receipt.draft(true)).is_ok());
}
