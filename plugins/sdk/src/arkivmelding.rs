//! `arkivmelding.xml`, the Noark 5 description of a letter: reading what an adapter maps to its service, and writing one for what
//! came from a service that has none.
//!
//! Spec: documents and packaging, 6.

mod read;
mod write;

use std::fmt;

use crate::Failure;

pub use write::{Envelope, NotAName};

/// The namespace of all its elements.
pub(crate) const NOARK5: &str = "http://www.arkivverket.no/standarder/noark5/arkivmelding";
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The name that the file has among the files of a message, in exactly this case.
pub const FILE_NAME: &str = "arkivmelding.xml";

/// Largest file that is read, in bytes: what the host gives an adapter at once. A description of a document is about 1 KiB.
pub const MAX_BYTES: u32 = 16 * 1024 * 1024;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;

/// Most attributes of one element. The check that no attribute stands twice compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// Longest text of an element that is read, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Most of one kind that are read: files, parties, lines of an address, elements of metadata.
const MAX_COUNT: usize = 10_000;

/// An arkivmelding as far as message services have a place for it: its first saksmappe and the first journalpost in that. Texts
/// are trimmed; numbers that are none count as absent. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Arkivmelding {
    /// The first `mappe` of type saksmappe.
    pub saksmappe: Saksmappe,
    /// Its first `basisregistrering` of type journalpost.
    pub journalpost: Journalpost,
}

/// A case.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Saksmappe {
    /// `systemID`.
    pub system_id: Option<String>,
    /// `tittel`.
    pub title: Option<String>,
    /// `offentligTittel`.
    pub public_title: Option<String>,
    /// `saksaar`.
    pub year: Option<i64>,
    /// `sakssekvensnummer`.
    pub sequence_number: Option<i64>,
    /// `administrativEnhet`.
    pub unit: Option<String>,
    /// `saksansvarlig`.
    pub responsible: Option<String>,
}

/// A letter in a case.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Journalpost {
    /// `systemID`.
    pub system_id: Option<String>,
    /// `tittel`.
    pub title: Option<String>,
    /// `offentligTittel`.
    pub public_title: Option<String>,
    /// `journalaar`.
    pub year: Option<i64>,
    /// `journalsekvensnummer`.
    pub sequence_number: Option<i64>,
    /// `journalpostnummer`.
    pub number: Option<i64>,
    /// `journalposttype` as written: `Utgående dokument`.
    pub kind: Option<String>,
    /// `journalstatus` as written: `Journalført`.
    pub status: Option<String>,
    /// `journaldato` as written, an xs:date with or without a zone.
    pub date: Option<String>,
    /// `dokumentetsDato` as written, an xs:date with or without a zone.
    pub document_date: Option<String>,
    /// `korrespondansepart`, in the order of the file.
    pub parties: Vec<Korrespondansepart>,
    /// The children of `virksomhetsspesifikkeMetadata`, in the order of the file.
    pub metadata: Vec<Metadata>,
    /// `dokumentbeskrivelse` right below the journalpost, in the order of the file.
    pub documents: Vec<Dokumentbeskrivelse>,
}

/// Who writes, or who is written to.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Korrespondansepart {
    /// `korrespondanseparttype` as written: `Avsender`.
    pub kind: Option<String>,
    /// `korrespondansepartNavn`.
    pub name: Option<String>,
    /// `postadresse`, line by line.
    pub lines: Vec<String>,
    /// `postnummer`.
    pub postal_code: Option<String>,
    /// `poststed`.
    pub place: Option<String>,
    /// `land`.
    pub country: Option<String>,
    /// `administrativEnhet`.
    pub unit: Option<String>,
    /// `saksbehandler`.
    pub case_worker: Option<String>,
}

/// An element of an organisation's own.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Its name as written, prefix included.
    pub name: String,
    /// Its text, untrimmed; none when it is empty or has elements in it.
    pub value: Option<String>,
}

/// A document of a letter.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Dokumentbeskrivelse {
    /// `systemID`.
    pub system_id: Option<String>,
    /// `tittel`.
    pub title: Option<String>,
    /// `tilknyttetRegistreringSom` as written: `Hoveddokument`, `Vedlegg`.
    pub role: Option<String>,
    /// `dokumentnummer`.
    pub number: Option<i64>,
    /// `referanseDokumentfil` of each `dokumentobjekt`, in the order of the file.
    pub files: Vec<String>,
}

impl Dokumentbeskrivelse {
    /// Whether it is the main document.
    pub fn is_main(&self) -> bool {
        self.role.as_deref() == Some("Hoveddokument")
    }
}

impl Arkivmelding {
    /// Reads the file: UTF-8, UTF-16 or ISO-8859-1. Leniently: no schema, unknown content is skipped, the name of the root does
    /// not matter. Entities are never expanded from a document type, so a small file stays small.
    pub fn read(bytes: &[u8]) -> Result<Self, ArkivmeldingError> {
        if bytes.len() > MAX_BYTES as usize {
            return Err(ArkivmeldingError::TooLarge(bytes.len()));
        }
        let text = budstikke_encoding::decode(bytes).ok_or(ArkivmeldingError::Encoding)?;
        read::read(&text)
    }

    /// Writes the file. Each element stands where the schema `arkivmelding.xsd` has it, what is none is left out, and an empty text
    /// is an empty element. Characters that XML cannot carry become spaces.
    ///
    /// # Errors
    /// A piece of metadata whose name can be no element's.
    pub fn write(&self, envelope: &Envelope<'_>) -> Result<String, NotAName> {
        write::write(self, envelope)
    }

    /// The title for those who may not see all: the journalpost's offentligTittel, or its tittel when that is absent or empty.
    pub fn title(&self) -> Option<&str> {
        let journalpost = &self.journalpost;
        [&journalpost.public_title, &journalpost.title]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|title| !title.is_empty())
    }

    /// The files that the documents refer to, the main document's first, else in the order of the file. `dokumentnummer` plays no
    /// part in it: it is optional, and not every writer counts.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let documents = &self.journalpost.documents;
        let main = documents.iter().filter(|document| document.is_main());
        let others = documents.iter().filter(|document| !document.is_main());
        main.chain(others)
            .flat_map(|document| document.files.iter().map(String::as_str))
    }
}

macro_rules! without_content {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

without_content!(
    Arkivmelding,
    Saksmappe,
    Journalpost,
    Korrespondansepart,
    Metadata,
    Dokumentbeskrivelse
);

/// Why an `arkivmelding.xml` cannot be used. Becomes a permanent failure with code `arkivmelding`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArkivmeldingError {
    /// Larger than [`MAX_BYTES`].
    #[error("arkivmelding.xml is {0} bytes, at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// The bytes are not text in an encoding that is read.
    #[error("arkivmelding.xml must be encoded in UTF-8, UTF-16 or ISO-8859-1")]
    Encoding,
    /// Not well-formed.
    #[error("arkivmelding.xml is not well-formed XML near byte {position}")]
    NotWellFormed {
        /// Where it went wrong. What the reader says can have content in it, and stays out.
        position: u64,
    },
    /// Nested beyond reason.
    #[error("arkivmelding.xml has elements more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A text beyond reason.
    #[error("arkivmelding.xml has an element `{0}` with more than {MAX_TEXT} bytes of text")]
    TextTooLong(&'static str),
    /// More of one kind than a letter can have.
    #[error("arkivmelding.xml has more than {MAX_COUNT} elements `{0}`")]
    TooMany(&'static str),
    /// There is no `mappe` of type saksmappe right below the root.
    #[error("arkivmelding.xml has no mappe of type saksmappe")]
    NoSaksmappe,
    /// The first saksmappe has no `basisregistrering` of type journalpost.
    #[error("the first saksmappe of arkivmelding.xml has no basisregistrering of type journalpost")]
    NoJournalpost,
}

impl From<ArkivmeldingError> for Failure {
    fn from(error: ArkivmeldingError) -> Self {
        Self::permanent("arkivmelding", error.to_string())
    }
}
