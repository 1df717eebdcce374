//! The header as it is written. Required members are options here: what is missing is told by the validation.

use serde::{Serialize, Serializer};

use super::scope::Scope;
use crate::datetime::DateTime;
use crate::identifier::Identifier;

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub(super) struct Header {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) header_version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sender: Vec<Partner>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) receiver: Vec<Partner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_identification: Option<DocumentIdentification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) manifest: Option<Manifest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) business_scope: Option<BusinessScope>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Partner {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identifier: Option<PartnerIdentifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) contact_information: Vec<Contact>,
}

impl Partner {
    pub(super) fn identifier(&self) -> Option<Identifier> {
        let written = self.identifier.as_ref()?;
        Identifier::parse(written.authority.as_deref()?, written.value.as_deref()?).ok()
    }
}

impl From<&Identifier> for Partner {
    fn from(id: &Identifier) -> Self {
        let identifier = PartnerIdentifier {
            value: Some(id.as_str().to_owned()),
            authority: Some(id.authority().as_str().to_owned()),
        };
        Self {
            identifier: Some(identifier),
            contact_information: Vec::new(),
        }
    }
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartnerIdentifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authority: Option<String>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub(super) struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fax_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) telephone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact_type_identifier: Option<String>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DocumentIdentification {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) standard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) type_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance_identifier: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) multiple_type: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    pub(super) creation_date_and_time: Option<DateTime>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number_of_items: Option<i64>,
    pub(super) manifest_item: Vec<ManifestItem>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManifestItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type_qualifier_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uniform_resource_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language_code: Option<String>,
}

#[derive(Clone, PartialEq, Default, Serialize)]
pub(super) struct BusinessScope {
    pub(super) scope: Vec<Scope>,
}

/// Writes a date-time as the client wrote it.
#[expect(clippy::ref_option, reason = "serde hands the member over like this")]
pub(super) fn as_written<S: Serializer>(time: &Option<DateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&time.as_ref().map(DateTime::as_str))
}
