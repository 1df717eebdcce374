//! The calls of the Broker API, for one subject. Tokens, addresses and failures are dealt with here.
//!
//! Spec: DPO and DPV, 2.3 and 2.4.

use budstikke_sdk::Failure;
use budstikke_sdk::http::{Method, classify, in_query, is_success, without_secrets};
use serde::de::DeserializeOwned;

use crate::host::{Answer, Body, Call, Content, Expect, Host};
use crate::settings::Settings;
use crate::wire::{Initialise, Initialised, Overview, RecipientStatus, is_transfer_id};

/// More than a full list of ids or an overview ever is.
const MAX_JSON: u32 = 256 * 1024;

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum BrokerError {
    /// Altinn answered, with another status than 2xx.
    Status(u16, Failure),
    /// There is no answer, no usable one, or no token to ask with.
    NoAnswer(Failure),
}

impl BrokerError {
    /// True for an answer with this status.
    pub(crate) fn is(&self, status: u16) -> bool {
        matches!(self, Self::Status(found, _) if *found == status)
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Status(_, failure) | BrokerError::NoAnswer(failure) => failure,
        }
    }
}

/// The Broker API as one subject sees it.
pub(crate) struct Broker<'a, H> {
    host: &'a H,
    settings: &'a Settings,
    subject: &'a str,
}

impl<'a, H: Host> Broker<'a, H> {
    pub(crate) fn new(host: &'a H, settings: &'a Settings, subject: &'a str) -> Self {
        Self {
            host,
            settings,
            subject,
        }
    }

    /// Announces a transfer and gives its id.
    pub(crate) fn initialise(&self, transfer: &Initialise<'_>) -> Result<String, BrokerError> {
        let body = serde_json::to_string(transfer)
            .map_err(|error| BrokerError::NoAnswer(Failure::permanent("initialise", error.to_string())))?;
        // The slash at the end is the API's. Spec: DPO and DPV, 8, sharp edge 16.
        let path = "/filetransfer/";
        let bytes = self.json(&self.settings.write_scope, Method::Post, path, &Body::Json(&body))?;
        let answer: Initialised = self.parse(Method::Post, path, &bytes)?;
        if is_transfer_id(&answer.file_transfer_id) {
            Ok(answer.file_transfer_id)
        } else {
            Err(self.unreadable(Method::Post, path, "the id of the transfer is not an id"))
        }
    }

    /// Uploads the package of an announced transfer.
    pub(crate) fn upload(&self, id: &str, package: &H::File) -> Result<(), BrokerError> {
        let path = format!("/filetransfer/{id}/upload");
        self.call(
            &self.settings.write_scope,
            Method::Post,
            &path,
            &Body::File(package),
            Expect::Nothing,
        )
        .map(drop)
    }

    /// One page of ids, the oldest first: those created at `from` or later.
    pub(crate) fn list(&self, recipient: RecipientStatus, from: Option<&str>) -> Result<Vec<String>, BrokerError> {
        let mut path = format!(
            "/filetransfer?resourceId={}&status=Published&recipientStatus={}&role=Recipient&orderAscending=true",
            in_query(&self.settings.resource),
            recipient.name()
        );
        if let Some(from) = from {
            path.push_str("&from=");
            path.push_str(&in_query(from));
        }
        let bytes = self.json(&self.settings.read_scope, Method::Get, &path, &Body::Nothing)?;
        self.parse(Method::Get, &path, &bytes)
    }

    /// Looks a transfer up.
    pub(crate) fn overview(&self, id: &str) -> Result<Overview, BrokerError> {
        let path = format!("/filetransfer/{id}");
        let bytes = self.json(&self.settings.read_scope, Method::Get, &path, &Body::Nothing)?;
        let mut overview: Overview = self.parse(Method::Get, &path, &bytes)?;
        overview.raw = String::from_utf8_lossy(&bytes).into_owned();
        Ok(overview)
    }

    /// Fetches the package into the host.
    pub(crate) fn download(&self, id: &str) -> Result<H::File, BrokerError> {
        let path = format!("/filetransfer/{id}/download");
        match self
            .call(
                &self.settings.read_scope,
                Method::Get,
                &path,
                &Body::Nothing,
                Expect::File,
            )?
            .content
        {
            Content::File(file) => Ok(file),
            Content::Bytes(_) => Err(self.unreadable(Method::Get, &path, "the host gave no file")),
        }
    }

    /// Says that we have it, so that Altinn may throw it away.
    pub(crate) fn confirm(&self, id: &str) -> Result<(), BrokerError> {
        let path = format!("/filetransfer/{id}/confirmdownload");
        self.call(
            &self.settings.read_scope,
            Method::Post,
            &path,
            &Body::Nothing,
            Expect::Nothing,
        )
        .map(drop)
    }

    fn json(&self, scope: &str, method: Method, path: &str, body: &Body<'_, H::File>) -> Result<Vec<u8>, BrokerError> {
        match self.call(scope, method, path, body, Expect::Json(MAX_JSON))?.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File(_) => Err(self.unreadable(method, path, "the host gave a file")),
        }
    }

    /// One call. A refused token is renewed once: it may have been withdrawn, or the clock of the issuer may be ahead.
    fn call(
        &self,
        scope: &str,
        method: Method,
        path: &str,
        body: &Body<'_, H::File>,
        expect: Expect,
    ) -> Result<Answer<H::File>, BrokerError> {
        let url = format!("{}{path}", self.settings.broker_url);
        let mut renewed = false;
        loop {
            let token = self.token(scope).map_err(BrokerError::NoAnswer)?;
            let call = Call {
                method,
                url: &url,
                token: &token,
                body,
                expect,
            };
            let answer = self.host.http(call).map_err(BrokerError::NoAnswer)?;
            if is_success(answer.status) {
                return Ok(answer);
            }
            if answer.status == 401 && !renewed {
                self.host.token_was_refused(&token);
                renewed = true;
                continue;
            }
            let text = match &answer.content {
                Content::Bytes(bytes) => bytes.as_slice(),
                Content::File(_) => &[],
            };
            let prefix = format!("{}, status {}", self.place(method, path), answer.status);
            let failure = classify(&prefix, answer.status, answer.retry_after, text);
            return Err(BrokerError::Status(answer.status, failure));
        }
    }

    /// An issuer that refuses us says nothing about the message, so only what the operator has to set right is permanent.
    fn token(&self, scope: &str) -> Result<String, Failure> {
        self.host
            .token(&self.settings.token_profile, scope, self.subject)
            .map_err(|failure| match failure.code() {
                Some("profile" | "scope" | "subject") => failure,
                _ => failure.into_temporary(),
            })
    }

    fn parse<T: DeserializeOwned>(&self, method: Method, path: &str, bytes: &[u8]) -> Result<T, BrokerError> {
        serde_json::from_slice(bytes).map_err(|error| self.unreadable(method, path, &error.to_string()))
    }

    fn unreadable(&self, method: Method, path: &str, why: &str) -> BrokerError {
        BrokerError::NoAnswer(Failure::temporary(format!(
            "{}: the answer cannot be read: {why}",
            self.place(method, path)
        )))
    }

    /// What was called, for an error text. Spec: DPO and DPV, 2.8.
    fn place(&self, method: Method, path: &str) -> String {
        let url = without_secrets(&format!("{}{path}", self.settings.broker_url));
        format!("Broker api error: {} {url} for {}", method.name(), self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, OWN, settings};

    #[test]
    fn a_refused_token_is_renewed_once() {
        let host = Fake::default();
        host.on("GET /filetransfer/aa", 401, "")
            .on("GET /filetransfer/aa", 200, "{}");
        let settings = settings("");
        assert!(Broker::new(&host, &settings, OWN).overview("aa").is_ok());
        assert_eq!(
            host.tokens(),
            [
                "altinn:broker.read for 0192:991825827 #1",
                "altinn:broker.read for 0192:991825827 #2"
            ]
        );
        assert_eq!(host.refused(), ["token-1"]);
    }

    #[test]
    fn a_token_that_is_refused_twice_is_a_final_failure() {
        let host = Fake::default();
        host.on("GET /filetransfer/aa", 401, "")
            .on("GET /filetransfer/aa", 401, "no access");
        let settings = settings("");
        let error = Broker::new(&host, &settings, OWN).overview("aa").unwrap_err();
        assert!(error.is(401));
        assert_eq!(
            Failure::from(error).line().to_string(),
            "http-401: Broker api error: GET https://broker.test/v1/filetransfer/aa for 0192:991825827, status 401: no access"
        );
    }

    #[test]
    fn a_token_that_is_not_issued_can_be_asked_for_again_unless_the_settings_are_wrong() {
        for (code, permanent) in [
            ("token-refused", false),
            ("new", false),
            ("profile", true),
            ("scope", true),
            ("subject", true),
        ] {
            let host = Fake::default();
            host.issues_no_token(Failure::permanent(code, "no"));
            let settings = settings("");
            let failure = Failure::from(Broker::new(&host, &settings, OWN).overview("aa").unwrap_err());
            assert_eq!((failure.is_permanent(), host.calls().len()), (permanent, 0), "{code}");
        }
    }

    #[test]
    fn an_answer_that_is_no_json_can_be_asked_for_again() {
        let host = Fake::default();
        host.on("GET /filetransfer/aa", 200, "<html>")
            .on("POST /filetransfer/", 200, r#"{"fileTransferId":"../x"}"#);
        let settings = settings("");
        let broker = Broker::new(&host, &settings, OWN);
        assert!(!Failure::from(broker.overview("aa").unwrap_err()).is_permanent());
        let transfer = Initialise {
            file_name: "sbd.zip",
            resource_id: "r",
            senders_file_transfer_reference: "x",
            sender: OWN,
            recipients: [OWN],
            property_list: std::collections::BTreeMap::new(),
            checksum: "",
            disable_virus_scan: None,
        };
        assert!(!Failure::from(broker.initialise(&transfer).unwrap_err()).is_permanent());
    }

    #[test]
    fn a_time_with_an_offset_survives_the_query() {
        assert_eq!(
            in_query("2026-03-25T11:30:00.5+00:00"),
            "2026-03-25T11%3A30%3A00.5%2B00%3A00"
        );
    }
}
