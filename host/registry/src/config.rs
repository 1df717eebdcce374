//! What an operator says about clients, as it stands in the TOML. Every key is described in `examples/registry.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use budstikke_message::identifier::OrganisationNumber;
use serde::Deserialize;

/// `[clients]`: who may ask. Spec: service registry, 2.1.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clients {
    /// `[[clients.issuers]]`: whose tokens are taken.
    pub issuers: Vec<Issuer>,
    /// Nobody needs a token. Only on the loopback address.
    pub open: bool,
    /// The same on any address: said twice, it is meant.
    pub open_on_network: bool,
    /// Who a call without a token comes from; letters go back to it.
    pub organisation: Option<String>,
}

/// `[[clients.issuers]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// `iss` of its tokens, exactly.
    pub url: String,
    /// Where its keys are; default: what its discovery document says.
    pub jwks_uri: Option<String>,
    /// A file with its keys, in place of asking it.
    pub jwks_file: Option<PathBuf>,
    /// `aud` that a token must have; default: any.
    pub audience: Option<String>,
}

impl Clients {
    /// Makes relative paths count from `base`.
    pub fn resolve_paths(&mut self, base: &Path) {
        for issuer in &mut self.issuers {
            if let Some(file) = &mut issuer.jwks_file {
                *file = base.join(&*file);
            }
        }
    }

    /// What makes no sense, with its key below `[clients]`; `listen` is the address that clients call.
    pub fn faults(&self, listen: SocketAddr) -> Vec<(Vec<String>, String)> {
        let mut faults = Vec::new();
        let mut add = |key: &[&str], what: String| faults.push((key.iter().map(|part| (*part).into()).collect(), what));
        if self.issuers.is_empty() && !self.open {
            let what = "nobody may ask: add [[clients.issuers]], or set open = true to ask nobody for a token";
            add(&[], what.into());
        }
        if self.open && !listen.ip().is_loopback() && !self.open_on_network {
            let what = format!(
                "everybody who reaches {listen} could look up persons; listen on 127.0.0.1, or say open-on-network = true as well"
            );
            add(&["open"], what);
        }
        match &self.organisation {
            None if self.open => add(
                &["organisation"],
                "must say who a call without a token comes from, nine digits".into(),
            ),
            Some(number) if number.parse::<OrganisationNumber>().is_err() => {
                add(&["organisation"], "must be nine digits".into());
            }
            _ => {}
        }
        for (at, issuer) in self.issuers.iter().enumerate() {
            let number = at.to_string();
            for (key, address) in [("url", Some(&issuer.url)), ("jwks-uri", issuer.jwks_uri.as_ref())] {
                if let Some(what) = address.and_then(|address| unfit_address(address)) {
                    add(&["issuers", &number, key], what.into());
                }
            }
            if self.issuers.iter().take(at).any(|other| other.url == issuer.url) {
                let what = "there is an issuer with this url already";
                add(&["issuers", &number, "url"], what.into());
            }
            if issuer.jwks_uri.is_some() && issuer.jwks_file.is_some() {
                let what = "give either jwks-uri or jwks-file, not both";
                add(&["issuers", &number, "jwks-file"], what.into());
            }
            if let Some(file) = issuer.jwks_file.as_ref().filter(|file| !file.is_file()) {
                add(
                    &["issuers", &number, "jwks-file"],
                    format!("no such file: {}", file.display()),
                );
            }
        }
        faults
    }
}

/// What is wrong with the address of an issuer, or of its keys: whoever can change an answer on the way makes tokens of his own.
pub(crate) fn unfit_address(text: &str) -> Option<&'static str> {
    let url = url::Url::parse(text).ok().filter(url::Url::has_host);
    match url.as_ref().map(|url| (url.scheme(), is_on_this_machine(url))) {
        Some(("https", _) | ("http", true)) => None,
        Some(("http", false)) => Some("must be an https address: http is for this machine only"),
        _ => Some("must be an https address"),
    }
}

/// Whether what goes there stays on this machine.
pub fn is_on_this_machine(url: &url::Url) -> bool {
    match url.host() {
        None => false,
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(toml: &str, listen: &str) -> Vec<String> {
        let clients: Clients = toml::from_str(toml).unwrap();
        let faults = clients.faults(listen.parse().unwrap());
        faults
            .into_iter()
            .map(|(key, what)| format!("{}: {what}", key.join(".")))
            .collect()
    }

    #[test]
    fn open_clients_stay_on_the_machine_unless_it_is_said_twice() {
        let open = "open = true\norganisation = '991825827'\n";
        assert!(faults(open, "127.0.0.1:80").is_empty());
        assert!(faults(open, "0.0.0.0:80")[0].starts_with("open: everybody"));
        assert!(faults(&format!("{open}open-on-network = true"), "0.0.0.0:80").is_empty());
    }

    #[test]
    fn clients_need_an_issuer_or_an_organisation() {
        assert!(faults("", "127.0.0.1:80")[0].contains("nobody may ask"));
        assert!(faults("open = true", "127.0.0.1:80")[0].starts_with("organisation: must say"));
        assert_eq!(
            faults("open = true\norganisation = '1'", "127.0.0.1:80"),
            ["organisation: must be nine digits"]
        );
        let wrong = "[[issuers]]\nurl = 'issuer'\njwks-uri = 'ftp://x'\njwks-file = 'none.json'\n";
        assert_eq!(faults(wrong, "127.0.0.1:80").len(), 4);
    }

    #[test]
    fn an_issuer_stands_there_once() {
        let issuer = "[[issuers]]\nurl = 'https://issuer.example/'\n";
        let other = "[[issuers]]\nurl = 'https://issuer.example'\n";
        assert!(faults(&format!("{issuer}{other}"), "127.0.0.1:80").is_empty());
        assert_eq!(
            faults(&format!("{issuer}{other}{issuer}"), "127.0.0.1:80"),
            ["issuers.2.url: there is an issuer with this url already"]
        );
    }

    #[test]
    fn addresses_of_issuers_are_https_but_on_this_machine() {
        for good in [
            "https://issuer.example/",
            "http://localhost:8080/",
            "http://127.0.0.2",
            "http://[::1]:80/",
        ] {
            assert_eq!(unfit_address(good), None, "{good}");
        }
        for bad in [
            "http://issuer.example/",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "ftp://127.0.0.1/",
            "issuer",
            "https:",
            "",
        ] {
            assert!(unfit_address(bad).is_some(), "{bad}");
        }
        let wrong = "[[issuers]]\nurl = 'http://issuer.example/'\njwks-uri = 'http://key:hush@issuer.example/'\n";
        let what = "must be an https address: http is for this machine only";
        assert_eq!(
            faults(wrong, "127.0.0.1:80"),
            [format!("issuers.0.url: {what}"), format!("issuers.0.jwks-uri: {what}")]
        );
    }
}
