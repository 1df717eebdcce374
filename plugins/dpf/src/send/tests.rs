mod again;

use serde_json::json;

use super::*;
use crate::testing::{Fake, KONTO, Letter, M, X, rest, rest_for_two, soap};

const S: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const R: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

fn send_path() -> String {
    format!("POST /api/v3/kontoer/{KONTO}/forsendelser/organisasjon")
}

fn find_path() -> String {
    format!("GET /api/v2/kontoer/{KONTO}/forsendelser?eksternRef={M}")
}

fn id_answer(id: &str) -> String {
    json!({ "id": id }).to_string()
}

fn found(ids: &[&str]) -> String {
    json!({ "forsendelseIds": ids }).to_string()
}

fn soap_answer(operation: &str, returned: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><n:{operation}Response xmlns:n=\"n\">{returned}\
         </n:{operation}Response></s:Body></s:Envelope>"
    )
}

fn fault(text: &str) -> (String, String) {
    let fault = format!("<s:Fault><s:Reason><s:Text xml:lang=\"en\">{text}</s:Text></s:Reason></s:Fault>");
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>{fault}</s:Body></s:Envelope>"
    );
    (fault, envelope)
}

const SEND: &str = "sendForsendelseMedId";
const FIND: &str = "retrieveForsendelseIdByEksternRef";

fn soap_host() -> Fake {
    let host = Fake::default();
    host.on(SEND, 200, &soap_answer(SEND, &format!("<return>{M}</return>")));
    host
}

fn reports(sent: &Sent) -> Vec<&str> {
    sent.reports.iter().map(|report| report.status.as_str()).collect()
}

#[test]
fn v1_a_message_over_soap() {
    let (host, message) = (soap_host(), Letter::v1());
    let sent = send(&host, &soap(r#","ekskluderes-fra-print":[]"#), &message).unwrap();
    assert_eq!(
        host.calls(),
        ["look up 910076787", "look up 991825827", "sendForsendelseMedId"]
    );
    assert_eq!((sent.reference.as_deref(), sent.track_after), (Some(M), Some(15)));
    assert_eq!(reports(&sent), ["LEVERT"]);
    let posted = host.posted().remove(0);
    assert_eq!(posted.patience, 960);
    assert_eq!(
        posted.content_type,
        "multipart/related; type=\"application/xop+xml\"; start=\"<root>\"; start-info=\"application/soap+xml\"; \
         boundary=\"5d2a6c1e-6f0b-4a57-9c43-000000000001\""
    );
    assert_eq!(host.callers(), ["bruker:pæssord"]);
    let pairs: String = [
        ("f:forvaltningsnummer", "20050"),
        ("f:objektnavn", "Campus"),
        ("f:eiendom", "200501"),
        ("f:bygning", "2005001"),
        ("f:bestilling", "20050001"),
        ("f:rammeavtale", "K-77"),
    ]
    .map(|(key, value)| format!("<ekstraMetadata><key>{key}</key><value>{value}</value></ekstraMetadata>"))
    .concat();
    let party = |name: &str, number: &str| {
        format!(
            "<{name}><digitalAdresse xsi:type=\"s9:organisasjonDigitalAdresse\"><orgnr>{number}</orgnr></digitalAdresse>\
             <postAdresse><land>Norge</land><navn>Organisasjon {number}</navn><postnr>0192</postnr>\
             <poststed>Oslo</poststed></postAdresse></{name}>"
        )
    };
    let boundary = "--5d2a6c1e-6f0b-4a57-9c43-000000000001";
    let expected = format!(
        "{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         Content-Transfer-Encoding: 8bit\r\nContent-ID: <root>\r\n\r\n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>\
         <s9:sendForsendelseMedId xmlns:s9=\"http://www.ks.no/svarut/servicesV9\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><forsendelse><avgivendeSystem></avgivendeSystem>\
         <dokumenter><data><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:doc0\"/></data>\
         <ekskluderesFraPrint>false</ekskluderesFraPrint><filnavn>test.txt</filnavn><mimetype>text/plain</mimetype>\
         <skalSigneres>false</skalSigneres></dokumenter><eksternref>{M}</eksternref>\
         <forsendelseType>type-1</forsendelseType><krevNiva4Innlogging>false</krevNiva4Innlogging>\
         <kryptert>true</kryptert><kunDigitalLevering>false</kunDigitalLevering>\
         <metadataFraAvleverendeSystem>{pairs}<journalaar>0</journalaar>\
         <journaldato>2017-05-23T00:00:00</journaldato><journalpostnummer>0</journalpostnummer>\
         <journalposttype>U</journalposttype><journalsekvensnummer>0</journalsekvensnummer>\
         <journalstatus>J</journalstatus><saksaar>0</saksaar><sakssekvensnummer>0</sakssekvensnummer>\
         <tittel>Nye lysrør</tittel></metadataFraAvleverendeSystem>{}\
         <printkonfigurasjon><brevtype>BPOST</brevtype><fargePrint>false</fargePrint><tosidig>true</tosidig>\
         </printkonfigurasjon><signaturtype xsi:nil=\"true\"/><signeringUtloper xsi:nil=\"true\"/>\
         <svarPaForsendelseLink>false</svarPaForsendelseLink>{}<tittel>Nye lysrør</tittel></forsendelse>\
         <forsendelsesid>{M}</forsendelsesid></s9:sendForsendelseMedId></soap:Body></soap:Envelope>\r\n\
         {boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
         Content-ID: <doc0>\r\n\r\n[test.txt: Testing 1 2 3 sealed for KS by Oaep]\r\n{boundary}--\r\n",
        party("mottaker", "910076787"),
        party("svarSendesTil", "991825827"),
    );
    assert_eq!(posted.body, expected);
}

#[test]
fn v2_references_become_ids_over_soap() {
    let sent = |sender: &str, receiver: &str| {
        let host = soap_host();
        send(&host, &soap(""), &Letter::v1().with_references(sender, receiver)).unwrap();
        host.posted().remove(0).body
    };
    let body = sent(S, R);
    assert!(body.contains(&format!("<forsendelsesid>{S}</forsendelsesid>")));
    assert!(body.contains(&format!("<svarPaForsendelse>{R}</svarPaForsendelse>")));
    assert!(body.contains(&format!("<eksternref>{M}</eksternref>")));
    let body = sent("sak-12", "x");
    assert!(body.contains(&format!("<forsendelsesid>{M}</forsendelsesid>")));
    assert!(!body.contains("<svarPaForsendelse>"));
}

#[test]
fn v2_references_become_ids_over_rest() {
    let host = Fake::default();
    host.on(&send_path(), 200, &id_answer(X));
    send(&host, &rest(""), &Letter::v1().with_references(S, R)).unwrap();
    let body = forsendelse_json(&host);
    assert_eq!(
        (body["eksternReferanse"].as_str(), body["korrelasjonsid"].as_str()),
        (Some(M), Some(S))
    );
    assert_eq!(body["svarPaForsendelseId"], R);
}

/// The first part of what was posted.
fn forsendelse_json(host: &Fake) -> serde_json::Value {
    let body = host.posted().remove(0).body;
    let json = body.split("\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn v3_an_unknown_type_of_party_leads_to_the_address_service() {
    let party = |kind: &str| {
        format!(
            "<korrespondansepart><korrespondanseparttype>{kind}</korrespondanseparttype><korrespondansepartNavn>Skrevet\
             </korrespondansepartNavn><postadresse>Gate 1</postadresse><poststed>Bø</poststed></korrespondansepart>"
        )
    };
    let document = "<dokumentbeskrivelse><dokumentobjekt><referanseDokumentfil>test.txt</referanseDokumentfil></dokumentobjekt>\
                    </dokumentbeskrivelse><tittel>Brev</tittel>";
    let names = |kind: &str| {
        let host = soap_host();
        let message = Letter::with_xml(&format!("{document}{}{}", party("Avsender"), party(kind)));
        send(&host, &soap(""), &message).unwrap();
        let body = host.posted().remove(0).body;
        (
            body.matches("<navn>Skrevet</navn>").count(),
            body.contains("<poststed>Bø</poststed>"),
            host.calls(),
        )
    };
    let (written, place, calls) = names("Mottaker");
    assert_eq!((written, place), (1, true));
    assert_eq!(calls, ["look up 910076787", "sendForsendelseMedId"]);
    let (written, place, calls) = names("Tull og tøys");
    assert_eq!((written, place), (0, false));
    assert_eq!(
        calls,
        ["look up 910076787", "look up 991825827", "sendForsendelseMedId"]
    );
}

#[test]
fn v4_the_level_is_told_in_each_protocols_words() {
    for (body, four) in [
        (r#"{"sikkerhetsnivaa":null}"#, false),
        (r#"{"sikkerhetsnivaa":1}"#, false),
        (r#"{"sikkerhetsnivaa":3}"#, false),
        ("{}", false),
        (r#"{"sikkerhetsnivaa":4}"#, true),
    ] {
        let message = Letter {
            body: body.to_owned(),
            ..Letter::v1()
        };
        let host = soap_host();
        send(&host, &soap(""), &message).unwrap();
        let flag = format!("<krevNiva4Innlogging>{four}</krevNiva4Innlogging>");
        assert!(host.posted()[0].body.contains(&flag), "{body}");
        let message = Letter {
            body: body.to_owned(),
            ..Letter::v1()
        };
        let host = Fake::default();
        host.on(&send_path(), 200, &id_answer(X));
        send(&host, &rest(""), &message).unwrap();
        assert_eq!(
            forsendelse_json(&host)["sikkerhetsniva"],
            if four { "HOYESTE" } else { "BETYDELIG" }
        );
    }
}

#[test]
fn v7_a_fault_of_the_table_is_final_and_is_the_receipt() {
    let (xml, envelope) = fault("Ugyldig innhold i forsendelsen");
    let host = Fake::default();
    host.on(SEND, 500, &envelope);
    let failure = send(&host, &soap(""), &Letter::v1()).unwrap_err();
    assert_eq!((failure.code(), failure.detail()), (Some("invalid"), xml.as_str()));
    assert_eq!(host.calls().iter().filter(|call| *call == SEND).count(), 1);
}

#[test]
fn v8_a_message_over_rest() {
    let (host, message) = (Fake::default(), Letter::v1());
    host.on(&send_path(), 200, &id_answer(X));
    let sent = send(&host, &rest(r#","konteringskode":"K1""#), &message).unwrap();
    assert_eq!(host.calls(), ["look up 910076787", "look up 991825827", &send_path()]);
    assert_eq!(
        sent.reference.as_deref(),
        Some(X),
        "the id of the answer, not the message's"
    );
    assert_eq!(reports(&sent), ["LEVERT"]);
    assert_eq!(host.tokens(), ["ks ks:fiks for ourselves #1"]);
    assert_eq!(
        host.callers(),
        ["token-1 22222222-2222-4222-8222-222222222222 integrasjonspassord"]
    );
    let posted = host.posted().remove(0);
    assert_eq!(posted.patience, 960);
    let boundary = "5d2a6c1e-6f0b-4a57-9c43-000000000001";
    assert_eq!(posted.content_type, format!("multipart/form-data; boundary={boundary}"));
    let expected = json!({
        "tittel": "Nye lysrør",
        "mottaker": { "navn": "Organisasjon 910076787", "digitalId": "910076787" },
        "kryptert": true, "kunDigitalLevering": false, "sikkerhetsniva": "BETYDELIG",
        "utskriftskonfigurasjon": { "tosidig": true }, "konteringskode": "K1", "eksternReferanse": M,
        "forsendelsestype": "type-1",
        "metadataFraAvleverendeSystem": {
            "journalposttype": "U", "journalstatus": "J", "journaldato": "2017-05-23T00:00:00+02:00", "tittel": "Nye lysrør",
            "ekstraMetadata": [
                { "key": "f:forvaltningsnummer", "value": "20050" }, { "key": "f:objektnavn", "value": "Campus" },
                { "key": "f:eiendom", "value": "200501" }, { "key": "f:bygning", "value": "2005001" },
                { "key": "f:bestilling", "value": "20050001" }, { "key": "f:rammeavtale", "value": "K-77" },
            ],
        },
        "dokumenter": [{ "filnavn": "test.txt", "mimeType": "text/plain", "skalEkskluderesFraUtskrift": true }],
    });
    assert_eq!(forsendelse_json(&host), expected);
    assert_eq!(
        posted.body,
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"forsendelse\"\r\n\
             Content-Type: application/json;charset=UTF-8\r\n\r\n{expected}\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"filer_0\"; filename=\"test.txt\"\r\nContent-Type: text/plain\r\n\r\n\
             [test.txt: Testing 1 2 3 sealed for KS by Oaep]\r\n--{boundary}--\r\n"
        )
    );
}

#[test]
fn v10_a_receipt_is_not_sent() {
    for kind in ["arkivmelding_kvittering", "einnsyn_kvittering", "status"] {
        let host = Fake::default();
        let sent = send(&host, &rest(""), &Letter { kind, ..Letter::v1() }).unwrap();
        assert_eq!(reports(&sent), ["LEVERT", "LEST"]);
        assert_eq!((sent.reference, sent.track_after), (None, None));
        assert!(host.calls().is_empty());
    }
}

#[test]
fn e2_e3_another_sender_has_its_own_konto_and_token() {
    let host = Fake::default();
    let path = send_path().replace('1', "3");
    host.on(&path, 200, &id_answer(X));
    let message = Letter {
        sender: "0192:991825827:987464291".to_owned(),
        ..Letter::v1()
    };
    send(&host, &rest_for_two(), &message).unwrap();
    assert_eq!(host.tokens(), ["ks ks:fiks for 0192:987464291 #1"]);
    assert_eq!(host.callers(), ["token-1 22222222-2222-4222-8222-222222222222 annet"]);
    let stranger = Letter {
        sender: "0192:974720760".to_owned(),
        ..Letter::v1()
    };
    let failure = send(&host, &rest_for_two(), &stranger).unwrap_err();
    assert_eq!(
        (failure.is_permanent(), failure.detail()),
        (false, "No SvarUt client configured for orgnr: 974720760")
    );
}

#[test]
fn a_message_that_cannot_be_mapped_is_refused_with_its_reason() {
    let refusal = |change: fn(&mut Letter)| {
        let mut message = Letter::v1();
        change(&mut message);
        let failure = send(&Fake::default(), &rest(""), &message).unwrap_err();
        failure.code().map(str::to_owned)
    };
    assert_eq!(
        refusal(|message| drop(message.files.remove(0))).as_deref(),
        Some("arkivmelding")
    );
    assert_eq!(
        refusal(|message| message.files[0].content.clear()).as_deref(),
        Some("arkivmelding")
    );
    assert_eq!(
        refusal(|message| drop(message.files.remove(1))).as_deref(),
        Some("missing-file")
    );
    assert_eq!(
        refusal(|message| message.certificate = None).as_deref(),
        Some("certificate")
    );
    let untitled = |message: &mut Letter| {
        message.files[0].content = message.files[0].content.replace("Nye lysrør", "");
    };
    assert_eq!(refusal(untitled).as_deref(), Some("no-title"));
}

#[test]
fn the_seal_is_the_operators_choice() {
    let host = Fake::default();
    host.on(&send_path(), 200, &id_answer(X));
    send(&host, &rest(r#","seal":"pkcs1""#), &Letter::v1()).unwrap();
    assert!(host.posted()[0].body.contains("sealed for KS by Pkcs1"));
}
