//! The OpenAPI description of the API. It is made from the code: routes carry their descriptions ([`utoipa_axum`]), errors come
//! from the table of errors ([`refusals`]), filters from the tables that the handlers read queries by ([`query`]), and
//! message types from the table of message types ([`sbd`]).

pub(super) mod body;
pub(super) mod page;
pub(super) mod query;
pub(super) mod refusals;
pub(super) mod sbd;

use std::sync::Arc;

use axum::Extension;
use axum::response::Response;
use budstikke_message::document_type::MessageTypes;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, InfoBuilder, License, OpenApi, OpenApiBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error::{ApiError, ApiResult, ErrorBody, kind};
use super::json_bytes;
use refusals::refusals;

/// Name of the security scheme.
const BASIC: &str = "basic";

/// The groups of operations, in the order in which a fagsystem meets them.
const TAGS: [(&str, &str); 11] = [
    (
        "capabilities",
        "What a receiver can take, and over which message service.",
    ),
    (
        "messages out",
        "Create a message, upload its files, send it. `200` from sending means that it is queued; statuses say what became of it.",
    ),
    (
        "messages in",
        "Peek (which locks), pop (which downloads), then delete (which acknowledges).",
    ),
    ("conversations", "The lasting record of each message."),
    ("statuses", "Every step of every message."),
    (
        "webhooks",
        "Be told of statuses instead of asking. Each request to your endpoint is signed, and repeated until you answer 2xx.",
    ),
    ("pages", "For people, not for programs."),
    ("health", "How the installation is doing."),
    (
        "set aside",
        "What came from a message service and could not be used as a message.",
    ),
    (
        "given up",
        "Messages that did not leave after all attempts, to be sent again or dropped.",
    ),
    ("description", "This description, and a page to try it."),
];

const ABOUT: &str = "The REST API of eFormidling's integrasjonspunkt.\n\n\
    Success is `200`, also for create and delete; `204` means that there is nothing to hand out. Every error has the same JSON \
    body: match on `exception`, show `message` and `hint` to people. Members of the JSON that you do not know are new: skip \
    them. Paths are exact; one that ends in a slash is `404` (`NoResourceFoundException`), another method than those \
    described here is `405` (`HttpRequestMethodNotSupportedException`).";

/// The document as it is served.
#[derive(Clone)]
pub(super) struct Description(Arc<Vec<u8>>);

impl Description {
    /// Writes the document. `types`: what an SBD can carry here.
    pub(super) fn new(mut document: OpenApi, types: &MessageTypes) -> Self {
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.extend(sbd::schemas(types));
        let json = serde_json::to_vec_pretty(&document).unwrap_or_else(|error| {
            tracing::error!(%error, "the description of the API cannot be written");
            Vec::new()
        });
        Self(Arc::new(json))
    }
}

/// What the routes add themselves to.
pub(super) fn empty() -> OpenApi {
    let mut components = Components::new();
    components.add_security_scheme(
        BASIC,
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Basic).build()),
    );
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![(ErrorBody::name().into_owned(), ErrorBody::schema())];
    ErrorBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let tags = TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    OpenApiBuilder::new()
        .info(info())
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(BASIC, [])]))
        .tags(Some(tags))
        .build()
}

fn info() -> Info {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    InfoBuilder::new()
        .title("Budstikke")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license))
        .build()
}

refusals! { ReadRefusals: &[]; }

/// The OpenAPI description
///
/// OpenAPI 3.1, made from the code of this version, with the message types of this installation.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "description",
    responses((status = 200, description = "The document.", body = Object), ReadRefusals))]
pub(super) async fn openapi(Extension(description): Extension<Description>) -> ApiResult<Response> {
    if description.0.is_empty() {
        return Err(ApiError::new(kind::INTERNAL, "The description could not be written."));
    }
    Ok(json_bytes(description.0.to_vec()))
}

#[cfg(test)]
pub(super) mod tests;
