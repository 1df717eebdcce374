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
        for (number, issuer) in self.issuers.iter().enumerate() {
            let number = number.to_string();
            for (key, address) in [("url", Some(&issuer.url)), ("jwks-uri", issuer.jwks_uri.as_ref())] {
                if let Some(address) = address
                    && !is_web_address(address)
                {
                    add(
                        &["issuers", &number, key],
                        format!("is no https or http address: {address}"),
                    );
                }
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

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
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
}
