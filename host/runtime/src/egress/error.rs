//! What went wrong on the network, in the words of `wasi:http`.

use std::error::Error as StdError;
use std::io::ErrorKind;

use wasmtime_wasi_http::Error;

use crate::egress::Quota;
use crate::egress::resolver::ResolveError;

/// The standard error code for a failed request.
pub(crate) fn translate(error: &reqwest::Error, quota: &Quota) -> Error {
    if let Some(total) = quota.is_oversent() {
        return Error::HttpRequestBodySize(Some(total));
    }
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(at) = cause {
        if let Some(known) = known(at) {
            return known;
        }
        // An I/O error hides what it wraps from `source`.
        cause = match at.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            Some(inner) => Some(inner),
            None => at.source(),
        };
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Error::ConnectionTimeout,
        (false, true) => Error::ConnectionReadTimeout,
        (true, false) => Error::DestinationUnavailable,
        (false, false) => Error::HttpProtocolError,
    }
}

fn known(cause: &(dyn StdError + 'static)) -> Option<Error> {
    if let Some(resolving) = cause.downcast_ref::<ResolveError>() {
        return Some(match resolving {
            ResolveError::Prohibited(_) => Error::DestinationIpProhibited,
            ResolveError::Unknown(..) => Error::DnsError {
                rcode: None,
                info_code: None,
            },
            ResolveError::TooLong(_) => Error::DnsTimeout,
        });
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Error::TlsCertificateError,
            rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(format!("{alert:?}")),
            },
            _ => Error::TlsProtocolError,
        });
    }
    let io = cause.downcast_ref::<std::io::Error>()?;
    match io.kind() {
        ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Some(Error::ConnectionTerminated),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Some(Error::DestinationUnavailable),
        _ => None,
    }
}
