//! What is read from `arkivmelding.xml`: title, reference and the files it refers to. Spec: documents and packaging, 6.2.
//!
//! The file is read leniently: no schema, unknown content is skipped, the name of the root does not matter. Entities are
//! never expanded from a document type, so a small file stays small.

use std::fmt;

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

/// The namespace of all elements that are read.
const NOARK5: Namespace<'_> = Namespace("http://www.arkivverket.no/standarder/noark5/arkivmelding");
const XSI: Namespace<'_> = Namespace("http://www.w3.org/2001/XMLSchema-instance");

/// The name that the file must have, in exactly this case.
pub const FILE_NAME: &str = "arkivmelding.xml";

/// Largest file that is read, in bytes. A description of a document is about 1 KiB.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;

/// Most attributes of one element. The check that no attribute stands twice compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// Longest text of an element that is read, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Most files that one message can refer to.
const MAX_FILES: usize = 10_000;

/// What the integrasjonspunkt needs to know of an arkivmelding: its first saksmappe's first journalpost. `Debug` shows no
/// titles and no file names.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Arkivmelding {
    title: Option<String>,
    public_title: Option<String>,
    system_id: Option<String>,
    journalpost_number: Option<i64>,
    files: Vec<String>,
}

/// Why an `arkivmelding.xml` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArkivmeldingError {
    /// Larger than [`MAX_BYTES`].
    #[error("arkivmelding.xml is {0} bytes, at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// The bytes are not text in an encoding that is read.
    #[error("arkivmelding.xml must be encoded in UTF-8, UTF-16 or ISO-8859-1")]
    Encoding,
    /// Not well-formed.
    #[error("arkivmelding.xml is not well-formed XML near byte {position}: {detail}")]
    NotWellFormed {
        /// Where it went wrong.
        position: u64,
        /// What the XML reader says.
        detail: String,
    },
    /// Nested beyond reason.
    #[error("arkivmelding.xml has elements more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A title or file name beyond reason.
    #[error("arkivmelding.xml has an element '{0}' with more than {MAX_TEXT} bytes of text")]
    TextTooLong(&'static str),
    /// More files than a message can have.
    #[error("arkivmelding.xml refers to more than {MAX_FILES} files")]
    TooManyFiles,
    /// There is no `mappe` of type saksmappe right below the root.
    #[error("arkivmelding.xml has no mappe of type saksmappe")]
    NoSaksmappe,
    /// The first saksmappe has no `basisregistrering` of type journalpost.
    #[error("the first saksmappe of arkivmelding.xml has no basisregistrering of type journalpost")]
    NoJournalpost,
}

impl Arkivmelding {
    /// Reads the file.
    pub fn read(bytes: &[u8]) -> Result<Self, ArkivmeldingError> {
        if bytes.len() > MAX_BYTES {
            return Err(ArkivmeldingError::TooLarge(bytes.len()));
        }
        let text = budstikke_encoding::decode(bytes).ok_or(ArkivmeldingError::Encoding)?;
        Walk::default().through(&text)
    }

    /// The title of the conversation: the journalpost's offentligTittel, or its tittel when that is absent or empty.
    pub fn title(&self) -> Option<&str> {
        [&self.public_title, &self.title]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|title| !title.is_empty())
    }

    /// The reference of the message, `<systemID of the saksmappe>-<journalpostnummer>`, when both are given.
    pub fn message_reference(&self) -> Option<String> {
        Some(format!("{}-{}", self.system_id.as_deref()?, self.journalpost_number?))
    }

    /// The names of the files that must be there, by dokumentnummer; documents without a number come last.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The files that are referred to but not among the given ones, each once.
    pub fn missing_files(&self, present: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut missing: Vec<&str> = Vec::new();
        for file in &self.files {
            if !present(file) && !missing.contains(&file.as_str()) {
                missing.push(file);
            }
        }
        missing
    }
}

impl fmt::Debug for Arkivmelding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arkivmelding")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

/// Where in the document an element stands. Everything below `Other` is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Saksmappe,
    Journalpost,
    Dokumentbeskrivelse,
    Dokumentobjekt,
    Leaf(Leaf),
    Other,
}

/// An element whose text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    SystemId,
    Title,
    PublicTitle,
    JournalpostNumber,
    DocumentNumber,
    FileReference,
}

impl Leaf {
    fn name(self) -> &'static str {
        match self {
            Self::SystemId => "systemID",
            Self::Title => "tittel",
            Self::PublicTitle => "offentligTittel",
            Self::JournalpostNumber => "journalpostnummer",
            Self::DocumentNumber => "dokumentnummer",
            Self::FileReference => "referanseDokumentfil",
        }
    }
}

/// Where the elements that matter stand: parent, name, `xsi:type` if it matters, place.
#[rustfmt::skip]
const PLACES: [(Place, &str, Option<&str>, Place); 10] = [
    (Place::Root,                "mappe",                Some("saksmappe"),   Place::Saksmappe),
    (Place::Saksmappe,           "systemID",             None,                Place::Leaf(Leaf::SystemId)),
    (Place::Saksmappe,           "basisregistrering",    Some("journalpost"), Place::Journalpost),
    (Place::Journalpost,         "tittel",               None,                Place::Leaf(Leaf::Title)),
    (Place::Journalpost,         "offentligTittel",      None,                Place::Leaf(Leaf::PublicTitle)),
    (Place::Journalpost,         "journalpostnummer",    None,                Place::Leaf(Leaf::JournalpostNumber)),
    (Place::Journalpost,         "dokumentbeskrivelse",  None,                Place::Dokumentbeskrivelse),
    (Place::Dokumentbeskrivelse, "dokumentnummer",       None,                Place::Leaf(Leaf::DocumentNumber)),
    (Place::Dokumentbeskrivelse, "dokumentobjekt",       None,                Place::Dokumentobjekt),
    (Place::Dokumentobjekt,      "referanseDokumentfil", None,                Place::Leaf(Leaf::FileReference)),
];

/// One walk through the document, from start to end.
#[derive(Default)]
struct Walk {
    found: Arkivmelding,
    path: Vec<Place>,
    rooted: bool,
    saksmappe: bool,
    journalpost: bool,
    text: String,
    document_number: Option<i64>,
    document_files: Vec<String>,
    documents: Vec<(Option<i64>, Vec<String>)>,
    file_count: usize,
}

impl Walk {
    fn through(mut self, text: &str) -> Result<Arkivmelding, ArkivmeldingError> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_end_names = true;
        loop {
            let position = reader.buffer_position();
            let broken = |detail: &dyn ToString| ArkivmeldingError::NotWellFormed {
                position,
                detail: detail.to_string(),
            };
            let event = reader.read_event().map_err(|error| broken(&error))?;
            match event {
                Event::Start(start) => self.open(&reader, &start).map_err(|fault| fault.at(position))?,
                Event::Empty(start) => {
                    self.open(&reader, &start).map_err(|fault| fault.at(position))?;
                    self.close()?;
                }
                Event::End(_) => self.close()?,
                Event::Text(text) => self
                    .push(&text.xml_content(XmlVersion::Explicit1_0))
                    .map_err(|fault| fault.at(position))?,
                Event::CData(text) => self
                    .push(&text.xml_content(XmlVersion::Explicit1_0))
                    .map_err(|fault| fault.at(position))?,
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character.to_string(),
                        Ok(None) => quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                            .ok_or_else(|| broken(&"an entity that is not one of XML's own five"))?
                            .to_owned(),
                        Err(error) => return Err(broken(&error)),
                    };
                    self.push(&resolved).map_err(|fault| fault.at(position))?;
                }
                Event::Eof if !self.path.is_empty() || !self.rooted => return Err(broken(&"it ends too early")),
                Event::Eof => return self.finish(),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
            }
        }
    }

    fn open(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.path.len() >= MAX_DEPTH {
            return Err(Fault::Other(ArkivmeldingError::TooDeep));
        }
        for (number, attribute) in start.attributes().enumerate() {
            attribute.map_err(|error| Fault::Syntax(error.to_string()))?;
            if number >= MAX_ATTRIBUTES {
                return Err(Fault::Syntax(format!(
                    "an element with more than {MAX_ATTRIBUTES} attributes"
                )));
            }
        }
        let place = match self.path.last() {
            None if self.rooted => return Err(Fault::Syntax("a second root element".to_owned())),
            None => Place::Root,
            Some(parent) => self.place(*parent, reader, start),
        };
        self.rooted = true;
        match place {
            Place::Saksmappe => self.saksmappe = true,
            Place::Journalpost => self.journalpost = true,
            Place::Dokumentbeskrivelse => self.document_number = None,
            Place::Leaf(_) => self.text.clear(),
            Place::Root | Place::Dokumentobjekt | Place::Other => {}
        }
        self.path.push(place);
        Ok(())
    }

    /// Only the first saksmappe and its first journalpost count.
    fn place(&self, parent: Place, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Place {
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        if namespace != ResolveResult::Bound(NOARK5) {
            return Place::Other;
        }
        let row = PLACES.iter().find(|(above, element, kind, _)| {
            *above == parent && *element == name.as_ref() && kind.is_none_or(|kind| is_of_type(reader, start, kind))
        });
        match row.map(|(.., place)| *place) {
            Some(Place::Saksmappe) if self.saksmappe => Place::Other,
            Some(Place::Journalpost) if self.journalpost => Place::Other,
            Some(place) => place,
            None => Place::Other,
        }
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.path.is_empty() && !text.chars().all(|c| c.is_ascii_whitespace() || c == '\u{feff}') {
            return Err(Fault::Syntax("text outside the root element".to_owned()));
        }
        let Some(Place::Leaf(leaf)) = self.path.last() else {
            return Ok(());
        };
        if self.text.len() + text.len() > MAX_TEXT {
            return Err(Fault::Other(ArkivmeldingError::TextTooLong(leaf.name())));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ArkivmeldingError> {
        match self.path.pop() {
            Some(Place::Leaf(leaf)) => self.keep(leaf)?,
            Some(Place::Dokumentbeskrivelse) => {
                let files = std::mem::take(&mut self.document_files);
                self.documents.push((self.document_number.take(), files));
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, leaf: Leaf) -> Result<(), ArkivmeldingError> {
        let text = self.text.trim().to_owned();
        let found = &mut self.found;
        match leaf {
            Leaf::SystemId => found.system_id = Some(text).filter(|text| !text.is_empty()),
            Leaf::Title => found.title = Some(text),
            Leaf::PublicTitle => found.public_title = Some(text),
            Leaf::JournalpostNumber => found.journalpost_number = text.parse().ok(),
            Leaf::DocumentNumber => self.document_number = text.parse().ok(),
            Leaf::FileReference if text.is_empty() => {}
            Leaf::FileReference => {
                self.file_count += 1;
                if self.file_count > MAX_FILES {
                    return Err(ArkivmeldingError::TooManyFiles);
                }
                self.document_files.push(text);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Arkivmelding, ArkivmeldingError> {
        if !self.saksmappe {
            return Err(ArkivmeldingError::NoSaksmappe);
        }
        if !self.journalpost {
            return Err(ArkivmeldingError::NoJournalpost);
        }
        // Stable, so that documents without a number keep the order of the file. Spec: 17, sharp edge 22.
        self.documents.sort_by_key(|(number, _)| number.unwrap_or(i64::MAX));
        self.found.files = self.documents.into_iter().flat_map(|(_, files)| files).collect();
        Ok(self.found)
    }
}

/// Whether `xsi:type` names the type. Its prefix is not looked up: writers get it wrong, and there is only one saksmappe.
fn is_of_type(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, kind: &str) -> bool {
    start.attributes().flatten().any(|attribute| {
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        let value: &str = attribute.value.as_ref();
        namespace == ResolveResult::Bound(XSI)
            && name.as_ref() == "type"
            && value.trim().rsplit(':').next() == Some(kind)
    })
}

/// A fault whose place in the file is known only further out.
enum Fault {
    Syntax(String),
    Other(ArkivmeldingError),
}

impl Fault {
    fn at(self, position: u64) -> ArkivmeldingError {
        match self {
            Self::Syntax(detail) => ArkivmeldingError::NotWellFormed { position, detail },
            Self::Other(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
