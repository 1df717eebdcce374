//! The XML of a forsendelse, element by element in the order of the schema (Spec: DPF and DPFIO, 7.1).

use roxmltree::Node;
use serde_json::{Value, json};
use uuid::Uuid;

use super::forsendelse::{Address, Document, Forsendelse, Party};
use super::multipart::Part;
use super::xml::{V9, XSI, child, children, flag, int, text};

const XOP: &str = "http://www.w3.org/2004/08/xop/include";

const FORSENDELSE: [&str; 18] = [
    "avgivendeSystem?",
    "dokumenter*",
    "eksternref?",
    "forsendelseType?",
    "konteringskode?",
    "krevNiva4Innlogging",
    "kryptert",
    "kunDigitalLevering",
    "lenker*",
    "metadataForImport?",
    "metadataFraAvleverendeSystem?",
    "mottaker?",
    "printkonfigurasjon?",
    "signaturtype",
    "signeringUtloper",
    "svarPaForsendelse?",
    "svarPaForsendelseLink",
    "svarSendesTil?",
];

const METADATA: [&str; 12] = [
    "dokumentetsDato?",
    "ekstraMetadata*",
    "journalaar",
    "journaldato?",
    "journalpostnummer",
    "journalposttype?",
    "journalsekvensnummer",
    "journalstatus?",
    "saksaar",
    "saksbehandler?",
    "sakssekvensnummer",
    "tittel?",
];

/// The forsendelse with its documents as they came, and whether they are encrypted.
pub(super) fn read(nodes: &[Node<'_, '_>], attachments: &[Part<'_>]) -> Result<(Forsendelse, bool), String> {
    let id = text(nodes, "forsendelsesid").and_then(|id| id.parse::<Uuid>().ok());
    let id = id.ok_or("Ugyldig innhold: forsendelsesid er ikke en uuid")?;
    let outer = child(nodes, "forsendelse").ok_or("Unmarshalling Error: no forsendelse")?;
    let mut schema = FORSENDELSE.to_vec();
    schema.push("tittel");
    let inner = children(outer, &schema)?;
    nil(&inner, "signaturtype")?;
    nil(&inner, "signeringUtloper")?;
    flag(&inner, "svarPaForsendelseLink")?;
    print(&inner)?;
    let documents = inner
        .iter()
        .filter(|node| node.has_tag_name("dokumenter"))
        .map(|node| document(*node, attachments))
        .collect::<Result<Vec<_>, _>>()?;
    if documents.len() != attachments.len() {
        return Err("an attachment that no document includes".to_owned());
    }
    let title = text(&inner, "tittel").unwrap_or_default();
    if title.is_empty() {
        return Err("Ugyldig innhold: tittel mangler".to_owned());
    }
    let receiver = child(&inner, "mottaker").map(party).transpose()?;
    let answers = text(&inner, "svarPaForsendelse")
        .map(|id| id.parse().map_err(|_| "Ugyldig innhold: svarPaForsendelse"))
        .transpose()?;
    let level4 = flag(&inner, "krevNiva4Innlogging")?;
    let forsendelse = Forsendelse {
        id,
        came_by: "soap".to_owned(),
        external_reference: text(&inner, "eksternref"),
        kind: text(&inner, "forsendelseType"),
        title,
        level: if level4 { 4 } else { 3 },
        receiver: receiver.ok_or("Ugyldig innhold: mottaker mangler")?,
        answers_to: child(&inner, "svarSendesTil").map(party).transpose()?,
        answers,
        digital_only: flag(&inner, "kunDigitalLevering")?,
        metadata: child(&inner, "metadataFraAvleverendeSystem").map_or(Ok(Value::Null), metadata)?,
        documents,
        raw: Value::String(source(outer)),
        ..Forsendelse::default()
    };
    Ok((forsendelse, flag(&inner, "kryptert")?))
}

fn source(node: Node<'_, '_>) -> String {
    node.document()
        .input_text()
        .get(node.range())
        .unwrap_or_default()
        .to_owned()
}

fn nil(nodes: &[Node<'_, '_>], name: &str) -> Result<(), String> {
    let node = child(nodes, name);
    match node.and_then(|node| node.attribute((XSI, "nil"))) {
        Some("true" | "1") => Ok(()),
        _ => Err(format!("`{name}` is not supported but as nil")),
    }
}

fn print(nodes: &[Node<'_, '_>]) -> Result<(), String> {
    let Some(node) = child(nodes, "printkonfigurasjon") else {
        return Ok(());
    };
    let inner = children(node, &["brevtype", "fargePrint", "tosidig"])?;
    flag(&inner, "fargePrint")?;
    flag(&inner, "tosidig")?;
    match text(&inner, "brevtype").as_deref() {
        Some("APOST" | "BPOST") => Ok(()),
        _ => Err("Unmarshalling Error: `brevtype` is unknown".to_owned()),
    }
}

fn document(node: Node<'_, '_>, attachments: &[Part<'_>]) -> Result<Document, String> {
    let schema = [
        "data",
        "dokumentType?",
        "ekskluderesFraPrint",
        "filnavn",
        "giroarkSider*",
        "mimetype",
        "skalSigneres",
    ];
    let inner = children(node, &schema)?;
    flag(&inner, "skalSigneres")?;
    let include =
        child(&inner, "data").and_then(|data| data.children().find(|node| node.has_tag_name((XOP, "Include"))));
    let href = include
        .and_then(|include| include.attribute("href"))
        .unwrap_or_default();
    let name = href
        .strip_prefix("cid:")
        .ok_or("a document whose data is no attachment")?;
    let id = format!("<{name}>");
    let part = attachments.iter().find(|part| part.header("content-id") == Some(&id));
    Ok(Document {
        name: text(&inner, "filnavn").unwrap_or_default(),
        media_type: text(&inner, "mimetype").unwrap_or_default(),
        not_printed: Some(flag(&inner, "ekskluderesFraPrint")?),
        content: part.ok_or("a document whose attachment is missing")?.content.to_vec(),
    })
}

fn party(node: Node<'_, '_>) -> Result<Party, String> {
    let inner = children(node, &["digitalAdresse?", "postAdresse?"])?;
    let number = child(&inner, "digitalAdresse").map(digital).transpose()?;
    let schema = [
        "adresse1?",
        "adresse2?",
        "adresse3?",
        "land?",
        "navn?",
        "postnr?",
        "poststed?",
    ];
    let post = child(&inner, "postAdresse").map_or(Ok(Vec::new()), |post| children(post, &schema))?;
    let lines = ["adresse1", "adresse2", "adresse3"];
    Ok(Party {
        number: number.unwrap_or_default(),
        name: text(&post, "navn").unwrap_or_default(),
        address: Some(Address {
            lines: lines.into_iter().filter_map(|line| text(&post, line)).collect(),
            code: text(&post, "postnr").unwrap_or_default(),
            place: text(&post, "poststed").unwrap_or_default(),
            country: text(&post, "land"),
        }),
    })
}

/// The type says what kind of address it is; its prefix must be bound to the service's namespace.
fn digital(node: Node<'_, '_>) -> Result<String, String> {
    let kind = node.attribute((XSI, "type")).unwrap_or_default();
    let (prefix, local) = kind.split_once(':').unwrap_or(("", kind));
    let bound = node.lookup_namespace_uri(Some(prefix).filter(|prefix| !prefix.is_empty()));
    let name = match local {
        "organisasjonDigitalAdresse" if bound == Some(V9) => "orgnr",
        "personDigitalAdresse" if bound == Some(V9) => "fnr",
        _ => return Err("Unmarshalling Error: digitalAdresse is abstract".to_owned()),
    };
    let inner = children(node, &[name])?;
    Ok(text(&inner, name).unwrap_or_default())
}

fn metadata(node: Node<'_, '_>) -> Result<Value, String> {
    let inner = children(node, &METADATA)?;
    let pairs = inner
        .iter()
        .filter(|node| node.has_tag_name("ekstraMetadata"))
        .map(|node| {
            let pair = children(*node, &["key", "value"])?;
            Ok(json!({ "key": text(&pair, "key"), "value": text(&pair, "value") }))
        })
        .collect::<Result<Vec<Value>, String>>()?;
    Ok(json!({
        "sakssekvensnummer": int(&inner, "sakssekvensnummer")?, "saksaar": int(&inner, "saksaar")?,
        "journalaar": int(&inner, "journalaar")?, "journalsekvensnummer": int(&inner, "journalsekvensnummer")?,
        "journalpostnummer": int(&inner, "journalpostnummer")?, "journalposttype": text(&inner, "journalposttype"),
        "journalstatus": text(&inner, "journalstatus"), "journaldato": millis(&inner, "journaldato")?,
        "dokumentetsDato": millis(&inner, "dokumentetsDato")?, "tittel": text(&inner, "tittel"),
        "saksBehandler": text(&inner, "saksbehandler"), "ekstraMetadata": pairs,
    }))
}

/// An xs:dateTime; without a zone it is Norwegian time.
fn millis(nodes: &[Node<'_, '_>], name: &str) -> Result<Option<i64>, String> {
    let Some(written) = text(nodes, name) else {
        return Ok(None);
    };
    let instant = written.parse::<jiff::Timestamp>().ok().or_else(|| {
        let local: jiff::civil::DateTime = written.parse().ok()?;
        Some(local.in_tz("Europe/Oslo").ok()?.timestamp())
    });
    instant
        .map(|instant| Some(instant.as_millisecond()))
        .ok_or_else(|| format!("Unmarshalling Error: `{name}` is no dateTime"))
}
