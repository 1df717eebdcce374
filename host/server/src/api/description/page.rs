//! The page to read and try the API: Swagger UI. Its files are in the program; it fetches nothing from elsewhere.

use std::io::{self, Cursor, Read as _};

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

use super::refusals::refusals;
use crate::abilities::documents::blocking;
use crate::api::error::{ApiError, ApiResult, kind};

/// Scripts, styles and calls of this origin only. Swagger UI writes styles into elements and has icons as data.
const POLICY: (HeaderName, HeaderValue) = (
    CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
);

/// Files that are ours, because they name the description.
const OWN: [(&str, &str, &str); 2] = [
    (
        "index.html",
        "text/html; charset=utf-8",
        include_str!("page/index.html"),
    ),
    (
        "start.js",
        "text/javascript; charset=utf-8",
        include_str!("page/start.js"),
    ),
];

/// Files of Swagger UI that the page needs.
const SWAGGER_UI: [(&str, &str); 3] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

refusals! {
    PageRefusals: &[];
    FileRefusals: &[kind::NO_SUCH_PATH];
}

/// A page to read and try the API
///
/// Leads to `/docs/index.html`.
#[utoipa::path(get, path = "/docs", operation_id = "docs", tag = "description",
    responses((status = 307, description = "The page is at `/docs/index.html`.",
        headers(("Location" = String, description = "`/docs/index.html`"))), PageRefusals))]
pub(in crate::api) async fn page() -> Response {
    let location = [(LOCATION, HeaderValue::from_static("/docs/index.html"))];
    (StatusCode::TEMPORARY_REDIRECT, location).into_response()
}

/// A file of the page
#[utoipa::path(get, path = "/docs/{file}", operation_id = "docsFile", tag = "description",
    params(("file" = String, Path, description = "`index.html`, and what it names.")),
    responses((status = 200, description = "The file.",
        content((String = "text/html"), (String = "text/javascript"), (String = "text/css"), (String = "image/png"))),
        FileRefusals))]
pub(in crate::api) async fn file(axum::extract::Path(name): axum::extract::Path<String>) -> ApiResult {
    if let Some((_, media_type, content)) = OWN.iter().find(|(own, ..)| *own == name) {
        return Ok(served(media_type, (*content).into()));
    }
    let Some((name, media_type)) = SWAGGER_UI.iter().copied().find(|(theirs, _)| *theirs == name) else {
        return Err(ApiError::new(kind::NO_SUCH_PATH, "The page has no such file."));
    };
    let content = blocking(move || unpacked(name)).await.map_err(|error| {
        tracing::error!(%error, name, "a file of the page cannot be unpacked");
        ApiError::new(kind::INTERNAL, "The file cannot be unpacked.")
    })?;
    Ok(served(media_type, content.into()))
}

fn served(media_type: &'static str, content: Body) -> Response {
    let mut response = content.into_response();
    let (name, value) = POLICY;
    response.headers_mut().insert(name, value);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn unpacked(name: &str) -> io::Result<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let end = format!("/dist/{name}");
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        if file.name()?.ends_with(&end) {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_in_the_program() {
        for (name, _) in SWAGGER_UI {
            assert!(!unpacked(name).unwrap().is_empty(), "{name}");
        }
        let (_, _, index) = OWN[0];
        for named in index.split('"').filter(|text| text.contains('.')) {
            let served = OWN.iter().any(|(own, ..)| *own == named) || SWAGGER_UI.iter().any(|(file, _)| *file == named);
            assert!(served, "{named}");
        }
    }
}
