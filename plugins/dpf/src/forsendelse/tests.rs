use super::*;
use crate::testing::{Fake, file, letter_xml};

fn read(journalpost: &str) -> Arkivmelding {
    Arkivmelding::read(letter_xml(journalpost).as_bytes()).unwrap()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn v5_what_is_kept_from_print() {
    let none = strings(&[]);
    assert_eq!(is_not_printed("a.pdf", &none), Some(false));
    assert_eq!(is_not_printed("a.docx", &none), None);
    let docx = strings(&["docx"]);
    assert_eq!(is_not_printed("a.docx", &docx), Some(true));
    assert_eq!(is_not_printed("a.DOCX", &docx), None);
    assert_eq!(is_not_printed("a.xml", &docx), None);
    let all = strings(&["*"]);
    assert_eq!(is_not_printed("a.PDF", &all), Some(false));
    assert_eq!(is_not_printed("a.png", &all), Some(true));
    assert_eq!(is_not_printed("readme", &all), Some(true));
}

#[test]
fn the_main_document_comes_first_and_what_nobody_refers_to_is_not_sent() {
    let document = |role: &str, file: &str| {
        format!(
            "<dokumentbeskrivelse>{role}<dokumentobjekt><referanseDokumentfil>{file}</referanseDokumentfil>\
             </dokumentobjekt></dokumentbeskrivelse>"
        )
    };
    let main = "<tilknyttetRegistreringSom>Hoveddokument</tilknyttetRegistreringSom>";
    let xml = [
        document("", "vedlegg.docx"),
        document("", "vedlegg.docx"),
        document("", "arkivmelding.xml"),
        document(main, "brev.pdf"),
    ];
    let files = [
        file("arkivmelding.xml", "<x/>"),
        file("annet.txt", "annet"),
        file("vedlegg.docx", "vedlegg"),
        file("brev.pdf", "brev"),
    ];
    let arkivmelding = read(&xml.concat());
    let host = Fake::default();
    let found = documents(&host, &arkivmelding, &files, &strings(&["*"])).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|document| (document.name.as_str(), document.not_printed))
        .collect();
    assert_eq!(found, [("brev.pdf", Some(false)), ("vedlegg.docx", Some(true))]);
    let missing = documents(&host, &arkivmelding, &files[..3], &[]).err().unwrap();
    assert_eq!(missing.code(), Some("missing-file"));
    assert!(!missing.detail().contains("brev"));
    let nothing = documents(&host, &read(""), &files, &[]).err().unwrap();
    assert_eq!(nothing.code(), Some("no-documents"));
}

#[test]
fn v3_one_party_of_no_known_type_and_the_whole_list_is_passed_over() {
    let party = |kind: &str| {
        format!(
            "<korrespondansepart>{kind}<korrespondansepartNavn>Fjordby</korrespondansepartNavn><postadresse>Postboks 1\
             </postadresse><postadresse/><postadresse>Rådhuset</postadresse><postnummer>0101</postnummer>\
             <poststed>OSLO</poststed><land>Norge</land><saksbehandler>Kari</saksbehandler></korrespondansepart>"
        )
    };
    let kind = |kind: &str| format!("<korrespondanseparttype>{kind}</korrespondanseparttype>");
    let sender = |parts: &[String]| written_sender(&read(&parts.concat()), "991825827");
    let good = [party(&kind("Mottaker")), party(&kind("Avsender"))];
    let found = sender(&good).unwrap();
    assert_eq!(
        (found.number.as_str(), found.name.as_deref()),
        ("991825827", Some("Fjordby"))
    );
    let address = found.address.unwrap();
    assert_eq!(address.line.as_deref(), Some("Postboks 1 Rådhuset"));
    assert_eq!(
        (address.code.as_deref(), address.country.as_deref()),
        (Some("0101"), Some("Norge"))
    );
    assert_eq!(sender(&[good[1].clone(), party(&kind("Tull og tøys"))]), None);
    assert_eq!(sender(&[good[1].clone(), party("")]), None);
    assert_eq!(sender(&[party(&kind("Mottaker"))]), None);
    let metadata = metadata(&read(&good.concat()), |_| {});
    assert_eq!(metadata.case_worker.as_deref(), Some("Kari"));
}

#[test]
fn odd_values_are_left_out_and_told_without_their_content() {
    let mut warnings = Vec::new();
    let arkivmelding = read(
        "<virksomhetsspesifikkeMetadata xmlns:n=\"urn:n\"><n:a>1</n:a><b/><c><d>hemmelig</d></c></virksomhetsspesifikkeMetadata>\
         <journalposttype>hemmelig</journalposttype><journaldato>hemmelig</journaldato>\
         <dokumentetsDato>2017-05-23</dokumentetsDato>",
    );
    let found = metadata(&arkivmelding, |text| warnings.push(text.to_owned()));
    assert_eq!((found.kind, found.status), ("I", "R"));
    assert_eq!((found.date, found.document_date.is_some()), (None, true));
    assert_eq!(found.extra, [("n:a".to_owned(), "1".to_owned())]);
    assert_eq!(warnings.len(), 5);
    assert!(!warnings.concat().contains("hemmelig"));
}

#[test]
fn the_address_service_may_know_little() {
    let host = Fake::default();
    assert_eq!(
        registered(&host, "910076787").unwrap().name.as_deref(),
        Some("Organisasjon 910076787")
    );
    assert_eq!(registered(&host, "910076787").unwrap().address, None);
    assert_eq!(registered(&host, "111111111").unwrap().name, None);
}
