use budstikke_sdk::http::Reach;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Fake, file, receiving, sealed};

const LIST: &str = "GET /svarinn/mottaker/hentNyeForsendelser";
pub(crate) const F: &str = "ffffffff-ffff-4fff-8fff-ffffffffffff";
const G: &str = "11111111-1111-4111-8111-111111111111";
const H: &str = "22222222-2222-4222-8222-222222222222";

/// The forsendelse of the eleventh test vector.
pub(crate) fn v11(id: &str) -> Value {
    json!({
        "id": id, "tittel": "Brev", "date": 1_458_514_800_000_i64, "downloadUrl": format!("/forsendelse/{id}"), "niva": "3",
        "status": "Klar for mottak",
        "filmetadata": [
            { "filnavn": "primary.html", "mimetype": "text/html", "sha256hash": "07", "dokumentType": null, "size": 0 },
            { "filnavn": "before_the_law.txt", "mimetype": "text/plain", "sha256hash": "06", "size": 0 },
        ],
        "mottaker": { "navn": "Mottaker", "orgnr": "991825827", "fnr": null, "adresse1": "", "postnr": "", "poststed": "", "land": "" },
        "svarSendesTil": {
            "navn": "VARDØ KOMMUNE", "adresse1": "Pb 253", "adresse2": null, "adresse3": null, "postnr": "9951",
            "poststed": "VARDØ", "land": "", "orgnr": "974720760", "fnr": null,
        },
        "metadataFraAvleverendeSystem": {
            "sakssekvensnummer": 1, "saksaar": 2016, "journalaar": 2016, "journalsekvensnummer": 25, "journalpostnummer": 13,
            "journalposttype": "U", "journalstatus": "F", "journaldato": 1_458_514_800_000_i64,
            "dokumentetsDato": 1_458_514_800_000_i64, "tittel": "Et brev", "saksBehandler": null, "ekstraMetadata": [],
        },
        "metadataForImport": {
            "sakssekvensnummer": 0, "saksaar": 0, "journalposttype": null, "journalstatus": null, "dokumentetsDato": null, "tittel": null,
        },
        "svarPaForsendelse": null, "forsendelseType": null, "eksternRef": null, "lenker": [],
    })
}

fn package() -> crate::testing::File {
    sealed(&[file("primary.html", "primary"), file("before_the_law.txt", "before")])
}

fn list(host: &Fake, forsendelser: &[Value]) {
    host.on(LIST, 200, &Value::Array(forsendelser.to_vec()).to_string());
}

fn fetch(id: &str) -> String {
    format!("GET /svarinn/forsendelse/{id}")
}

fn kvitter(id: &str) -> String {
    format!("POST /svarinn/kvitterMottak/forsendelse/{id}")
}

fn feilet(id: &str) -> String {
    format!("POST /svarinn/mottakFeilet/forsendelse/{id}")
}

fn waits(host: &Fake, ids: &[&str]) {
    let forsendelser: Vec<Value> = ids.iter().map(|id| v11(id)).collect();
    list(host, &forsendelser);
    for id in ids {
        host.gives(&fetch(id), package()).on(&kvitter(id), 200, "");
    }
}

fn poll(host: &Fake) -> Received {
    receive(host, &receiving(""))
}

fn delivered(host: &Fake) -> Vec<String> {
    host.delivered()
        .into_iter()
        .map(|delivered| delivered.reference)
        .collect()
}

#[test]
fn v11_a_forsendelse_is_fetched_handed_over_and_confirmed() {
    let host = Fake::default();
    waits(&host, &[F]);
    let received = poll(&host);
    assert_eq!((received.handled, received.problems, received.more), (1, vec![], false));
    assert_eq!(host.calls(), [LIST.to_owned(), fetch(F), kvitter(F)]);
    assert_eq!(host.callers(), ["bruker:pæssord"; 3]);
    let delivered = host.delivered().remove(0);
    assert_eq!(delivered.reference, F);
    assert_eq!(delivered.package, "from 0192:974720760 to 0192:991825827");
    let identification = &delivered.sbd["standardBusinessDocumentHeader"]["documentIdentification"];
    assert_eq!(identification["instanceIdentifier"], F);
    let files: Vec<_> = delivered
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.media_type.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            ("arkivmelding.xml", "application/xml"),
            ("primary.html", "text/html"),
            ("before_the_law.txt", "text/plain")
        ]
    );
    assert_eq!(delivered.files[1].content, "primary");
    assert!(
        delivered.files[0]
            .content
            .contains("<offentligTittel>Brev</offentligTittel>")
    );
    assert!(host.warnings().is_empty());
}

#[test]
fn v12_one_that_fails_does_not_stop_the_others() {
    let host = Fake::default();
    let mut bad = v11(G);
    bad["metadataFraAvleverendeSystem"]["ekstraMetadata"] = json!([{ "key": "@va", "value": "1" }]);
    list(&host, &[v11(F), bad, v11(H)]);
    for id in [F, H] {
        host.gives(&fetch(id), package()).on(&kvitter(id), 200, "");
    }
    let received = poll(&host);
    assert_eq!(received.handled, 2);
    assert_eq!(delivered(&host), [F, H]);
    assert_eq!(
        received.problems,
        [format!(
            "forsendelse {G}: Unable to build XML for virksomhetsspesifikkeMetadata, cant create key from ekstraMetadata value: @va"
        )]
    );
    assert!(!host.calls().iter().any(|call| call.contains(G)));
}

#[test]
fn v13_one_that_is_listed_again_is_confirmed_and_not_fetched() {
    let lost = Fake::default();
    list(&lost, &[v11(F)]);
    lost.gives(&fetch(F), package()).on(&kvitter(F), 500, "");
    let received = poll(&lost);
    assert_eq!(received.handled, 0);
    assert!(received.problems[0].contains("not confirmed"));
    lost.calls();
    waits(&lost, &[F]);
    assert_eq!(poll(&lost).handled, 1);
    assert_eq!(lost.calls(), [LIST.to_owned(), kvitter(F)]);
    assert_eq!(delivered(&lost), [F]);
    list(&lost, &[v11(F)]);
    lost.on(&kvitter(F), 404, "");
    lost.calls();
    assert_eq!(poll(&lost).handled, 1, "one that is gone has been confirmed");
}

#[test]
fn every_outcome_of_the_host_is_confirmed() {
    for outcome in [
        Delivery::AlreadyKnown,
        Delivery::Expired,
        Delivery::SetAside("odd".to_owned()),
        Delivery::Other("later".to_owned()),
    ] {
        let host = Fake::default();
        waits(&host, &[F]);
        host.delivery(Ok(outcome));
        assert_eq!(poll(&host).handled, 1);
        assert_eq!(host.calls().last(), Some(&kvitter(F)));
    }
}

#[test]
fn what_is_down_leaves_the_forsendelse_where_it_is() {
    let host = Fake::default();
    list(&host, &[v11(F), v11(G), v11(H)]);
    host.loses(&fetch(F), Reach::Unknown)
        .on(&fetch(G), 500, "")
        .gives(&fetch(H), package());
    host.delivery(Err(Failure::temporary("no room")));
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.problems.len(), received.more),
        (0, 3, false)
    );
    assert!(host.aside().is_empty() && delivered(&host).is_empty());
    waits(&host, &[F, G, H]);
    assert_eq!(poll(&host).handled, 3);
}

#[test]
fn e26_what_cannot_be_read_is_set_aside_told_and_left_alone() {
    for (content, reason) in [
        (file("x", "not ours"), "not-for-us: it cannot be opened"),
        (file("x", "sealed to us"), "not-a-zip: not a zip"),
    ] {
        let host = Fake::default();
        list(&host, &[v11(F)]);
        host.gives(&fetch(F), content).on(&feilet(F), 200, "");
        let received = poll(&host);
        assert_eq!((received.handled, received.problems.len()), (0, 1));
        assert_eq!(host.aside(), [(format!("{F}:unreadable"), reason.to_owned())]);
        let told = host.posted().remove(0);
        assert_eq!((told.call, told.content_type.as_str()), (feilet(F), "application/json"));
        let told: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(told["permanent"], false);
        assert!(told["feilmelding"].as_str().unwrap().contains("sertifikat"));
        host.calls();
        list(&host, &[v11(F)]);
        assert_eq!(
            poll(&host).problems,
            [format!("forsendelse {F}: waits, for it could not be used before")]
        );
        assert_eq!(host.calls(), [LIST]);
        host.state.borrow_mut().clear();
        waits(&host, &[F]);
        assert_eq!(poll(&host).handled, 1, "with the right key it is read after all");
    }
}

#[test]
fn e26_the_operator_may_want_another_channel() {
    let host = Fake::default();
    list(&host, &[v11(F)]);
    host.gives(&fetch(F), file("x", "not ours")).on(&feilet(F), 500, "");
    let received = receive(&host, &receiving(r#","reject-permanently":true"#));
    assert!(host.posted()[0].body.contains("\"permanent\":true"));
    assert!(received.problems[0].contains("could not be told"));
}

#[test]
fn what_the_host_does_not_take_is_left_alone_and_not_rejected() {
    let host = Fake::default();
    list(&host, &[v11(F)]);
    host.gives(&fetch(F), package())
        .delivery(Err(Failure::permanent("package", "odd")));
    assert_eq!(poll(&host).problems, [format!("forsendelse {F}: package: odd")]);
    assert!(host.aside().is_empty());
    assert!(host.state.borrow().contains_key(&format!("alone/{F}")));
}

#[test]
fn e31_a_wrong_digest_is_told_and_the_file_is_handed_over() {
    let host = Fake::default();
    let mut other = v11(F);
    other["filmetadata"][0]["sha256hash"] = json!("00");
    other["filmetadata"][1]["sha256hash"] = json!(null);
    list(&host, &[other]);
    host.gives(&fetch(F), package()).on(&kvitter(F), 200, "");
    assert_eq!(poll(&host).handled, 1);
    assert_eq!(
        host.warnings(),
        [format!(
            "forsendelse {F}: a file has another SHA-256 than SvarInn tells"
        )]
    );
}

#[test]
fn e25_entries_are_no_paths_and_types_are_looked_up_by_the_name_as_given() {
    let host = Fake::default();
    let mut odd = v11(F);
    odd["filmetadata"] = json!([{ "filnavn": "a/b.pdf", "mimetype": "application/pdf" }, { "filnavn": "b.pdf" }]);
    list(&host, &[odd]);
    let entries = [
        file("a/", ""),
        file("a/b.pdf", "1"),
        file("b.pdf", "2"),
        file("c.bin", "3"),
    ];
    host.gives(&fetch(F), sealed(&entries)).on(&kvitter(F), 200, "");
    assert_eq!(poll(&host).handled, 1);
    let files: Vec<_> = host.delivered()[0].files[1..]
        .iter()
        .map(|file| (file.name.clone(), file.media_type.clone()))
        .collect();
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(
        files,
        [
            pair("b.pdf", "application/pdf"),
            pair("b (2).pdf", "application/octet-stream"),
            pair("c.bin", "application/octet-stream")
        ]
    );
    assert!(host.warnings()[0].contains("has 3 files, and SvarInn lists 2"));
}

#[test]
fn every_mottakersystem_is_asked_with_its_own_login() {
    let host = Fake::default();
    let settings = receiving(r#","paa-vegne-av":{"987464291":{"username":"andre","password":"q"}}"#);
    host.on(LIST, 401, "");
    list(&host, &[v11(F)]);
    host.gives(&fetch(F), package()).on(&kvitter(F), 200, "");
    let received = receive(&host, &settings);
    assert_eq!(received.handled, 1);
    assert!(received.problems[0].contains("`bruker`") && !received.problems[0].contains("pæssord"));
    assert_eq!(host.callers(), ["bruker:pæssord", "andre:q", "andre:q", "andre:q"]);
}

#[test]
fn e32_a_full_list_is_followed_by_the_next_at_once() {
    let host = Fake::default();
    let many: Vec<Value> = (0..FULL)
        .map(|number| v11(&format!("22222222-2222-4222-8222-{number:012}")))
        .collect();
    list(&host, &many);
    for forsendelse in &many[..50] {
        let id = forsendelse["id"].as_str().unwrap();
        host.gives(&fetch(id), package()).on(&kvitter(id), 200, "");
    }
    let received = poll(&host);
    assert_eq!((received.handled, received.more), (50, true));
    let host = Fake::default();
    list(&host, &[json!({ "id": "x" })]);
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.more, received.problems.len()),
        (0, false, 1)
    );
}

#[test]
fn a_round_ends_in_time_and_when_everything_is_down() {
    let host = Fake::default();
    host.pace.set(25);
    waits(&host, &[F, G, H]);
    let received = poll(&host);
    assert_eq!((received.handled, received.more), (1, true));
    let host = Fake::default();
    let many: Vec<Value> = (0..30)
        .map(|number| v11(&format!("22222222-2222-4222-8222-{number:012}")))
        .collect();
    list(&host, &many);
    for forsendelse in &many {
        host.on(&fetch(forsendelse["id"].as_str().unwrap()), 503, "");
    }
    assert_eq!(poll(&host).problems.len(), 10);
}

#[test]
fn what_a_round_was_cut_off_in_comes_last_in_the_next() {
    let host = Fake::default();
    waits(&host, &[F, G]);
    *host.deadly.borrow_mut() = Some(fetch(F));
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(&host)));
    assert!(killed.is_err());
    *host.deadly.borrow_mut() = None;
    host.calls();
    waits(&host, &[F, G]);
    assert_eq!(poll(&host).handled, 2);
    assert_eq!(
        host.calls(),
        [LIST.to_owned(), fetch(G), kvitter(G), fetch(F), kvitter(F)]
    );
    waits(&host, &[]);
    poll(&host);
    assert_eq!(host.state.borrow()["in-hand"], b"");
}

#[test]
fn an_installation_that_only_sends_fetches_nothing() {
    let host = Fake::default();
    let received = receive(&host, &crate::testing::rest(""));
    assert_eq!((received.handled, received.more), (0, false));
    assert!(host.calls().is_empty());
}
