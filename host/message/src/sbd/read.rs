//! Reads an SBD from JSON.

use serde_json::{Map, Value};

use super::header::{
    BusinessScope, Contact, DocumentIdentification, Header, Manifest, ManifestItem, Partner, PartnerIdentifier,
};
use super::scope::{Scope, ScopeInformation};
use super::{HEADER, Kind, Sbd, SbdError, json};
use crate::body;
use crate::datetime::DateTime;
use crate::document_type::MessageTypes;

/// Largest document that is read, in bytes. Files travel beside the SBD, so this is room for a raw receipt or two.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Longest member name in an error text, in characters.
const MAX_NAME: usize = 64;

impl Sbd {
    /// Reads a document.
    ///
    /// The two members may come in either order, unknown members of the header are ignored, raw control characters in
    /// strings are accepted, and numbers do where text is expected. A type in the header that differs from the member name
    /// only in case is made lower case, so that what is written can be read back. Whole numbers outside 64 bits in free
    /// content become floating point. Spec: documents and packaging, 1.1.
    pub fn parse(bytes: &[u8], types: &MessageTypes) -> Result<Self, SbdError> {
        if bytes.len() > MAX_BYTES {
            return Err(SbdError::TooLarge {
                limit: MAX_BYTES,
                actual: bytes.len(),
            });
        }
        let (header, name, body) = split(json::members(bytes)?)?;
        let unknown = || SbdError::UnknownMessageType(short(&name));
        let kind = types
            .get(&name)
            .filter(|kind| kind.readable)
            .ok_or_else(unknown)?
            .clone();
        let found = kind_of(&body);
        let Value::Object(mut body) = body else {
            return Err(SbdError::WrongKind {
                path: short(&name),
                expected: Kind::Object,
                found,
            });
        };
        // A body without a table is the client's own, with its nulls.
        if !kind.body.is_empty() {
            body::drop_nulls(kind.body, &mut body);
        }

        let found = kind_of(&header);
        let Value::Object(header) = header else {
            return Err(SbdError::WrongKind {
                path: HEADER.to_owned(),
                expected: Kind::Object,
                found,
            });
        };
        let mut header = read_header(&Node {
            members: &header,
            path: HEADER.to_owned(),
        })?;
        if let Some(declared) = header.document_identification.as_mut().and_then(|id| id.kind.as_mut())
            && let Some(row) = types.find(declared)
        {
            if row.name != kind.name {
                return Err(SbdError::TypeMismatch {
                    member: name,
                    declared: row.name.clone().into_owned(),
                });
            }
            *declared = name;
        }
        let sbd = Self { header, kind, body };
        if sbd.has_room() {
            Ok(sbd)
        } else {
            Err(SbdError::TooLargeWritten { limit: MAX_BYTES })
        }
    }
}

/// Tells the header from the business message.
fn split(members: Vec<(String, Value)>) -> Result<(Value, String, Value), SbdError> {
    let (mut header, mut body) = (None, None);
    for (name, value) in members {
        if name == HEADER {
            if header.replace(value).is_some() {
                return Err(SbdError::Duplicate(name));
            }
        } else if let Some((first, _)) = &body {
            let same = *first == name;
            return Err(if same {
                SbdError::Duplicate(short(&name))
            } else {
                SbdError::ExtraMember(short(&name))
            });
        } else {
            body = Some((name, value));
        }
    }
    let header = header.ok_or(SbdError::MissingHeader)?;
    let (name, body) = body.ok_or(SbdError::MissingBody)?;
    Ok((header, name, body))
}

fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// An object of the document and the way to it.
struct Node<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Node<'a> {
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn wrong(&self, name: &str, expected: Kind, found: &Value) -> SbdError {
        SbdError::WrongKind {
            path: self.path(name),
            expected,
            found: kind_of(found),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, SbdError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
            Some(other) => Err(self.wrong(name, Kind::Text, other)),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, SbdError> {
        let flag = |value: &Value| value.as_bool().ok_or_else(|| self.wrong(name, Kind::Boolean, value));
        self.value(name).map(flag).transpose()
    }

    fn whole_number(&self, name: &str) -> Result<Option<i64>, SbdError> {
        let number = |value| body::integer(value).ok_or_else(|| self.wrong(name, Kind::WholeNumber, value));
        self.value(name).map(number).transpose()
    }

    fn date_time(&self, name: &str) -> Result<Option<DateTime>, SbdError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => text
                .parse()
                .map(Some)
                .map_err(|_| SbdError::DateTime { path: self.path(name) }),
            Some(other) => Err(self.wrong(name, Kind::Text, other)),
        }
    }

    fn object<T>(&self, name: &str, read: fn(&Node<'_>) -> Result<T, SbdError>) -> Result<Option<T>, SbdError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(members)) => read(&Node {
                members,
                path: self.path(name),
            })
            .map(Some),
            Some(other) => Err(self.wrong(name, Kind::Object, other)),
        }
    }

    fn list<T>(&self, name: &str, read: fn(&Node<'_>) -> Result<T, SbdError>) -> Result<Vec<T>, SbdError> {
        let items = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong(name, Kind::List, other)),
        };
        let item = |(number, item): (usize, &Value)| match item {
            Value::Object(members) => read(&Node {
                members,
                path: format!("{}.{name}[{number}]", self.path),
            }),
            other => Err(self.wrong(&format!("{name}[{number}]"), Kind::Object, other)),
        };
        items.iter().enumerate().map(item).collect()
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::Text,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Object,
    }
}

fn read_header(node: &Node<'_>) -> Result<Header, SbdError> {
    Ok(Header {
        header_version: node.text("headerVersion")?,
        sender: node.list("sender", read_partner)?,
        receiver: node.list("receiver", read_partner)?,
        document_identification: node.object("documentIdentification", read_identification)?,
        manifest: node.object("manifest", read_manifest)?,
        business_scope: node.object("businessScope", |node| {
            Ok(BusinessScope {
                scope: node.list("scope", read_scope)?,
            })
        })?,
    })
}

fn read_partner(node: &Node<'_>) -> Result<Partner, SbdError> {
    Ok(Partner {
        identifier: node.object("identifier", |node| {
            Ok(PartnerIdentifier {
                value: node.text("value")?,
                authority: node.text("authority")?,
            })
        })?,
        contact_information: node.list("contactInformation", read_contact)?,
    })
}

fn read_contact(node: &Node<'_>) -> Result<Contact, SbdError> {
    Ok(Contact {
        contact: node.text("contact")?,
        email_address: node.text("emailAddress")?,
        fax_number: node.text("faxNumber")?,
        telephone_number: node.text("telephoneNumber")?,
        contact_type_identifier: node.text("contactTypeIdentifier")?,
    })
}

fn read_identification(node: &Node<'_>) -> Result<DocumentIdentification, SbdError> {
    Ok(DocumentIdentification {
        standard: node.text("standard")?,
        type_version: node.text("typeVersion")?,
        instance_identifier: node.text("instanceIdentifier")?,
        kind: node.text("type")?,
        multiple_type: node.flag("multipleType")?,
        creation_date_and_time: node.date_time("creationDateAndTime")?,
    })
}

fn read_manifest(node: &Node<'_>) -> Result<Manifest, SbdError> {
    Ok(Manifest {
        number_of_items: node.whole_number("numberOfItems")?,
        manifest_item: node.list("manifestItem", |node| {
            Ok(ManifestItem {
                mime_type_qualifier_code: node.text("mimeTypeQualifierCode")?,
                uniform_resource_identifier: node.text("uniformResourceIdentifier")?,
                description: node.text("description")?,
                language_code: node.text("languageCode")?,
            })
        })?,
    })
}

fn read_scope(node: &Node<'_>) -> Result<Scope, SbdError> {
    Ok(Scope {
        kind: node.text("type")?,
        instance_identifier: node.text("instanceIdentifier")?,
        identifier: node.text("identifier")?,
        scope_information: node.list("scopeInformation", |node| {
            Ok(ScopeInformation {
                requesting_document_creation_date_time: node.date_time("requestingDocumentCreationDateTime")?,
                requesting_document_instance_identifier: node.text("requestingDocumentInstanceIdentifier")?,
                expected_response_date_time: node.date_time("expectedResponseDateTime")?,
            })
        })?,
    })
}
