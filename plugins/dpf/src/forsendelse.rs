//! A message as a forsendelse, before it is written as JSON or XML.
//!
//! Spec: DPF and DPFIO, 5.

use budstikke_sdk::Failure;
use budstikke_sdk::arkivmelding::{Arkivmelding, FILE_NAME, Korrespondansepart, MAX_BYTES};

use crate::codes::{JOURNALPOSTTYPE, JOURNALSTATUS};
use crate::host::{self, Host};
use crate::oslo::XmlDate;
use crate::sbd::Wishes;

/// What SvarUt is to be told. `F` is a handle of a file.
pub(crate) struct Forsendelse<'a, F> {
    /// The message's id.
    pub(crate) reference: String,
    pub(crate) wishes: Wishes,
    pub(crate) title: String,
    pub(crate) receiver: Party,
    pub(crate) answers_to: Party,
    pub(crate) metadata: Metadata,
    pub(crate) documents: Vec<Document<'a, F>>,
}

/// A sender or receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// Nine digits.
    pub(crate) number: String,
    pub(crate) name: Option<String>,
    /// None: nobody knows one.
    pub(crate) address: Option<Address>,
}

/// A postal address, in which anything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) line: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) place: Option<String>,
    pub(crate) country: Option<String>,
}

/// What the archive says about the letter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) case_year: Option<i64>,
    pub(crate) case_number: Option<i64>,
    pub(crate) year: Option<i64>,
    pub(crate) sequence_number: Option<i64>,
    pub(crate) number: Option<i64>,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) date: Option<XmlDate>,
    pub(crate) document_date: Option<XmlDate>,
    pub(crate) title: Option<String>,
    pub(crate) case_worker: Option<String>,
    /// Name and value, in the order of the arkivmelding.
    pub(crate) extra: Vec<(String, String)>,
}

/// A document.
pub(crate) struct Document<'a, F> {
    pub(crate) file: &'a F,
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// None: SvarUt decides.
    pub(crate) not_printed: Option<bool>,
}

/// The arkivmelding of a message.
pub(crate) fn arkivmelding<H: Host>(host: &H, files: &[H::File]) -> Result<Arkivmelding, Failure> {
    let file = files.iter().find(|file| host.name(file) == FILE_NAME);
    let file = file.ok_or_else(|| Failure::permanent("arkivmelding", "the message has no file arkivmelding.xml"))?;
    Ok(Arkivmelding::read(&host.read(file, MAX_BYTES)?)?)
}

/// The files that the arkivmelding refers to, in the order in which SvarUt is to have them, each once. Other files are not sent, and
/// neither is the arkivmelding itself. The texts name no file: names are content.
///
/// Spec: DPF and DPFIO, 5.5.
pub(crate) fn documents<'a, H: Host>(
    host: &H,
    arkivmelding: &Arkivmelding,
    files: &'a [H::File],
    not_printed: &[String],
) -> Result<Vec<Document<'a, H::File>>, Failure> {
    let mut documents: Vec<Document<'a, H::File>> = Vec::new();
    for name in arkivmelding.files() {
        if documents.iter().any(|document| document.name == name) || name == FILE_NAME {
            continue;
        }
        let file = files.iter().find(|file| host.name(file) == name).ok_or_else(|| {
            let text = "a file that arkivmelding.xml refers to is not among the files of the message";
            Failure::permanent("missing-file", text)
        })?;
        let media_type = host.media_type(file);
        documents.push(Document {
            file,
            name: name.to_owned(),
            media_type: if media_type.is_empty() {
                "application/octet-stream".to_owned()
            } else {
                media_type
            },
            not_printed: is_not_printed(name, not_printed),
        });
    }
    if documents.is_empty() {
        let text = "arkivmelding.xml refers to no file, and SvarUt takes nothing without one";
        return Err(Failure::permanent("no-documents", text));
    }
    Ok(documents)
}

/// Spec: DPF and DPFIO, 5.5.
fn is_not_printed(name: &str, extensions: &[String]) -> Option<bool> {
    let extension = name.rsplit('.').next().unwrap_or(name);
    if extension.eq_ignore_ascii_case("pdf") {
        return Some(false);
    }
    let listed = extensions.iter().any(|known| known == "*" || known == extension);
    listed.then_some(true)
}

/// The title that everybody may see.
pub(crate) fn title(arkivmelding: &Arkivmelding) -> Result<&str, Failure> {
    arkivmelding
        .title()
        .ok_or_else(|| Failure::permanent("no-title", "the journalpost of arkivmelding.xml has no title"))
}

/// Spec: DPF and DPFIO, 5.1. What is odd is told to `warn`, without content.
pub(crate) fn metadata(arkivmelding: &Arkivmelding, mut warn: impl FnMut(&str)) -> Metadata {
    let (saksmappe, letter) = (&arkivmelding.saksmappe, &arkivmelding.journalpost);
    let mut told = |(code, warning): (&'static str, Option<String>)| {
        if let Some(warning) = warning {
            warn(&warning);
        }
        code
    };
    let kind = told(JOURNALPOSTTYPE.code(letter.kind.as_deref()));
    let status = told(JOURNALSTATUS.code(letter.status.as_deref()));
    let mut date = |written: &Option<String>| {
        let written = written.as_deref().filter(|text| !text.is_empty())?;
        let date = XmlDate::parse(written);
        if date.is_none() {
            warn("a date in arkivmelding.xml is none, and is left out");
        }
        date
    };
    let (day, document_date) = (date(&letter.date), date(&letter.document_date));
    let mut extra = Vec::new();
    for piece in &letter.metadata {
        match &piece.value {
            Some(value) => extra.push((piece.name.clone(), value.clone())),
            None => warn("an element of virksomhetsspesifikkeMetadata has no simple value, and is left out"),
        }
    }
    let sender = letter.parties.iter().find(|party| is_sender(party));
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Metadata {
        case_year: saksmappe.year,
        case_number: saksmappe.sequence_number,
        year: letter.year,
        sequence_number: letter.sequence_number,
        number: letter.number,
        kind,
        status,
        date: day,
        document_date,
        title: text(&letter.public_title),
        case_worker: sender.and_then(|sender| text(&sender.case_worker)),
        extra,
    }
}

const PARTY_TYPES: [&str; 6] = [
    "Avsender",
    "Mottaker",
    "Kopimottaker",
    "Gruppemottaker",
    "Intern avsender",
    "Intern mottaker",
];

fn is_sender(party: &Korrespondansepart) -> bool {
    party.kind.as_deref() == Some(PARTY_TYPES[0])
}

/// The sender as the arkivmelding has it. None when it has none, or when one of its parties is of no known type.
/// Spec: DPF and DPFIO, 5.4.
pub(crate) fn written_sender(arkivmelding: &Arkivmelding, number: &str) -> Option<Party> {
    let parties = &arkivmelding.journalpost.parties;
    let known = |party: &Korrespondansepart| party.kind.as_deref().is_some_and(|kind| PARTY_TYPES.contains(&kind));
    if !parties.iter().all(known) {
        return None;
    }
    let sender = parties.iter().find(|party| is_sender(party))?;
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let lines: Vec<&str> = sender
        .lines
        .iter()
        .map(String::as_str)
        .filter(|line| !line.is_empty())
        .collect();
    Some(Party {
        number: number.to_owned(),
        name: text(&sender.name),
        address: Some(Address {
            line: (!lines.is_empty()).then(|| lines.join(" ")),
            code: text(&sender.postal_code),
            place: text(&sender.place),
            country: text(&sender.country),
        }),
    })
}

/// A party as the address service has it.
pub(crate) fn registered<H: Host>(host: &H, number: &str) -> Result<Party, Failure> {
    let host::Party { name, address } = host.look_up(number)?.unwrap_or_default();
    let known = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Ok(Party {
        number: number.to_owned(),
        name: known(name),
        address: address.map(|address| Address {
            line: known(address.street),
            code: known(address.postal_code),
            place: known(address.place),
            country: known(address.country),
        }),
    })
}

#[cfg(test)]
mod tests;
