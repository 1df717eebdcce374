//! What an answer means for the message.

use crate::Failure;
use crate::failure::bounded;

/// So much of a failed answer's body is read and shown.
pub const MAX_ERROR_BODY: u32 = 4096;

/// True for 2xx.
pub fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The failure that an answer other than 2xx stands for.
///
/// 4xx is final, with code `http-<status>`, for the same request will be refused again; so is 401, for the caller has
/// renewed the token and tried once more before it asks. Temporary are 408, 409 (the caller looks up what is already
/// there), 429, 5xx, and whatever else is unexpected. `retry_after` is the answer's `Retry-After` in seconds.
///
/// `prefix` says what was tried and where, without secrets.
pub fn classify(prefix: &str, status: u16, retry_after: Option<u32>, body: &[u8]) -> Failure {
    let detail = error_text(prefix, status, body);
    match status {
        408 | 409 | 429 => {}
        400..=499 => return Failure::permanent(format!("http-{status}"), detail),
        _ => {}
    }
    match retry_after {
        Some(seconds) => Failure::temporary_after(detail, seconds),
        None => Failure::temporary(detail),
    }
}

/// The text of a failed answer: the prefix and then the body as it came, or the status when there is no body. At most
/// 4 KiB of the body; control characters become spaces, so that it stays one entry in a log.
///
/// Spec: DPO and DPV, T24.
pub fn error_text(prefix: &str, status: u16, body: &[u8]) -> String {
    let kept = &body[..body.len().min(MAX_ERROR_BODY as usize)];
    let text = String::from_utf8_lossy(kept);
    let text = text.trim();
    if text.is_empty() {
        return format!("{prefix}: {status} {}, No body returned", reason(status));
    }
    let text: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    format!("{prefix}: {}", bounded(text, MAX_ERROR_BODY as usize))
}

/// The usual words for a status; empty for a rare one.
fn reason(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_text_is_prefix_and_body() {
        assert_eq!(error_text("P", 400, b"NoJson"), "P: NoJson");
        assert_eq!(error_text("P", 400, br#"{"unknown":"v"}"#), r#"P: {"unknown":"v"}"#);
        assert_eq!(
            error_text("P", 503, b""),
            "P: 503 Service Unavailable, No body returned"
        );
        assert_eq!(error_text("P", 400, b"a\nb"), "P: a b");
    }

    #[test]
    fn a_long_body_is_bounded() {
        assert_eq!(error_text("P", 400, &[b'x'; 10_000]).len(), 3 + 4096);
        assert!(error_text("P", 400, &[0xff; 10_000]).len() <= 3 + 4096);
    }

    #[test]
    fn client_errors_are_final_but_for_the_four() {
        for status in [400, 401, 403, 404, 410, 413, 422] {
            let failure = classify("P", status, None, b"x");
            assert_eq!(failure.code(), Some(format!("http-{status}").as_str()));
        }
        for status in [302, 408, 409, 429, 500, 502, 503, 504] {
            assert!(!classify("P", status, None, b"x").is_permanent(), "{status}");
        }
    }

    #[test]
    fn a_wish_to_wait_is_passed_on() {
        let Failure::Temporary(failure) = classify("P", 429, Some(120), b"") else {
            panic!("429 is temporary")
        };
        assert_eq!(failure.retry_after, Some(120));
    }
}
