use serde_json::{Value, json};

use super::*;
use crate::testing::referee::invalid;
use crate::testing::{Fake, receiving};

pub(crate) const F: &str = "ffffffff-ffff-4fff-8fff-ffffffffffff";

/// The forsendelse of the eleventh test vector, changed.
fn v11(change: impl FnOnce(&mut Value)) -> Waiting {
    let mut forsendelse = crate::receive::tests::v11(F);
    change(&mut forsendelse);
    serde_json::from_value(forsendelse).unwrap()
}

fn made(waiting: &Waiting) -> Result<Message, String> {
    let host = Fake::default();
    // 2026-03-25T12:30:00+01:00
    host.now.set(1_774_438_200);
    message(&host, &receiving("").inn.unwrap(), 24, waiting)
}

/// Every one that is made is what the schema wants.
fn xml(change: impl FnOnce(&mut Value)) -> String {
    let xml = made(&v11(change)).unwrap().arkivmelding;
    assert_eq!(invalid("arkivmelding.xsd", &xml), None);
    xml
}

#[test]
fn v11_the_sbd_of_a_forsendelse() {
    let message = made(&v11(|_| {})).unwrap();
    let sbd: Value = serde_json::from_slice(&message.sbd).unwrap();
    let party = |value: &str| json!([{ "identifier": { "value": value, "authority": "iso6523-actorid-upis" } }]);
    assert_eq!(
        sbd,
        json!({
            "standardBusinessDocumentHeader": {
                "headerVersion": "1.0", "sender": party("0192:974720760"), "receiver": party("0192:991825827"),
                "documentIdentification": {
                    "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding", "typeVersion": "2.0",
                    "instanceIdentifier": F, "type": "arkivmelding",
                    "creationDateAndTime": "2026-03-25T12:29:55+01:00",
                },
                "businessScope": { "scope": [{
                    "type": "ConversationId", "instanceIdentifier": F,
                    "identifier": "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
                    "scopeInformation": [{ "expectedResponseDateTime": "2026-03-26T12:30:00+01:00" }],
                }]},
            },
            "arkivmelding": {},
        })
    );
}

#[test]
fn the_referee_is_awake() {
    let swapped = xml(|_| {}).replace(
        "<saksaar>2016</saksaar><sakssekvensnummer>1</sakssekvensnummer>",
        "<saksaar>a</saksaar>",
    );
    assert!(invalid("arkivmelding.xsd", &swapped).unwrap().contains("saksaar"));
}

#[test]
fn v11_the_arkivmelding_of_a_forsendelse() {
    let id = |number: u32| format!("5d2a6c1e-6f0b-4a57-9c43-{number:012}");
    let document = |number, name: &str| {
        format!(
            "<dokumentbeskrivelse><systemID>{}</systemID><tittel>{name}</tittel><dokumentobjekt>\
             <referanseDokumentfil>{name}</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>",
            id(number)
        )
    };
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <arkivmelding xmlns=\"http://www.arkivverket.no/standarder/noark5/arkivmelding\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><system>Integrasjonspunkt</system>\
         <meldingId>{F}</meldingId><tidspunkt>2016-03-21T00:00:00+01:00</tidspunkt><antallFiler>0</antallFiler>\
         <mappe xsi:type=\"saksmappe\"><systemID>{}</systemID><basisregistrering xsi:type=\"journalpost\">\
         <systemID>{}</systemID>{}{}<tittel>Et brev</tittel><offentligTittel>Brev</offentligTittel>\
         <journalaar>2016</journalaar><journalsekvensnummer>25</journalsekvensnummer>\
         <journalpostnummer>13</journalpostnummer><journalposttype>Utgående dokument</journalposttype>\
         <journalstatus>Godkjent av leder</journalstatus><journaldato>2016-03-21+01:00</journaldato>\
         <dokumentetsDato>2016-03-21+01:00</dokumentetsDato><korrespondansepart>\
         <korrespondanseparttype>Avsender</korrespondanseparttype>\
         <korrespondansepartNavn>VARDØ KOMMUNE</korrespondansepartNavn><postadresse>Pb 253</postadresse>\
         <postnummer>9951</postnummer><poststed>VARDØ</poststed><land></land></korrespondansepart>\
         </basisregistrering><saksaar>2016</saksaar><sakssekvensnummer>1</sakssekvensnummer></mappe></arkivmelding>",
        id(3),
        id(4),
        document(1, "primary.html"),
        document(2, "before_the_law.txt"),
    );
    assert_eq!(xml(|_| {}), expected);
}

#[test]
fn v12_a_sender_who_is_not_named_is_the_fallback() {
    for number in [json!(""), Value::Null, json!("12"), json!("05839012391")] {
        let message = made(&v11(|forsendelse| forsendelse["svarSendesTil"]["orgnr"] = number)).unwrap();
        assert_eq!(message.sender, "0192:999999999");
    }
    let message = made(&v11(|forsendelse| forsendelse["svarSendesTil"] = Value::Null)).unwrap();
    assert_eq!(message.sender, "0192:999999999");
}

#[test]
fn v12_a_citizen_is_named_in_the_title() {
    let xml = xml(|forsendelse| {
        forsendelse["svarSendesTil"]["orgnr"] = json!("");
        forsendelse["svarSendesTil"]["fnr"] = json!("05839012391");
    });
    assert!(xml.contains("<tittel>Et brev (eDialog fra 05839012391)</tittel><offentligTittel>Brev</offentligTittel>"));
}

#[test]
fn v12_numbers_and_dates_that_are_missing_have_their_defaults() {
    let xml = xml(|forsendelse| {
        let metadata = &mut forsendelse["metadataFraAvleverendeSystem"];
        for name in [
            "journalaar",
            "journalsekvensnummer",
            "journalpostnummer",
            "journaldato",
            "dokumentetsDato",
            "saksaar",
        ] {
            metadata[name] = Value::Null;
        }
        metadata["tittel"] = json!("");
        metadata["journalposttype"] = json!("?");
    });
    for part in [
        "<tidspunkt>2026-03-25T12:30:00+01:00</tidspunkt>",
        "<tittel>Brev</tittel>",
        "<journalaar>2026</journalaar><journalsekvensnummer>0</journalsekvensnummer><journalpostnummer>0</journalpostnummer>",
        "<journalposttype>Inngående dokument</journalposttype>",
        "<journaldato>2026-03-25+01:00</journaldato><korrespondansepart>",
        "</basisregistrering><sakssekvensnummer>1</sakssekvensnummer>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn v12_metadata_becomes_elements_and_a_key_that_is_none_is_an_error() {
    let with = |pair: Value| {
        let waiting = v11(|forsendelse| {
            forsendelse["metadataFraAvleverendeSystem"]["ekstraMetadata"] = json!([pair]);
        });
        made(&waiting).map(|message| message.arkivmelding)
    };
    let good = with(json!({ "key": "a", "value": "1" })).unwrap();
    assert_eq!(invalid("arkivmelding.xsd", &good), None);
    assert!(good.contains("<virksomhetsspesifikkeMetadata><a xmlns=\"\">1</a></virksomhetsspesifikkeMetadata>"));
    let text = "Unable to build XML for virksomhetsspesifikkeMetadata, cant create key from ekstraMetadata value: ";
    assert_eq!(
        with(json!({ "key": "@va", "value": "1" })).unwrap_err(),
        format!("{text}@va")
    );
    assert_eq!(with(json!({ "value": "1" })).unwrap_err(), format!("{text}null"));
}

#[test]
fn v12_what_is_answered_is_a_reference() {
    let message = made(&v11(|forsendelse| forsendelse["svarPaForsendelse"] = json!("ref"))).unwrap();
    let sbd: Value = serde_json::from_slice(&message.sbd).unwrap();
    assert_eq!(
        sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][1],
        json!({ "type": "ReceiverRef", "instanceIdentifier": "ref" })
    );
}

#[test]
fn e23_a_forsendelse_without_addresses_and_metadata_is_a_message() {
    let bare = xml(|forsendelse| {
        forsendelse["svarSendesTil"] = Value::Null;
        forsendelse["metadataFraAvleverendeSystem"] = Value::Null;
    });
    assert!(!bare.contains("<korrespondansepart>") && bare.contains("<tittel>Brev</tittel>"));
    let by_sender = xml(|forsendelse| {
        forsendelse["svarSendesTil"] = Value::Null;
        forsendelse["avsender"] = json!({
            "navn": "Ola", "adresselinje1": "Gate 1", "adresselinje2": "c/o Kari", "adresselinje3": " ", "postnr": "0101",
            "poststed": "OSLO",
        });
    });
    assert!(by_sender.contains(
        "<korrespondansepartNavn>Ola</korrespondansepartNavn><postadresse>Gate 1</postadresse>\
         <postadresse>c/o Kari</postadresse><postnummer>0101</postnummer><poststed>OSLO</poststed></korrespondansepart>"
    ));
}

#[test]
fn e34_years_before_the_first_and_a_missing_receiver() {
    let old = xml(|forsendelse| {
        forsendelse["metadataFraAvleverendeSystem"]["journaldato"] = json!(-100_000_000_000_000_i64);
    });
    assert!(old.contains("<journaldato>0001-01-01+01:00</journaldato>"));
    let error = made(&v11(|forsendelse| forsendelse["mottaker"]["orgnr"] = json!("")))
        .err()
        .unwrap();
    assert!(error.contains("mottaker"));
}

#[test]
fn e25_files_of_the_same_name_are_told_apart_in_the_arkivmelding_too() {
    let xml = xml(|forsendelse| {
        let file = json!({ "filnavn": "../a.pdf", "mimetype": "application/pdf", "sha256hash": "" });
        forsendelse["filmetadata"] = json!([file, file]);
    });
    assert!(xml.contains("<referanseDokumentfil>a.pdf<") && xml.contains("<referanseDokumentfil>a (2).pdf<"));
}
