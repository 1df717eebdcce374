//! The three manifests of a container: ASiCManifest, OASIS and eFormidling's own.
//!
//! Spec: documents and packaging, 7.1, 7.2 and 7.4.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::escape;
use roxmltree::{Document, Node, ParsingOptions};

use super::{ASIC_E, AsicError, ZipError, is_xml_text};

pub(super) const SHA256_URI: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ASIC_NAMESPACE: &str = "http://uri.etsi.org/02918/v1.2.1#";
/// Older spellings that senders still use.
const ASIC_NAMESPACES: [&str; 3] = [
    ASIC_NAMESPACE,
    "http://uri.etsi.org/02918/v1.1.1#",
    "http://uri.etsi.org/2918/v1.2.1#",
];
pub(super) const DSIG_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";
const OASIS_NAMESPACE: &str = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// Signature that a manifest means when it names none.
const DEFAULT_SIGNATURE: &str = "META-INF/signature.p7s";
/// Most XML nodes in one manifest; a container with 65 535 documents needs about ten for each.
const MAX_NODES: u32 = 1_000_000;

/// One document as a manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) mime: Option<String>,
    pub(super) digest: Vec<u8>,
}

/// An ASiCManifest that was read.
#[derive(Debug)]
pub(super) struct AsicManifest {
    pub(super) signature: String,
    pub(super) documents: Vec<Listed>,
    pub(super) root_file: Option<String>,
}

/// The document that stands first in the container.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryDocument<'a> {
    /// Name of its entry.
    pub name: &'a str,
    /// Its media type.
    pub mime: &'a str,
}

/// eFormidling's `manifest.xml`. Sender and receiver are ISO 6523 identifiers (`0192:991825827`).
///
/// Fails with [`ZipError::BadName`] where a value holds characters that XML cannot carry.
/// Spec: documents and packaging, 7.4.
pub fn manifest_xml(sender: &str, receiver: &str, primary: Option<PrimaryDocument<'_>>) -> Result<String, AsicError> {
    let mut xml = String::from(DECLARATION);
    xml.push_str("<manifest>");
    for (role, identifier) in [("mottaker", receiver), ("avsender", sender)] {
        let identifier = text(identifier)?;
        let _ = write!(
            xml,
            "<{role}><organisasjon authority=\"iso6523-actorid-upis\">{identifier}</organisasjon></{role}>"
        );
    }
    if let Some(primary) = primary {
        let (name, mime) = (text(primary.name)?, text(primary.mime)?);
        let _ = write!(
            xml,
            "<hoveddokument href=\"{name}\" mime=\"{mime}\"><tittel lang=\"no\">Hoveddokument</tittel></hoveddokument>"
        );
    }
    xml.push_str("</manifest>");
    Ok(xml)
}

pub(super) fn write_asic_manifest(signature: &str, documents: &[Listed]) -> Result<String, AsicError> {
    let mut xml = String::from(DECLARATION);
    let _ = write!(
        xml,
        "<ASiCManifest xmlns=\"{ASIC_NAMESPACE}\" xmlns:ns2=\"{DSIG_NAMESPACE}\">"
    );
    let _ = write!(
        xml,
        "<SigReference URI=\"{}\" MimeType=\"application/x-pkcs7-signature\"/>",
        text(signature)?
    );
    for document in documents {
        let (name, mime) = (
            text(&document.name)?,
            text(document.mime.as_deref().unwrap_or_default())?,
        );
        let digest = STANDARD.encode(&document.digest);
        let _ = write!(
            xml,
            "<DataObjectReference URI=\"{name}\" MimeType=\"{mime}\"><ns2:DigestMethod Algorithm=\"{SHA256_URI}\"/>\
             <ns2:DigestValue>{digest}</ns2:DigestValue></DataObjectReference>"
        );
    }
    xml.push_str("</ASiCManifest>");
    Ok(xml)
}

pub(super) fn write_oasis_manifest(documents: &[Listed]) -> Result<String, AsicError> {
    let mut xml = String::from(DECLARATION);
    let _ = write!(xml, "<manifest:manifest xmlns:manifest=\"{OASIS_NAMESPACE}\">");
    let container = ("/", ASIC_E);
    let entries = documents
        .iter()
        .map(|d| (d.name.as_str(), d.mime.as_deref().unwrap_or_default()));
    for (name, mime) in std::iter::once(container).chain(entries) {
        let _ = write!(
            xml,
            "<manifest:file-entry manifest:media-type=\"{}\" manifest:full-path=\"{}\"/>",
            text(mime)?,
            text(name)?
        );
    }
    xml.push_str("</manifest:manifest>");
    Ok(xml)
}

pub(super) fn read_asic_manifest(file: &str, bytes: &[u8]) -> Result<AsicManifest, AsicError> {
    let bad = |reason: &str| AsicError::BadXml {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    let xml = parse_xml(file, bytes)?;
    let root = xml.root_element();
    if !is_asic(root, "ASiCManifest") {
        return Err(bad("its root is not ASiCManifest"));
    }
    let signature = root
        .children()
        .find(|n| is_asic(*n, "SigReference"))
        .and_then(|n| n.attribute("URI"))
        .unwrap_or(DEFAULT_SIGNATURE)
        .to_owned();
    let mut documents = Vec::new();
    let mut root_file = None;
    for reference in root.children().filter(|n| is_asic(*n, "DataObjectReference")) {
        let name = reference
            .attribute("URI")
            .ok_or_else(|| bad("a DataObjectReference without URI"))?;
        if reference.attribute("Rootfile") == Some("true") {
            root_file = Some(name.to_owned());
        }
        documents.push(Listed {
            name: name.to_owned(),
            mime: reference.attribute("MimeType").map(str::to_owned),
            digest: sha256_digest(file, name, reference)?,
        });
    }
    Ok(AsicManifest {
        signature,
        documents,
        root_file,
    })
}

/// DigestMethod and DigestValue below `reference`.
pub(super) fn sha256_digest(file: &str, name: &str, reference: Node<'_, '_>) -> Result<Vec<u8>, AsicError> {
    let bad = |reason: &str| AsicError::BadXml {
        file: file.to_owned(),
        reason: format!("{reason} of {name}"),
    };
    let child = |wanted: &str| reference.children().find(|n| n.has_tag_name((DSIG_NAMESPACE, wanted)));
    let algorithm = child("DigestMethod")
        .and_then(|n| n.attribute("Algorithm"))
        .ok_or_else(|| bad("no DigestMethod"))?;
    // Some senders put the xmldsig namespace in front of SHA-2 names that xmlenc defines.
    if algorithm != SHA256_URI && algorithm != "http://www.w3.org/2000/09/xmldsig#sha256" {
        return Err(AsicError::WrongDigestMethod {
            file: name.to_owned(),
            algorithm: algorithm.to_owned(),
        });
    }
    let value = child("DigestValue")
        .and_then(|n| n.text())
        .ok_or_else(|| bad("no DigestValue"))?;
    let value: String = value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(value).map_err(|_| bad("the DigestValue is not base64"))
}

/// Parses without document type declaration and with a bound on the number of nodes.
pub(super) fn parse_xml<'a>(file: &str, bytes: &'a [u8]) -> Result<Document<'a>, AsicError> {
    let bad = |reason: String| AsicError::BadXml {
        file: file.to_owned(),
        reason,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8".to_owned()))?;
    if !is_modest(text) {
        return Err(bad("it has too many attributes or namespaces".to_owned()));
    }
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|e| bad(e.to_string()))
}

/// Most attributes of one element and most namespace prefixes of a document. Real ones have at most five.
const MAX_ATTRIBUTES: usize = 64;
const MAX_PREFIXES: usize = 32;

/// The parser compares each attribute with each other of its element, and copies the prefixes in scope to every
/// element that declares one: both grow with the square of hostile input, so they are bounded beforehand.
fn is_modest(text: &str) -> bool {
    // An attribute value cannot hold a raw '<', so each piece holds at most one tag.
    let modest_tags = text
        .split('<')
        .filter(|piece| !piece.starts_with(['!', '?']))
        .all(|piece| piece.bytes().filter(|b| *b == b'=').take(MAX_ATTRIBUTES + 1).count() <= MAX_ATTRIBUTES);
    let mut prefixes = HashSet::new();
    modest_tags
        && text.split("xmlns:").skip(1).all(|rest| {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            prefixes.insert(&rest[..end]);
            prefixes.len() <= MAX_PREFIXES
        })
}

fn is_asic(node: Node<'_, '_>, name: &str) -> bool {
    let tag = node.tag_name();
    node.is_element() && tag.name() == name && tag.namespace().is_some_and(|n| ASIC_NAMESPACES.contains(&n))
}

/// Escapes for text and attribute alike.
fn text(raw: &str) -> Result<std::borrow::Cow<'_, str>, AsicError> {
    if raw.chars().all(is_xml_text) {
        Ok(escape(raw))
    } else {
        Err(ZipError::BadName(raw.escape_debug().take(200).collect()).into())
    }
}
