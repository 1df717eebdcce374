use super::*;

const HEAD: &str = r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#;

fn document(number: Option<i64>, file: &str) -> String {
    let number = number.map_or(String::new(), |number| {
        format!("<dokumentnummer>{number}</dokumentnummer>")
    });
    let object = format!("<dokumentobjekt><referanseDokumentfil>{file}</referanseDokumentfil></dokumentobjekt>");
    format!("<dokumentbeskrivelse>{number}{object}</dokumentbeskrivelse>")
}

fn message(journalpost: &str) -> String {
    format!(
        r#"{HEAD}<system>x</system><mappe xsi:type="saksmappe"><systemID>43fbe161-7aac-4c9f-a888-d8167aab4144</systemID>
        <tittel>Mappe</tittel><basisregistrering xsi:type="journalpost">{journalpost}</basisregistrering></mappe></arkivmelding>"#
    )
}

fn read(journalpost: &str) -> Arkivmelding {
    Arkivmelding::read(message(journalpost).as_bytes()).unwrap()
}

fn fault(xml: &str) -> ArkivmeldingError {
    Arkivmelding::read(xml.as_bytes()).unwrap_err()
}

#[test]
fn title_and_reference_come_from_the_first_journalpost() {
    let found = read(
        "<tittel>Hemmelig &amp; lang</tittel><offentligTittel>Åpen</offentligTittel><journalpostnummer>7</journalpostnummer>",
    );
    assert_eq!(found.title(), Some("Åpen"));
    assert_eq!(
        found.message_reference().unwrap(),
        "43fbe161-7aac-4c9f-a888-d8167aab4144-7"
    );
}

#[test]
fn without_a_public_title_the_title_is_used() {
    let title = "<tittel>Hemmelig &amp; <![CDATA[<lang>]]> &#229;</tittel>";
    assert_eq!(read(title).title(), Some("Hemmelig & <lang> å"));
    assert_eq!(
        read(&format!("{title}<offentligTittel/>")).title(),
        Some("Hemmelig & <lang> å")
    );
    assert_eq!(
        read(&format!("{title}<offentligTittel> </offentligTittel>")).title(),
        Some("Hemmelig & <lang> å")
    );
    assert_eq!(read("").title(), None);
}

#[test]
fn without_a_journalpostnummer_there_is_no_reference() {
    assert_eq!(read("").message_reference(), None);
    assert_eq!(
        read("<journalpostnummer>sju</journalpostnummer>").message_reference(),
        None
    );
}

#[test]
fn files_come_by_document_number_and_those_without_last() {
    let journalpost = [
        document(None, "d.txt"),
        document(Some(2), "b.txt"),
        document(None, "e.txt"),
        document(Some(1), "a.txt"),
    ];
    assert_eq!(
        read(&journalpost.concat()).files(),
        ["a.txt", "b.txt", "d.txt", "e.txt"]
    );
}

#[test]
fn a_document_may_have_several_files() {
    let objects = "<dokumentobjekt><referanseDokumentfil>a.doc</referanseDokumentfil></dokumentobjekt>\
        <dokumentobjekt><referanseDokumentfil>a.pdf</referanseDokumentfil></dokumentobjekt>";
    assert_eq!(
        read(&format!("<dokumentbeskrivelse>{objects}</dokumentbeskrivelse>")).files(),
        ["a.doc", "a.pdf"]
    );
    assert_eq!(
        read(objects).files(),
        [""; 0],
        "a dokumentobjekt right below the journalpost does not count"
    );
}

#[test]
fn a_file_that_is_not_there_is_named_once() {
    let found = read(
        &[
            document(Some(1), "a.txt"),
            document(Some(2), "b.txt"),
            document(Some(3), "a.txt"),
        ]
        .concat(),
    );
    assert_eq!(found.missing_files(|name| name == "b.txt"), ["a.txt"]);
    assert!(found.missing_files(|_| true).is_empty());
}

#[test]
fn only_the_first_saksmappe_and_its_first_journalpost_count() {
    let xml = format!(
        r#"{HEAD}<mappe><basisregistrering xsi:type="journalpost"><tittel>Uten type</tittel></basisregistrering></mappe>
        <mappe xsi:type="saksmappe"><basisregistrering><tittel>Notat</tittel></basisregistrering>
        <basisregistrering xsi:type="journalpost"><tittel>Første</tittel></basisregistrering>
        <basisregistrering xsi:type="journalpost"><tittel>Andre</tittel></basisregistrering></mappe>
        <mappe xsi:type="saksmappe"><basisregistrering xsi:type="journalpost"><tittel>Tredje</tittel></basisregistrering></mappe>
        </arkivmelding>"#
    );
    assert_eq!(Arkivmelding::read(xml.as_bytes()).unwrap().title(), Some("Første"));
}

#[test]
fn prefixes_do_not_matter_and_namespaces_do() {
    let prefixed = r#"<?xml version="1.0"?><!-- x --><a:melding xmlns:a="http://www.arkivverket.no/standarder/noark5/arkivmelding"
        xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><a:mappe i:type="a:saksmappe"><a:basisregistrering i:type="a:journalpost">
        <a:tittel>Ja</a:tittel><tittel>Nei</tittel></a:basisregistrering></a:mappe></a:melding>"#;
    assert_eq!(Arkivmelding::read(prefixed.as_bytes()).unwrap().title(), Some("Ja"));
    assert_eq!(
        fault(&message("").replace("noark5/arkivmelding", "noark5/annet")),
        ArkivmeldingError::NoSaksmappe
    );
}

#[test]
fn unknown_content_is_skipped() {
    let odd = "<virksomhetsspesifikkeMetadata><x xmlns=''><tittel>Nei</tittel></x></virksomhetsspesifikkeMetadata>\
        <korrespondansepart><korrespondanseparttype>Ukjent</korrespondanseparttype></korrespondansepart><tittel>Ja</tittel>";
    assert_eq!(read(odd).title(), Some("Ja"));
}

#[test]
fn a_missing_saksmappe_or_journalpost_is_told() {
    assert_eq!(fault(&format!("{HEAD}</arkivmelding>")), ArkivmeldingError::NoSaksmappe);
    assert_eq!(
        fault(&format!("{HEAD}<mappe xsi:type='saksmappe'/></arkivmelding>")),
        ArkivmeldingError::NoJournalpost
    );
    let direct = format!("{HEAD}<registrering xsi:type='journalpost'/></arkivmelding>");
    assert_eq!(fault(&direct), ArkivmeldingError::NoSaksmappe);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let good = message("<tittel>x</tittel>");
    for bad in [
        String::new(),
        "tekst".to_owned(),
        good.replace("</tittel></basisregistrering>", "</basisregistrering>"),
        good.replace("</arkivmelding>", ""),
        format!("{good}{good}"),
        format!("{good}tekst"),
        good.replace(">x<", ">&ukjent;<"),
        good.replace(">x<", "><a b='1' b='2'/><"),
    ] {
        assert!(matches!(fault(&bad), ArkivmeldingError::NotWellFormed { .. }), "{bad}");
    }
}

#[test]
fn entities_of_a_document_type_are_not_expanded() {
    let bomb = format!("<!DOCTYPE a [<!ENTITY b 'bbbb'>]>{}", message("<tittel>&b;</tittel>"));
    assert!(matches!(fault(&bomb), ArkivmeldingError::NotWellFormed { .. }));
}

#[test]
fn older_encodings_are_read() {
    let latin1 = format!(
        "<?xml version='1.0' encoding='ISO-8859-1'?>{}",
        message("<tittel>blåbær</tittel>")
    );
    let latin1: Vec<u8> = latin1.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(Arkivmelding::read(&latin1).unwrap().title(), Some("blåbær"));
    let utf16: Vec<u8> = format!("\u{feff}{}", message("<tittel>blåbær</tittel>"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(Arkivmelding::read(&utf16).unwrap().title(), Some("blåbær"));
    let marked = format!("\u{feff}{}", message("<tittel>blåbær</tittel>"));
    assert_eq!(Arkivmelding::read(marked.as_bytes()).unwrap().title(), Some("blåbær"));
    assert_eq!(Arkivmelding::read(b"<a>\xe5</a>"), Err(ArkivmeldingError::Encoding));
}

#[test]
fn depth_text_and_number_of_files_are_limited() {
    let deep = format!("{}{}", "<a>".repeat(300), "</a>".repeat(300));
    assert_eq!(fault(&deep), ArkivmeldingError::TooDeep);
    let long = message(&format!("<tittel>{}</tittel>", "x".repeat(MAX_TEXT + 1)));
    assert_eq!(fault(&long), ArkivmeldingError::TextTooLong("tittel"));
    let many = message(&document(None, "a").repeat(MAX_FILES + 1));
    assert_eq!(fault(&many), ArkivmeldingError::TooManyFiles);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = Arkivmelding::read(&bytes);
    }

    #[test]
    fn any_damage_to_a_right_file_is_read_or_refused(at in 0usize..400, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = message(&document(Some(1), "a.txt")).into_bytes();
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        let _ = Arkivmelding::read(&bytes);
    }
}
