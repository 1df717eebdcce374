//! Requests to the places that a certificate names. Whoever makes a certificate chooses them, and this process asks from inside the
//! network: only http, only public addresses unless the settings say otherwise, and little patience.

use std::net::IpAddr;
use std::time::Duration;

use budstikke_message::causes::with_causes;
use budstikke_runtime::{CheckedResolver, Reach, reach};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Url};

/// Largest answer that is read, bytes. Lists of large authorities have several megabytes.
const ANSWER: usize = 32 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// For one certificate: a responder that hangs leaves time for the list.
const ONE: Duration = Duration::from_secs(4);

/// Asks authorities.
pub(super) struct Authority {
    client: Client,
    private_networks: bool,
}

fn may_be_asked(address: IpAddr, private_networks: bool) -> bool {
    match reach(address) {
        Reach::Public => true,
        Reach::Private | Reach::Loopback => private_networks,
        Reach::Never => false,
    }
}

impl Authority {
    /// `private_networks`: also inside them.
    pub(super) fn new(private_networks: bool) -> anyhow::Result<Self> {
        let resolver = CheckedResolver::new(move |_, address| may_be_asked(address, private_networks));
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(resolver))
            .build()?;
        Ok(Self {
            client,
            private_networks,
        })
    }

    /// Fetches a list.
    pub(super) async fn list(&self, url: &str) -> Result<Vec<u8>, String> {
        let url = self.checked(url)?;
        answered(self.client.get(url)).await
    }

    /// Asks a responder.
    pub(super) async fn ask(&self, url: &str, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let url = self.checked(url)?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/ocsp-request")
            .header(ACCEPT, "application/ocsp-response")
            .body(question)
            .timeout(ONE);
        answered(request).await
    }

    fn checked(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|_| format!("{text} is no URL"))?;
        if url.scheme() != "http" {
            return Err(format!("{text} is not http"));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        // An address is never looked up, so the resolver does not see it.
        let refused = |address: IpAddr| !may_be_asked(address, self.private_networks);
        if host.is_empty() || host.parse().is_ok_and(refused) {
            return Err(format!("{text} leads to an address that must not be asked"));
        }
        Ok(url)
    }
}

async fn answered(request: RequestBuilder) -> Result<Vec<u8>, String> {
    let told = |error: reqwest::Error| with_causes(&error);
    let mut response = request.send().await.map_err(told)?;
    if !response.status().is_success() {
        return Err(format!("{} answered {}", response.url(), response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(told)? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER {
            return Err(format!("{} answered more than {ANSWER} bytes", response.url()));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_does_not_lead_into_the_network_or_to_other_schemes() {
        let outside = Authority::new(false).unwrap();
        for url in [
            "http://127.0.0.1/ocsp",
            "http://10.0.0.1/",
            "http://[::1]:80/",
            "http://169.254.169.254/latest",
            "https://ocsp.example.no/",
            "ldap://ldap.example.no/cn=x",
            "file:///etc/passwd",
            "no url",
        ] {
            assert!(outside.checked(url).is_err(), "{url}");
        }
        assert!(outside.checked("http://ocsp.example.no/").is_ok());
        let inside = Authority::new(true).unwrap();
        assert!(inside.checked("http://127.0.0.1:8080/ocsp").is_ok());
        assert!(inside.checked("http://169.254.169.254/").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_asked() {
        let outside = Authority::new(false).unwrap();
        let error = outside.list("http://localhost:9/crl").await.unwrap_err();
        assert!(error.contains("not allowed"), "{error}");
    }
}
