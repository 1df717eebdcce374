//! The schema of the Standard Business Document, with one business message for each message type of the table.
//! Spec: messaging API, 3.

use budstikke_message::body::{self, Field, Kind};
use budstikke_message::document_type::{MessageType, MessageTypes};
use budstikke_message::sbd::ScopeKind;
use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const NAME: &str = "StandardBusinessDocument";
const HEADER: &str = "StandardBusinessDocumentHeader";
const ADDRESS: &str = "PostalAddress";
/// Scopes, in the order of their importance.
const SCOPES: [ScopeKind; 6] = [
    ScopeKind::ConversationId,
    ScopeKind::SenderRef,
    ScopeKind::ReceiverRef,
    ScopeKind::MessageChannel,
    ScopeKind::ParentId,
    ScopeKind::JournalpostId,
];

/// Stands in descriptions of operations for the schema that [`schemas`] makes.
pub(in crate::api) struct StandardBusinessDocument;

impl ToSchema for StandardBusinessDocument {
    fn name() -> std::borrow::Cow<'static, str> {
        NAME.into()
    }
}

impl PartialSchema for StandardBusinessDocument {
    fn schema() -> RefOr<Schema> {
        document(&MessageTypes::standard()).into()
    }
}

/// An SBD as a client would write it.
pub(in crate::api) fn example() -> Value {
    json!({
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "sender": [{ "identifier": { "authority": "iso6523-actorid-upis", "value": "0192:991825827" } }],
            "receiver": [{ "identifier": { "authority": "iso6523-actorid-upis", "value": "0192:910076787" } }],
            "documentIdentification": {
                "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding",
                "type": "arkivmelding",
                "typeVersion": "2.0",
            },
            "businessScope": { "scope": [{
                "type": "ConversationId",
                "identifier": "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
            }] },
        },
        "arkivmelding": { "sikkerhetsnivaa": 3, "hoveddokument": "brev.pdf" },
    })
}

/// The schemas that an SBD of these message types is made of, by name.
pub(super) fn schemas(types: &MessageTypes) -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (NAME.to_owned(), document(types).into()),
        (HEADER.to_owned(), header().into()),
        (ADDRESS.to_owned(), members(body::ADDRESS).build().into()),
    ];
    schemas.extend(readable(types).map(|row| (row.name.to_string(), message(row).into())));
    schemas
}

fn readable(types: &MessageTypes) -> impl Iterator<Item = &MessageType> {
    types.iter().filter(|row| row.readable)
}

fn document(types: &MessageTypes) -> Object {
    let mut document = ObjectBuilder::new()
        .description(Some(
            "The envelope of a message: the header, and one business message whose member name is \
             documentIdentification.type.",
        ))
        .property("standardBusinessDocumentHeader", Ref::from_schema_name(HEADER))
        .required("standardBusinessDocumentHeader")
        .min_properties(Some(2))
        .max_properties(Some(2))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([example()]);
    for row in readable(types) {
        document = document.property(&*row.name, Ref::from_schema_name(&*row.name));
    }
    document.build()
}

/// Members that the table does not name are free.
fn message(row: &MessageType) -> Object {
    members(row.body)
        .description(Some(format!(
            "Business message of type {}; standard {}",
            row.name, row.standard
        )))
        .build()
}

fn members(fields: &[Field]) -> ObjectBuilder {
    let mut object = ObjectBuilder::new();
    for field in fields {
        object = object.property(field.name, member(field.kind));
        if field.required {
            object = object.required(field.name);
        }
    }
    object
}

fn member(kind: Kind) -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let number = || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::String]));
    let map = |value: RefOr<Schema>| ObjectBuilder::new().additional_properties(Some(value));
    let built = match kind {
        Kind::Text => text(),
        Kind::OneOf(values) => text().enum_values(Some(values.iter().copied())),
        Kind::Integer => number(),
        Kind::IntegerOneOf(values) => {
            let written = values
                .iter()
                .flat_map(|value| [Value::from(*value), value.to_string().into()]);
            number().enum_values(Some(written))
        }
        Kind::Boolean => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Date => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        Kind::DateTime => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Kind::Object(fields) => members(fields),
        Kind::Address => return Ref::from_schema_name(ADDRESS).into(),
        Kind::List(fields) => return list(members(fields)).into(),
        Kind::TextMap => map(text().into()),
        Kind::Map(fields) => map(members(fields).into()),
        Kind::Any => ObjectBuilder::new().schema_type(SchemaType::AnyValue),
    };
    built.into()
}

fn list(items: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    ArrayBuilder::new().items(items.into())
}

fn text(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about))
}

fn time(about: &str) -> ObjectBuilder {
    text(about).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

fn uuid(about: &str) -> ObjectBuilder {
    text(about).format(Some(SchemaFormat::Custom("uuid".to_owned())))
}

fn header() -> Object {
    let parties = |about: &str| list(party()).max_items(Some(1)).description(Some(about));
    ObjectBuilder::new()
        .property("headerVersion", text("Such as 1.0; its value is not looked at."))
        .required("headerVersion")
        .property(
            "sender",
            parties(
                "Left out: this organisation. Another organisation is written as 0192:<this organisation>:<that one>.",
            ),
        )
        .property("receiver", parties("Only print may leave it out."))
        .property("documentIdentification", identification())
        .required("documentIdentification")
        .property("manifest", manifest())
        .property(
            "businessScope",
            ObjectBuilder::new()
                .property("scope", list(scope()).min_items(Some(1)))
                .required("scope"),
        )
        .required("businessScope")
        .build()
}

fn party() -> ObjectBuilder {
    let identifier = ObjectBuilder::new()
        .property(
            "authority",
            text("Who gives out such identifiers.").enum_values(Some(["iso6523-actorid-upis", "nhn-actorid"])),
        )
        .required("authority")
        .property(
            "value",
            text("Such as 0192:910076787, a bare organisation number, a person number, her-id:1234."),
        )
        .required("value");
    let contact = [
        "contact",
        "emailAddress",
        "faxNumber",
        "telephoneNumber",
        "contactTypeIdentifier",
    ]
    .iter()
    .fold(ObjectBuilder::new(), |object, name| object.property(*name, text("")))
    .required("contact");
    ObjectBuilder::new()
        .property("identifier", identifier)
        .required("identifier")
        .property("contactInformation", list(contact))
}

fn identification() -> ObjectBuilder {
    ObjectBuilder::new()
        .property(
            "standard",
            text("The document type; ends in :: and the type.").pattern(Some("::")),
        )
        .required("standard")
        .property("type", text("The message type; names the business message."))
        .required("type")
        .property("typeVersion", text("Such as 2.0; its value is not looked at."))
        .required("typeVersion")
        .property(
            "instanceIdentifier",
            uuid("The messageId. Left out: a new one is made."),
        )
        .property("multipleType", ObjectBuilder::new().schema_type(Type::Boolean))
        .property("creationDateAndTime", time("Left out: now."))
}

fn manifest() -> ObjectBuilder {
    let item = ["mimeTypeQualifierCode", "uniformResourceIdentifier"].iter().fold(
        ObjectBuilder::new()
            .property("description", text(""))
            .property("languageCode", text("")),
        |item, name| item.property(*name, text("")).required(*name),
    );
    ObjectBuilder::new()
        .property("numberOfItems", ObjectBuilder::new().schema_type(Type::Integer))
        .property("manifestItem", list(item).min_items(Some(1)))
        .required("manifestItem")
}

fn scope() -> ObjectBuilder {
    let information = ObjectBuilder::new()
        .property(
            "expectedResponseDateTime",
            time(
                "When the message is too old to be delivered; must be in the future. Left out: the service's default.",
            ),
        )
        .property("requestingDocumentCreationDateTime", time("Not used."))
        .property("requestingDocumentInstanceIdentifier", text("Not used."));
    ObjectBuilder::new()
        .description(Some(
            "One scope must be of type ConversationId, with the process as its identifier.",
        ))
        .property(
            "type",
            text("What the scope is about.").enum_values(Some(SCOPES.map(ScopeKind::name))),
        )
        .required("type")
        .property(
            "instanceIdentifier",
            text("The conversationId (a UUID) or the reference. Left out or empty: a random UUID."),
        )
        .property("identifier", text("The process, or the message channel."))
        .property("scopeInformation", list(information))
}
