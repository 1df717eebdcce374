//! A forsendelse as the XML of SvarUt's SOAP version 9. The order of the elements is fixed; children have no namespace.
//!
//! Spec: DPF and DPFIO, 5 and 7.1.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use crate::forsendelse::{Address, Document, Forsendelse, Metadata, Party};
use crate::settings::Settings;

const XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// The children of `sendForsendelseMedId`. The data of the document at place n is the attachment `doc<n>`. What does not fit and is left
/// out is told to `warn`, without content.
pub(crate) fn write<F>(
    settings: &Settings,
    forsendelse: &Forsendelse<'_, F>,
    id: &str,
    mut warn: impl FnMut(&str),
) -> String {
    let out = settings.out.as_ref();
    let wishes = &forsendelse.wishes;
    let mut xml = Xml::default();
    xml.open("forsendelse", "");
    xml.text("avgivendeSystem", "");
    for (place, file) in forsendelse.documents.iter().enumerate() {
        document(&mut xml, place, file);
    }
    xml.text("eksternref", &forsendelse.reference);
    xml.optional("forsendelseType", wishes.kind.as_deref());
    xml.optional("konteringskode", out.and_then(|out| out.accounting_code.as_deref()));
    xml.flag("krevNiva4Innlogging", wishes.is_level_4());
    xml.flag("kryptert", settings.encrypted);
    xml.flag("kunDigitalLevering", out.is_some_and(|out| out.digital_only));
    metadata(&mut xml, &forsendelse.metadata, &mut warn);
    party(&mut xml, "mottaker", &forsendelse.receiver);
    xml.open("printkonfigurasjon", "");
    xml.text("brevtype", "BPOST");
    xml.flag("fargePrint", false);
    xml.flag("tosidig", true);
    xml.close("printkonfigurasjon");
    xml.nil("signaturtype");
    xml.nil("signeringUtloper");
    xml.optional("svarPaForsendelse", wishes.answers.as_deref());
    xml.flag("svarPaForsendelseLink", false);
    party(&mut xml, "svarSendesTil", &forsendelse.answers_to);
    xml.text("tittel", &forsendelse.title);
    xml.close("forsendelse");
    xml.text("forsendelsesid", id);
    xml.0
}

fn document<F>(xml: &mut Xml, place: usize, document: &Document<'_, F>) {
    xml.open("dokumenter", "");
    xml.open("data", "");
    // Writing to a string cannot fail.
    let _ = write!(xml.0, "<xop:Include xmlns:xop=\"{XOP}\" href=\"cid:doc{place}\"/>");
    xml.close("data");
    xml.flag("ekskluderesFraPrint", document.not_printed == Some(true));
    xml.text("filnavn", &document.name);
    xml.text("mimetype", &document.media_type);
    xml.flag("skalSigneres", false);
    xml.close("dokumenter");
}

fn metadata(xml: &mut Xml, metadata: &Metadata, warn: &mut impl FnMut(&str)) {
    // The schema has 32 bits for them.
    let mut int = |number: Option<i64>| {
        let fits = number.map_or(Some(0), |number| i32::try_from(number).ok());
        fits.unwrap_or_else(|| {
            warn("a number of arkivmelding.xml is larger than SvarUt takes, and is left out");
            0
        })
    };
    xml.open("metadataFraAvleverendeSystem", "");
    let midnight = |date: &Option<crate::oslo::XmlDate>| date.as_ref().map(crate::oslo::XmlDate::xml_midnight);
    xml.optional("dokumentetsDato", midnight(&metadata.document_date).as_deref());
    for (key, value) in &metadata.extra {
        xml.open("ekstraMetadata", "");
        xml.text("key", key);
        xml.text("value", value);
        xml.close("ekstraMetadata");
    }
    xml.number("journalaar", int(metadata.year));
    xml.optional("journaldato", midnight(&metadata.date).as_deref());
    xml.number("journalpostnummer", int(metadata.number));
    xml.text("journalposttype", metadata.kind);
    xml.number("journalsekvensnummer", int(metadata.sequence_number));
    xml.text("journalstatus", metadata.status);
    xml.number("saksaar", int(metadata.case_year));
    xml.optional("saksbehandler", metadata.case_worker.as_deref());
    xml.number("sakssekvensnummer", int(metadata.case_number));
    xml.optional("tittel", metadata.title.as_deref());
    xml.close("metadataFraAvleverendeSystem");
}

/// The schema wants a place; whoever has no address in the register gets one that nothing is delivered to. Spec: DPF and DPFIO, 5.4.
fn party(xml: &mut Xml, name: &str, party: &Party) {
    let nowhere = || Address {
        line: None,
        code: Some("0192".to_owned()),
        place: Some("Oslo".to_owned()),
        country: Some("Norge".to_owned()),
    };
    let address = party.address.clone().unwrap_or_else(nowhere);
    xml.open(name, "");
    xml.open("digitalAdresse", " xsi:type=\"s9:organisasjonDigitalAdresse\"");
    xml.text("orgnr", &party.number);
    xml.close("digitalAdresse");
    xml.open("postAdresse", "");
    xml.optional("adresse1", address.line.as_deref());
    xml.optional("land", address.country.as_deref());
    xml.optional("navn", party.name.as_deref());
    xml.optional("postnr", address.code.as_deref());
    xml.optional("poststed", address.place.as_deref());
    xml.close("postAdresse");
    xml.close(name);
}

/// XML under construction.
#[derive(Default)]
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str, attributes: &str) {
        for piece in ["<", name, attributes, ">"] {
            self.0.push_str(piece);
        }
    }

    fn close(&mut self, name: &str) {
        for piece in ["</", name, ">"] {
            self.0.push_str(piece);
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.open(name, "");
        // What XML cannot carry becomes a space.
        let odd = |char: char| char.is_control() && !matches!(char, '\t' | '\n' | '\r');
        self.0.push_str(&escape(text.replace(odd, " ")));
        self.close(name);
    }

    fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn number(&mut self, name: &str, number: i32) {
        self.text(name, &number.to_string());
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.text(name, if flag { "true" } else { "false" });
    }

    fn nil(&mut self, name: &str) {
        for piece in ["<", name, " xsi:nil=\"true\"/>"] {
            self.0.push_str(piece);
        }
    }
}
