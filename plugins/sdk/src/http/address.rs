//! URLs, as far as an adapter needs them.

use std::fmt::Write as _;

/// An `http` or `https` URL in the parts that `wasi:http` wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// True for `https`.
    pub secure: bool,
    /// Host and port.
    pub authority: &'a str,
    /// From the first slash; `/` when the URL has none.
    pub path_with_query: &'a str,
}

impl<'a> Address<'a> {
    /// None when it is no absolute `http` or `https` URL, has a user name in it, or has characters that a URL cannot have.
    pub fn parse(url: &'a str) -> Option<Self> {
        let (secure, rest) = match url.split_once("://")? {
            (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return None,
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, path_with_query) = match rest.find(['/', '?']) {
            None => (rest, "/"),
            Some(at) if rest[at..].starts_with('?') => return None,
            Some(at) => rest.split_at(at),
        };
        let ordinary = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || authority.contains('@') || !ordinary(rest) {
            return None;
        }
        Some(Self {
            secure,
            authority,
            path_with_query,
        })
    }
}

/// A text as a value in a query (RFC 3986, 2.3).
pub fn in_query(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                encoded.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}

/// Parts of the names of query parameters whose values must not reach a log.
const SECRET_NAMES: [&str; 8] = ["token", "secret", "password", "key", "sig", "code", "assertion", "auth"];

/// The URL for a log or an error text: without user name and fragment, and with `…` for the values of query parameters
/// whose names sound like secrets (`sig`, `token`, `apikey`).
pub fn without_secrets(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (place, query) = url
        .split_once('?')
        .map_or((url, None), |(place, query)| (place, Some(query)));
    let mut shown = match place.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split('/').next().unwrap_or(rest);
            let user = authority.rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[user..])
        }
        None => place.to_owned(),
    };
    for (place, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if place == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if sounds_secret(name) => {
                shown.push_str(name);
                shown.push_str("=…");
            }
            _ => shown.push_str(parameter),
        }
    }
    shown
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_falls_into_its_parts() {
        assert_eq!(
            Address::parse("https://broker.example:8443/api/v1?a=b"),
            Some(Address {
                secure: true,
                authority: "broker.example:8443",
                path_with_query: "/api/v1?a=b"
            })
        );
        assert_eq!(
            Address::parse("http://localhost"),
            Some(Address {
                secure: false,
                authority: "localhost",
                path_with_query: "/"
            })
        );
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for url in [
            "",
            "ftp://a/b",
            "https://",
            "https:///x",
            "/x",
            "https://u:p@a/b",
            "https://a/b c",
            "https://a\r\n/",
        ] {
            assert_eq!(Address::parse(url), None, "{url}");
        }
    }

    #[test]
    fn secrets_do_not_reach_a_log() {
        assert_eq!(
            without_secrets("https://u:p@a.example/x?page=2&sig=abc&api_key=d&Token=e#f"),
            "https://a.example/x?page=2&sig=…&api_key=…&Token=…"
        );
        assert_eq!(without_secrets("https://a.example/x"), "https://a.example/x");
        assert_eq!(without_secrets("https://a.example/x@y?z"), "https://a.example/x@y?z");
    }

    #[test]
    fn a_text_cannot_leave_its_place_in_a_query() {
        assert_eq!(in_query("a-1&b=å /"), "a-1%26b%3D%C3%A5%20%2F");
    }
}
