//! Bodies that no structure of the code stands for: bytes, forms, pages.

use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::sbd::StandardBusinessDocument;
use crate::api::page::Envelope;

/// The bytes of a file.
pub(in crate::api) enum Bytes {}

fn bytes() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
        .build()
}

impl ToSchema for Bytes {}

impl PartialSchema for Bytes {
    fn schema() -> RefOr<Schema> {
        bytes().into()
    }
}

/// The parts of the one-shot call.
pub(in crate::api) enum MessageForm {}

impl ToSchema for MessageForm {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((
            StandardBusinessDocument::name().into_owned(),
            StandardBusinessDocument::schema(),
        ));
    }
}

impl PartialSchema for MessageForm {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some(
                "The SBD as `application/json`, and any number of files: the name of a part is the title, its filename the \
                 name of the file.",
            ))
            .property("sbd", Ref::from_schema_name(StandardBusinessDocument::name()))
            .required("sbd")
            .additional_properties(Some(Schema::from(bytes())))
            .build()
            .into()
    }
}

/// Makes types that stand for pages of rows: `pages! { StatusPage: Written; }`
macro_rules! pages {
    ($($name:ident: $row:ty;)+) => {$(
        enum $name {}

        impl ::utoipa::ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, ::utoipa::openapi::RefOr<::utoipa::openapi::Schema>)>) {
                $crate::api::description::body::schemas_of_page::<$row>(schemas);
            }
        }

        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::Schema> {
                $crate::api::description::body::page(&<$row as ::utoipa::ToSchema>::name())
            }
        }
    )+};
}
pub(in crate::api) use pages;

/// What a page of `T` refers to.
pub(in crate::api) fn schemas_of_page<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    schemas.push((Envelope::name().into_owned(), Envelope::schema()));
    Envelope::schemas(schemas);
}

/// A page of rows with this name.
pub(in crate::api) fn page(row: &str) -> RefOr<Schema> {
    let content = ObjectBuilder::new()
        .property("content", ArrayBuilder::new().items(Ref::from_schema_name(row)))
        .required("content");
    let page = AllOfBuilder::new()
        .item(Ref::from_schema_name(Envelope::name()))
        .item(content)
        .build();
    Schema::AllOf(page).into()
}
