//! What a failed request tells: what the service said, in one line, without addresses, signatures or credentials.

use std::error::Error;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

/// Most letters of the service's own words that are passed on.
const WORDS: usize = 200;
/// How `object_store` shows an answer that is an error. Its own type for it is private.
const ANSWERED: &str = "Server returned non-2xx status code: ";

#[derive(Debug)]
pub(super) struct Refusal {
    said: String,
    kind: io::ErrorKind,
    temporary: bool,
}

impl Refusal {
    pub(super) fn new(error: &object_store::Error) -> Self {
        let mut deepest: &dyn Error = error;
        let mut step: Option<&dyn Error> = Some(error);
        while let Some(current) = step {
            if let Some(http) = current.downcast_ref::<HttpError>() {
                return Self::not_answered(http);
            }
            let text = current.to_string();
            if let Some(answer) = text.strip_prefix(ANSWERED) {
                return Self::answered(answer);
            }
            deepest = current;
            step = current.source();
        }
        Self {
            said: words(&deepest.to_string()),
            kind: io::ErrorKind::Other,
            temporary: false,
        }
    }

    /// `404 Not Found: <Error>…</Error>`
    fn answered(answer: &str) -> Self {
        let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
        let number: u16 = status.get(..3).and_then(|number| number.parse().ok()).unwrap_or(0);
        let document = roxmltree::Document::parse(body.trim()).ok();
        let text = |name: &str| {
            let node = document.as_ref()?.descendants().find(|node| node.has_tag_name(name))?;
            node.text().map(words)
        };
        let code = text("Code").unwrap_or_default();
        let kind = match (number, code.as_str()) {
            // The bucket is not there: that says nothing about the file.
            (_, "NoSuchBucket") => io::ErrorKind::Other,
            (404, _) => io::ErrorKind::NotFound,
            (401 | 403, _) => io::ErrorKind::PermissionDenied,
            (507, _) | (_, "QuotaExceeded") => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        };
        let said = [status, &code, &text("Message").unwrap_or_default()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        Self {
            said: format!("the service said {said}"),
            kind,
            // An upload that the service has forgotten can be begun anew.
            temporary: number != 507 && (matches!(number, 408 | 429 | 500..) || code == "NoSuchUpload"),
        }
    }

    fn not_answered(error: &HttpError) -> Self {
        let mut deepest: &dyn Error = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let (what, kind) = match error.kind() {
            HttpErrorKind::Connect => ("no connection", io::ErrorKind::NotConnected),
            HttpErrorKind::Timeout => ("no answer in time", io::ErrorKind::TimedOut),
            _ => ("the request failed", io::ErrorKind::Other),
        };
        Self {
            said: format!("{what} ({})", words(&deepest.to_string())),
            kind,
            temporary: true,
        }
    }

    /// Whether the same may succeed a little later.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary
    }

    pub(super) fn is_missing(&self) -> bool {
        self.kind == io::ErrorKind::NotFound
    }

    /// With the bucket and what was to be done there.
    pub(super) fn at(&self, bucket: &str, what: &str) -> io::Error {
        io::Error::new(self.kind, format!("{bucket}: {what}: {}", self.said))
    }
}

/// One line of limited length.
fn words(text: &str) -> String {
    text.chars()
        .take(WORDS)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
