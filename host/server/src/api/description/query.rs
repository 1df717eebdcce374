//! The query of a list: filters, paging and sorting, described from the tables that they are read by.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Required, Schema};

use crate::api::page::{DEFAULT_SIZE, MAX_SIZE, Sortable};

/// What a filter's value looks like.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) enum Form {
    /// Any text, compared as it is.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// `yyyy-MM-dd`.
    Day,
    /// ISO 8601 with offset.
    Time,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A parameter that a list is filtered by.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Filter {
    /// In the query.
    pub name: &'static str,
    form: Form,
    about: &'static str,
}

/// A row of a table of filters.
pub(in crate::api) const fn filter(name: &'static str, form: Form, about: &'static str) -> Filter {
    Filter { name, form, about }
}

/// Makes types that stand in `params(…)` of `#[utoipa::path]`: `query! { ListQuery: FILTERS, sorted by SORTABLE; }`
macro_rules! query {
    ($($name:ident: $filters:expr $(, sorted by $sortable:expr)?;)+) => {$(
        enum $name {}

        impl ::utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<::utoipa::openapi::path::ParameterIn>,
            ) -> Vec<::utoipa::openapi::path::Parameter> {
                #[allow(unused_mut, reason = "only lists are sorted")]
                let mut parameters = $crate::api::description::query::filters($filters);
                $(parameters.extend($crate::api::description::query::paging($sortable));)?
                parameters
            }
        }
    )+};
}
pub(in crate::api) use query;

/// Filters as parameters.
pub(in crate::api) fn filters(filters: &[Filter]) -> Vec<Parameter> {
    filters
        .iter()
        .map(|filter| parameter(filter.name, schema(filter.form), filter.about))
        .collect()
}

/// `page`, `size` and `sort` of a list.
pub(in crate::api) fn paging(sortable: Sortable) -> Vec<Parameter> {
    let number = |default: u64, least: i64| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(least))
            .default(Some(Value::from(default)))
    };
    let names: Vec<&str> = sortable.iter().map(|(name, _)| *name).collect();
    let sort = format!(
        "Properties and a direction, such as `{},desc`; may be given several times. Properties: {}.",
        names.first().unwrap_or(&"id"),
        names.join(", ")
    );
    let items = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
    vec![
        parameter(
            "page",
            number(0, 0).into(),
            "Number of the page, from 0. What is no such number counts as 0.",
        ),
        parameter(
            "size",
            number(DEFAULT_SIZE, 1).maximum(Some(MAX_SIZE)).into(),
            "Rows of a page. What is no such number counts as 10, and more than 2000 as 2000.",
        ),
        parameter("sort", items.into(), &sort),
    ]
}

fn parameter(name: &str, schema: Schema, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn schema(form: Form) -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    match form {
        Form::Text => text,
        Form::Number => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
        Form::Flag => ObjectBuilder::new().schema_type(Type::Boolean),
        Form::Day => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        Form::Time => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Form::OneOf(values) => text.enum_values(Some(values.iter().copied())),
    }
    .into()
}
