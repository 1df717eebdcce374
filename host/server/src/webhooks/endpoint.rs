//! Which URLs events may be posted to: a client chooses them, and this process posts from inside the network.

use std::net::IpAddr;

use budstikke_runtime::{CheckedResolver, HostGrant, Reach, reach};
use reqwest::Url;

/// Longest URL, bytes.
const MAX_BYTES: usize = 2000;

/// A URL that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// A URL that may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No URL, or another scheme.
    #[error("must be a URL with http or https")]
    NoUrl,
    /// Longer than a URL should be.
    #[error("must be at most {MAX_BYTES} bytes")]
    TooLong,
    /// `user:password@`.
    #[error("must not hold a name or a password")]
    Credentials,
    /// Not on the operator's list.
    #[error("leads to a host that [webhooks] allow does not cover")]
    NotAllowed,
    /// Link-local, cloud metadata, unspecified, multicast or reserved.
    #[error("leads to an address that must not be called")]
    Address,
}

impl Endpoint {
    /// Reads a URL and holds it against the operator's list; none: every host.
    pub fn read(text: &str, allow: Option<&[HostGrant]>) -> Result<Self, Refused> {
        if text.len() > MAX_BYTES {
            return Err(Refused::TooLong);
        }
        let url = Url::parse(text).map_err(|_| Refused::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().ok_or(Refused::NoUrl)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        // An address is never looked up, so the resolver does not see it.
        if host.parse().is_ok_and(|address| !may_be_called(address)) {
            return Err(Refused::Address);
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let covered = |grants: &[HostGrant]| grants.iter().any(|grant| grant.covers(url.scheme(), host, port));
        if allow.is_some_and(|grants| !covered(grants)) {
            return Err(Refused::NotAllowed);
        }
        Ok(Self(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

/// Fagsystemer live on this machine and in private networks; nobody lives at the addresses that are out of reach.
fn may_be_called(address: IpAddr) -> bool {
    reach(address) != Reach::Never
}

/// Looks names up, and gives only addresses that may be called: what is checked is what is connected to.
pub(super) fn resolver() -> CheckedResolver {
    CheckedResolver::new(|_, address| may_be_called(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Endpoint, Refused> {
        Endpoint::read(text, None)
    }

    #[test]
    fn fagsystemer_are_called_wherever_they_live() {
        for text in [
            "https://sak.example.no/hook?key=1",
            "http://localhost:9000/",
            "http://127.0.0.1:9000/hook",
            "http://[::1]:9000",
            "http://10.1.2.3/hook",
            "https://192.168.1.10:8443/hook",
            "http://[fd12::1]/hook",
        ] {
            assert!(read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "sak.example.no/hook",
            "/hook",
            "ftp://example.no/x",
            "file:///etc/passwd",
            "http://",
            "https:///",
        ] {
            assert_eq!(read(text), Err(Refused::NoUrl), "{text}");
        }
        for text in [
            "https://user@example.no",
            "https://user:secret@example.no/hook",
            "http://:secret@example.no",
        ] {
            assert_eq!(read(text), Err(Refused::Credentials), "{text}");
        }
        let long = format!("https://example.no/{}", "x".repeat(MAX_BYTES));
        assert_eq!(read(&long), Err(Refused::TooLong));
    }

    #[test]
    fn an_address_where_nobody_lives_is_refused_in_every_spelling() {
        for text in [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.1.1/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://0.0.0.0:9000/",
            "http://[::]/",
            "http://224.0.0.1/",
            "http://[ff02::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
        ] {
            assert_eq!(read(text), Err(Refused::Address), "{text}");
        }
    }

    #[test]
    fn a_name_leads_to_the_same_addresses_only() {
        for (address, allowed) in [
            ("51.120.0.1", true),
            ("10.0.0.1", true),
            ("127.0.0.1", true),
            ("169.254.169.254", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("::", false),
            ("ff02::1", false),
        ] {
            assert_eq!(may_be_called(address.parse().unwrap()), allowed, "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_looked_up() {
        use reqwest::dns::Resolve as _;

        let mut found = resolver().resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.all(|found| found.ip().is_loopback()));
    }

    #[test]
    fn the_operators_list_bounds_the_hosts() {
        let allow: Vec<HostGrant> = ["https://*.example.no", "http://127.0.0.1:9000"]
            .map(|text| text.parse().unwrap())
            .into();
        let read = |text| Endpoint::read(text, Some(&allow)).map(drop);
        assert_eq!(read("https://sak.example.no/hook"), Ok(()));
        assert_eq!(read("http://127.0.0.1:9000/hook"), Ok(()));
        for text in [
            "https://example.no",
            "http://sak.example.no",
            "https://sak.example.no:8443",
            "https://example.no.evil.com",
            "https://evil.com/.example.no",
            "http://127.0.0.1:9001",
        ] {
            assert_eq!(read(text), Err(Refused::NotAllowed), "{text}");
        }
        assert!(Endpoint::read("https://sak.example.no", Some(&[])).is_err());
    }
}
