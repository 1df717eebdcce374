use super::*;

const HEAD: &str = r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#;

fn message(journalpost: &str) -> String {
    format!(
        r#"{HEAD}<system>x</system><mappe xsi:type="saksmappe"><systemID>43fbe161-7aac-4c9f-a888-d8167aab4144</systemID>
        <tittel>Mappe</tittel><basisregistrering xsi:type="journalpost">{journalpost}</basisregistrering>
        <saksaar> 2026 </saksaar><sakssekvensnummer>41</sakssekvensnummer><saksansvarlig>Kari</saksansvarlig>
        </mappe></arkivmelding>"#
    )
}

fn found(journalpost: &str) -> Arkivmelding {
    Arkivmelding::read(message(journalpost).as_bytes()).unwrap()
}

fn fault(xml: &str) -> ArkivmeldingError {
    Arkivmelding::read(xml.as_bytes()).unwrap_err()
}

fn document(inside: &str, file: &str) -> String {
    let object = format!("<dokumentobjekt><referanseDokumentfil>{file}</referanseDokumentfil></dokumentobjekt>");
    format!("<dokumentbeskrivelse>{inside}{object}</dokumentbeskrivelse>")
}

#[test]
fn the_case_and_the_letter_are_read() {
    let found = found(
        "<systemID>id</systemID><tittel>Hemmelig &amp; <![CDATA[<lang>]]> &#229;</tittel>\
         <offentligTittel>Åpen</offentligTittel><journalaar>2026</journalaar>\
         <journalsekvensnummer>25</journalsekvensnummer><journalpostnummer>sju</journalpostnummer>\
         <journalposttype>Utgående dokument</journalposttype><journalstatus>Journalført</journalstatus>\
         <journaldato>2017-05-23</journaldato><dokumentetsDato>2017-05-23+02:00</dokumentetsDato>",
    );
    let saksmappe = &found.saksmappe;
    assert_eq!(saksmappe.title.as_deref(), Some("Mappe"));
    assert_eq!((saksmappe.year, saksmappe.sequence_number), (Some(2026), Some(41)));
    assert_eq!(saksmappe.responsible.as_deref(), Some("Kari"));
    let letter = &found.journalpost;
    assert_eq!(letter.system_id.as_deref(), Some("id"));
    assert_eq!(letter.title.as_deref(), Some("Hemmelig & <lang> å"));
    assert_eq!(
        (letter.year, letter.sequence_number, letter.number),
        (Some(2026), Some(25), None)
    );
    assert_eq!(letter.kind.as_deref(), Some("Utgående dokument"));
    assert_eq!(letter.status.as_deref(), Some("Journalført"));
    assert_eq!(letter.date.as_deref(), Some("2017-05-23"));
    assert_eq!(letter.document_date.as_deref(), Some("2017-05-23+02:00"));
    assert_eq!(found.title(), Some("Åpen"));
}

#[test]
fn without_a_public_title_the_title_is_used() {
    assert_eq!(
        found("<tittel>a</tittel><offentligTittel> </offentligTittel>").title(),
        Some("a")
    );
    assert_eq!(found("").title(), None);
}

#[test]
fn parties_are_read_with_all_lines_of_their_address() {
    let found = found(
        "<korrespondansepart><korrespondanseparttype>Mottaker</korrespondanseparttype></korrespondansepart>\
         <korrespondansepart><korrespondanseparttype>Avsender</korrespondanseparttype>\
         <korrespondansepartNavn>Fjordby</korrespondansepartNavn><postadresse>Postboks 1</postadresse>\
         <postadresse>Rådhuset</postadresse><postnummer>0101</postnummer><poststed>OSLO</poststed><land>Norge</land>\
         <administrativEnhet>Arkiv</administrativEnhet><saksbehandler>Ola</saksbehandler></korrespondansepart>\
         <korrespondansepart/>",
    );
    let [first, second, third] = found.journalpost.parties.as_slice() else {
        panic!("three parties")
    };
    assert_eq!(first.kind.as_deref(), Some("Mottaker"));
    assert_eq!(second.lines, ["Postboks 1", "Rådhuset"]);
    assert_eq!(second.postal_code.as_deref(), Some("0101"));
    assert_eq!(second.place.as_deref(), Some("OSLO"));
    assert_eq!(second.country.as_deref(), Some("Norge"));
    assert_eq!(second.unit.as_deref(), Some("Arkiv"));
    assert_eq!(second.case_worker.as_deref(), Some("Ola"));
    assert_eq!(third.kind, None);
}

#[test]
fn metadata_keeps_its_order_its_prefixes_and_what_has_no_simple_value() {
    let found = found(
        "<virksomhetsspesifikkeMetadata xmlns:f=\"urn:f\"><f:a> 1 &amp; 2</f:a><b/><c><d>3</d>x</c><a xmlns=\"\">4</a>\
         </virksomhetsspesifikkeMetadata>",
    );
    let pieces: Vec<_> = found
        .journalpost
        .metadata
        .iter()
        .map(|piece| (piece.name.as_str(), piece.value.as_deref()))
        .collect();
    assert_eq!(
        pieces,
        [("f:a", Some(" 1 & 2")), ("b", None), ("c", None), ("a", Some("4"))]
    );
}

#[test]
fn the_main_document_comes_first_and_numbers_are_not_needed() {
    let main = "<tilknyttetRegistreringSom>Hoveddokument</tilknyttetRegistreringSom>";
    let found = found(&format!(
        "{}{}{}<dokumentobjekt><referanseDokumentfil>not-this</referanseDokumentfil></dokumentobjekt>{}",
        document("<dokumentnummer>9</dokumentnummer>", "a.pdf"),
        document("", ""),
        document("", "b.pdf"),
        document(main, "main.pdf"),
    ));
    assert_eq!(found.files().collect::<Vec<_>>(), ["main.pdf", "a.pdf", "b.pdf"]);
    assert_eq!(found.journalpost.documents[0].number, Some(9));
}

#[test]
fn only_the_first_saksmappe_and_its_first_journalpost_count() {
    let letter = |title: &str| {
        format!("<n:basisregistrering xsi:type=\"n:journalpost\"><n:tittel>{title}</n:tittel></n:basisregistrering>")
    };
    let xml = format!(
        "<n:anything xmlns:n=\"{NOARK5}\" xmlns:xsi=\"{XSI}\"><n:registrering xsi:type=\"journalpost\"/>\
         <n:mappe><n:tittel>no</n:tittel>{}</n:mappe>\
         <n:mappe xsi:type=\"n:saksmappe\"><n:basisregistrering/>{}{}</n:mappe>\
         <n:mappe xsi:type=\"n:saksmappe\">{}</n:mappe></n:anything>",
        letter("0"),
        letter("1"),
        letter("2"),
        letter("3")
    );
    assert_eq!(Arkivmelding::read(xml.as_bytes()).unwrap().title(), Some("1"));
}

#[test]
fn what_cannot_be_used_is_told_without_its_content() {
    let other = message("<tittel>hemmelig</tittel>").replace("noark5/arkivmelding", "noark4");
    assert_eq!(fault(&other), ArkivmeldingError::NoSaksmappe);
    let without = format!("{HEAD}<mappe xsi:type=\"saksmappe\"/></arkivmelding>");
    assert_eq!(fault(&without), ArkivmeldingError::NoJournalpost);
    for xml in [
        "",
        "hemmelig",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a>&hemmelig;</a>",
        "<a b=1/>",
    ] {
        let fault = fault(xml);
        assert!(matches!(fault, ArkivmeldingError::NotWellFormed { .. }), "{xml}");
        assert!(!fault.to_string().contains("hemmelig"));
    }
    assert_eq!(Arkivmelding::read(b"<a>\xE5</a>"), Err(ArkivmeldingError::Encoding));
    assert_eq!(
        crate::Failure::from(ArkivmeldingError::Encoding).code(),
        Some("arkivmelding")
    );
}

#[test]
fn there_is_an_end_to_everything() {
    assert_eq!(fault(&"<a>".repeat(300)), ArkivmeldingError::TooDeep);
    let long = message(&format!("<tittel>{}</tittel>", "a".repeat(MAX_TEXT + 1)));
    assert_eq!(fault(&long), ArkivmeldingError::TextTooLong("tittel"));
    let many = message(&document("", "a").repeat(MAX_COUNT + 1));
    assert_eq!(fault(&many), ArkivmeldingError::TooMany("dokumentbeskrivelse"));
    let bomb = message("<tittel>&lol;</tittel>").replace(HEAD, &format!("<!DOCTYPE a [<!ENTITY lol \"lol\">]>{HEAD}"));
    assert!(matches!(fault(&bomb), ArkivmeldingError::NotWellFormed { .. }));
    let huge = vec![b' '; super::super::MAX_BYTES as usize + 1];
    assert_eq!(Arkivmelding::read(&huge), Err(ArkivmeldingError::TooLarge(huge.len())));
}

#[test]
fn nothing_of_it_is_shown_in_a_debug_print() {
    assert!(!format!("{:?}", found("<tittel>hemmelig</tittel>")).contains("hemmelig"));
}
