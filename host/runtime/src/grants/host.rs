//! One granted HTTP host: `https://platform.altinn.no`, `https://*.altinn.no`, `http://127.0.0.1:9900`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A grant that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no HTTP grant: {reason}")]
pub struct GrantError {
    text: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Exactly(String),
    /// Names below a domain, with the leading dot.
    Below(String),
    Address(IpAddr),
}

/// A scheme, a host and a port that an adapter may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGrant {
    scheme: &'static str,
    name: Name,
    port: u16,
    private: bool,
}

impl HostGrant {
    /// Whether a request to this address is covered. `host` as a URL parser gives it: lower case, punycode, no brackets.
    pub fn covers(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme == scheme && self.port == port && self.covers_name(host)
    }

    /// Whether the host name is covered, whatever the port.
    pub(crate) fn covers_name(&self, host: &str) -> bool {
        match &self.name {
            Name::Exactly(name) => name == host,
            Name::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Name::Address(address) => host.parse() == Ok(*address),
        }
    }

    /// Whether the name may lead into private networks: the operator said so.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Whether this grants the machine itself, by its usual name.
    pub(crate) fn is_localhost(&self) -> bool {
        self.name == Name::Exactly("localhost".into())
    }

    /// The same grant for a host inside a private network.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }
}

impl FromStr for HostGrant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let refuse = |reason| GrantError {
            text: text.chars().take(100).collect(),
            reason,
        };
        // A wildcard is no host name, so it is cut off before the rest is read as a URL.
        let (url, below) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = Url::parse(&url).map_err(|_| refuse("it must look like https://host or https://host:port"))?;
        let scheme = match url.scheme() {
            "https" => "https",
            "http" => "http",
            _ => return Err(refuse("only https and http can be granted")),
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("a host is granted as a whole, without a path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("names and passwords do not belong here"));
        }
        let host = url.host_str().ok_or_else(|| refuse("the host is missing"))?;
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .ok();
        let name = match (below, address) {
            (true, None) if host.contains('.') => Name::Below(format!(".{host}")),
            (true, _) => return Err(refuse("`*.` needs a domain of two labels or more")),
            (false, Some(address)) => Name::Address(address),
            (false, None) if host.contains('*') => return Err(refuse("`*` can only stand for the first labels")),
            (false, None) => Name::Exactly(host.trim_end_matches('.').to_owned()),
        };
        let port = url
            .port_or_known_default()
            .ok_or_else(|| refuse("the port is missing"))?;
        Ok(Self {
            scheme,
            name,
            port,
            private: false,
        })
    }
}

impl fmt::Display for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.name {
            Name::Exactly(name) => f.write_str(name)?,
            Name::Below(suffix) => write!(f, "*{suffix}")?,
            Name::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Name::Address(address) => write!(f, "{address}")?,
        }
        write!(f, ":{}", self.port)
    }
}

impl<'de> Deserialize<'de> for HostGrant {
    /// Text, or `{ url = "https://…", private = true }`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Table {
                url: String,
                #[serde(default)]
                private: bool,
            },
        }
        let (text, private) = match Written::deserialize(from)? {
            Written::Text(text) => (text, false),
            Written::Table { url, private } => (url, private),
        };
        let grant: Self = text.parse().map_err(D::Error::custom)?;
        Ok(Self { private, ..grant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> HostGrant {
        text.parse().unwrap()
    }

    #[test]
    fn a_grant_covers_its_scheme_host_and_port_only() {
        let altinn = grant("https://platform.altinn.no");
        assert!(altinn.covers("https", "platform.altinn.no", 443));
        assert!(!altinn.covers("http", "platform.altinn.no", 443));
        assert!(!altinn.covers("https", "platform.altinn.no", 8443));
        assert!(!altinn.covers("https", "altinn.no", 443));
        assert!(!altinn.covers("https", "platform.altinn.no.evil.example", 443));
    }

    #[test]
    fn a_wildcard_covers_names_below_a_domain_and_not_the_domain() {
        let altinn = grant("https://*.altinn.no");
        assert!(altinn.covers("https", "platform.altinn.no", 443));
        assert!(altinn.covers("https", "a.b.altinn.no", 443));
        assert!(!altinn.covers("https", "altinn.no", 443));
        assert!(!altinn.covers("https", "evilaltinn.no", 443));
    }

    #[test]
    fn an_address_is_covered_when_it_was_granted_as_one() {
        assert!(grant("http://127.0.0.1:9900").covers("http", "127.0.0.1", 9900));
        assert!(grant("http://[::1]:9900").covers("http", "::1", 9900));
        assert_eq!(grant("http://[::1]:9900").to_string(), "http://[::1]:9900");
    }

    #[test]
    fn private_is_said_in_a_table() {
        let text = r#"["https://a.no", {"url": "https://b.no", "private": true}]"#;
        let grants: Vec<HostGrant> = serde_json::from_str(text).unwrap();
        assert!(!grants[0].is_private());
        assert!(grants[1].is_private());
    }

    #[test]
    fn what_grants_too_much_or_nothing_is_refused() {
        for text in [
            "platform.altinn.no",
            "ftp://altinn.no",
            "https://altinn.no/path",
            "https://user:secret@altinn.no",
            "https://*.no",
            "https://*.10.0.0.1",
            "https://a.*.no",
            "https://*",
            "",
        ] {
            assert!(text.parse::<HostGrant>().is_err(), "{text}");
        }
    }
}
