//! Why there is no answer.

use crate::Failure;
use crate::bindings::wasi::http::types::ErrorCode;

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It was wrong in itself; nothing was sent, and sending it again cannot help.
    Wrong,
    /// The service never saw it: safe to try again.
    NeverLeft,
    /// The service may have acted on it: look before trying again.
    Unknown,
}

/// No answer, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {detail}")]
pub struct HttpError {
    /// How far it got.
    pub reach: Reach,
    /// Method and URL without secrets.
    pub target: String,
    /// What went wrong.
    pub detail: String,
}

impl HttpError {
    pub(crate) fn new(reach: Reach, target: &str, detail: impl Into<String>) -> Self {
        Self {
            reach,
            target: target.to_owned(),
            detail: detail.into(),
        }
    }

    pub(crate) fn from_code(target: &str, code: &ErrorCode) -> Self {
        Self::new(reach(code), target, describe(code))
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error.reach {
            Reach::Wrong => Self::permanent("http-request", error.to_string()),
            Reach::NeverLeft | Reach::Unknown => Self::temporary(error.to_string()),
        }
    }
}

/// Everything up to the end of the TLS handshake is certainly before the first byte of the request.
fn reach(code: &ErrorCode) -> Reach {
    match code {
        ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_) => Reach::Wrong,
        // Not granted is the operator's to mend, and the messages wait for that.
        ErrorCode::HttpRequestDenied
        | ErrorCode::ConfigurationError
        | ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => Reach::NeverLeft,
        _ => Reach::Unknown,
    }
}

fn describe(code: &ErrorCode) -> String {
    let text = match code {
        ErrorCode::HttpRequestDenied => "the host is not granted to this plugin; add it to its http setting",
        ErrorCode::DnsTimeout | ErrorCode::DestinationNotFound => "the host name was not found",
        ErrorCode::DnsError(payload) => {
            let why = payload.rcode.as_deref().unwrap_or("no reason given");
            return format!("the host name was not found ({why})");
        }
        ErrorCode::DestinationIpProhibited => "the address is not allowed",
        ErrorCode::ConnectionRefused => "the connection was refused",
        ErrorCode::ConnectionTimeout => "the connection was not made in time",
        ErrorCode::ConnectionTerminated => "the connection was broken",
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => "no answer in time",
        ErrorCode::ConnectionWriteTimeout => "the request was not taken in time",
        ErrorCode::TlsCertificateError => "the certificate of the other side is not accepted",
        ErrorCode::HttpResponseIncomplete => "the answer broke off",
        ErrorCode::HttpResponseBodySize(_) => "the answer is larger than the plugin's limit",
        ErrorCode::InternalError(Some(text)) => return text.clone(),
        other => return format!("{other:?}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_never_left_and_a_broken_one_may_have_arrived() {
        assert_eq!(
            HttpError::from_code("GET x", &ErrorCode::ConnectionRefused).reach,
            Reach::NeverLeft
        );
        assert_eq!(
            HttpError::from_code("GET x", &ErrorCode::TlsCertificateError).reach,
            Reach::NeverLeft
        );
        assert_eq!(
            HttpError::from_code("GET x", &ErrorCode::ConnectionTerminated).reach,
            Reach::Unknown
        );
        assert_eq!(
            HttpError::from_code("GET x", &ErrorCode::ConnectionReadTimeout).reach,
            Reach::Unknown
        );
        assert_eq!(
            HttpError::from_code("GET x", &ErrorCode::InternalError(None)).reach,
            Reach::Unknown
        );
    }

    #[test]
    fn only_a_wrong_request_is_final() {
        let wrong = HttpError::from_code("GET x", &ErrorCode::HttpRequestUriInvalid);
        assert_eq!(Failure::from(wrong).code(), Some("http-request"));
        let denied = Failure::from(HttpError::from_code("GET x", &ErrorCode::HttpRequestDenied));
        assert!(!denied.is_permanent());
        assert!(denied.detail().starts_with("GET x: the host is not granted"));
    }
}
