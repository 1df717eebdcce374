//! The calls of SvarInn for one mottakersystem, and its JSON.
//!
//! Spec: DPF and DPFIO, 9.1 and 9.3.

use budstikke_sdk::Failure;
use budstikke_sdk::http::{Address, Method, Piece, classify, is_success};
use budstikke_sdk::privacy::without_person_numbers;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::host::{Answer, Body, Call, Caller, Content, Expect, Host};
use crate::settings::{Incoming, Login};

/// So many forsendelser are in one list; there may be more when it is full.
pub(crate) const FULL: usize = 200;

/// Bytes of a list.
const MAX_LIST: u32 = 32 * 1024 * 1024;

/// Seconds that SvarInn may be silent.
const PATIENCE: u32 = 30;

/// A forsendelse that waits. Members that we do not use are passed over, and what is null is as good as absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Waiting {
    #[serde(deserialize_with = "text")]
    pub(crate) id: String,
    #[serde(deserialize_with = "text")]
    pub(crate) tittel: String,
    #[serde(deserialize_with = "text")]
    pub(crate) download_url: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) filmetadata: Vec<FileFacts>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) mottaker: Party,
    #[serde(deserialize_with = "or_default")]
    pub(crate) svar_sendes_til: Party,
    #[serde(deserialize_with = "or_default")]
    pub(crate) avsender: Sender,
    #[serde(deserialize_with = "or_default")]
    pub(crate) metadata_fra_avleverende_system: Metadata,
    #[serde(deserialize_with = "text")]
    pub(crate) svar_pa_forsendelse: String,
}

/// What the list says about a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FileFacts {
    #[serde(deserialize_with = "text")]
    pub(crate) filnavn: String,
    #[serde(deserialize_with = "text")]
    pub(crate) mimetype: String,
    #[serde(deserialize_with = "text")]
    pub(crate) sha256hash: String,
}

/// Somebody with an address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Party {
    pub(crate) navn: Option<String>,
    pub(crate) adresse1: Option<String>,
    pub(crate) adresse2: Option<String>,
    pub(crate) adresse3: Option<String>,
    pub(crate) postnr: Option<String>,
    pub(crate) poststed: Option<String>,
    pub(crate) land: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) orgnr: String,
    #[serde(deserialize_with = "text")]
    pub(crate) fnr: String,
}

/// Who sent it, in another form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sender {
    pub(crate) navn: Option<String>,
    pub(crate) adresselinje1: Option<String>,
    pub(crate) adresselinje2: Option<String>,
    pub(crate) adresselinje3: Option<String>,
    pub(crate) postnr: Option<String>,
    pub(crate) poststed: Option<String>,
}

/// What the sender's archive says about it. Numbers have 64 bits. Spec: DPF and DPFIO, 14, sharp edge 24.
#[expect(clippy::struct_field_names, reason = "the names are the service's")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) sakssekvensnummer: Option<i64>,
    pub(crate) saksaar: Option<i64>,
    pub(crate) journalaar: Option<i64>,
    pub(crate) journalsekvensnummer: Option<i64>,
    pub(crate) journalpostnummer: Option<i64>,
    pub(crate) journalposttype: Option<String>,
    pub(crate) journalstatus: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) journaldato: Option<i64>,
    pub(crate) dokumentets_dato: Option<i64>,
    #[serde(deserialize_with = "text")]
    pub(crate) tittel: String,
    pub(crate) saks_behandler: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) ekstra_metadata: Vec<Pair>,
}

/// A piece of metadata of the sender's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pair {
    pub(crate) key: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) value: String,
}

/// A text; what is null is empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// A value; what is null is as if it were not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// Of an answer other than 2xx.
    pub(crate) status: Option<u16>,
    pub(crate) failure: Failure,
}

/// SvarInn as one mottakersystem sees it.
pub(crate) struct SvarInn<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) inn: &'a Incoming,
    pub(crate) login: &'a Login,
}

impl<H: Host> SvarInn<'_, H> {
    /// What waits: each forsendelse by itself, so that one that cannot be read does not hide the others. An error is its id, when it
    /// has one, and what is wrong.
    pub(crate) fn list(&self) -> Result<Vec<Result<Waiting, String>>, Failure> {
        let url = format!("{}/mottaker/hentNyeForsendelser", self.inn.base_url);
        let answer = self.call(Method::Get, &url, Body::Nothing, Expect::Text(MAX_LIST));
        let answer = answer.map_err(|unanswered| self.explained(unanswered))?;
        let unreadable = |why: &str| Failure::temporary(format!("SvarInn: GET {url}: the list cannot be read: {why}"));
        let Content::Bytes(bytes) = answer.content else {
            return Err(unreadable("the host gave a file"));
        };
        let list: Vec<Value> = serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(&format!("line {}, column {}", error.line(), error.column())))?;
        Ok(list.into_iter().map(read).collect())
    }

    /// Fetches the package into the host.
    pub(crate) fn download(&self, waiting: &Waiting) -> Result<H::File, Unanswered> {
        let refused = |why: &str| Unanswered {
            status: None,
            failure: Failure::temporary(format!("SvarInn: {why}")),
        };
        let url = self.download_url(&waiting.download_url).map_err(refused)?;
        match self.call(Method::Get, &url, Body::Nothing, Expect::File)?.content {
            Content::File(file) => Ok(file),
            Content::Bytes(_) => Err(refused("the host gave no file")),
        }
    }

    /// Says that we have it: the sender sees `LEST`.
    pub(crate) fn confirm(&self, id: &str) -> Result<(), Unanswered> {
        let url = format!("{}/kvitterMottak/forsendelse/{id}", self.inn.base_url);
        self.call(Method::Post, &url, Body::Nothing, Expect::Nothing).map(drop)
    }

    /// Says that we cannot read it.
    pub(crate) fn reject(&self, id: &str, reason: &str, permanent: bool) -> Result<(), Unanswered> {
        let url = format!("{}/mottakFeilet/forsendelse/{id}", self.inn.base_url);
        let body = json!({ "feilmelding": reason, "permanent": permanent }).to_string();
        let body = Body::Content(vec![Piece::Bytes(body.into_bytes())], "application/json".to_owned());
        self.call(Method::Post, &url, body, Expect::Nothing).map(drop)
    }

    /// An address within SvarInn. One elsewhere would get our password.
    fn download_url(&self, given: &str) -> Result<String, &'static str> {
        let base = &self.inn.base_url;
        if !given.contains("://") {
            let slash = if given.starts_with('/') { "" } else { "/" };
            let url = format!("{base}{slash}{given}");
            return Address::parse(&url)
                .map(|_| url.clone())
                .ok_or("the downloadUrl is no address");
        }
        let (wanted, own) = (Address::parse(given), Address::parse(base));
        match (wanted, own) {
            (Some(wanted), Some(own)) if wanted.secure == own.secure && wanted.authority == own.authority => {
                Ok(given.to_owned())
            }
            (Some(_), _) => Err("the downloadUrl leads to another host"),
            (None, _) => Err("the downloadUrl is no address"),
        }
    }

    fn call(
        &self,
        method: Method,
        url: &str,
        body: Body<'_, H::File>,
        expect: Expect,
    ) -> Result<Answer<H::File>, Unanswered> {
        let answer = self.host.http(Call {
            method,
            url,
            caller: Caller::Login(self.login),
            body,
            expect,
            patience: PATIENCE,
        });
        let answer = answer.map_err(|error| Unanswered {
            status: None,
            failure: error.into(),
        })?;
        if is_success(answer.status) {
            return Ok(answer);
        }
        let body = match &answer.content {
            Content::Bytes(bytes) => without_person_numbers(&String::from_utf8_lossy(bytes)),
            Content::File(_) => String::new(),
        };
        let prefix = format!("SvarInn: {} {url}", method.name());
        Err(Unanswered {
            status: Some(answer.status),
            failure: classify(&prefix, answer.status, answer.retry_after, body.as_bytes()),
        })
    }

    fn explained(&self, unanswered: Unanswered) -> Failure {
        match unanswered.status {
            Some(401) => Failure::temporary(format!(
                "SvarInn: 401: user name or password of `{}` is wrong, or the mottakersystem's set-up at KS is not finished",
                self.login.user
            )),
            _ => unanswered.failure,
        }
    }
}

fn read(forsendelse: Value) -> Result<Waiting, String> {
    let id = forsendelse
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| crate::id::is_uuid(id));
    let Some(id) = id.map(str::to_owned) else {
        return Err("a forsendelse without an id that is one".to_owned());
    };
    // What serde says can have the content in it.
    Waiting::deserialize(forsendelse)
        .map_err(|_| format!("forsendelse {id} has another form than SvarInn's description"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, receiving};

    fn url(given: &str) -> Result<String, &'static str> {
        let (host, settings) = (Fake::default(), receiving(""));
        let inn = settings.inn.unwrap();
        let svarinn = SvarInn {
            host: &host,
            inn: &inn,
            login: inn.own.as_ref().unwrap(),
        };
        svarinn.download_url(given)
    }

    #[test]
    fn a_download_stays_within_svarinn() {
        assert_eq!(
            url("/forsendelse/1").unwrap(),
            "https://svarut.test/svarinn/forsendelse/1"
        );
        assert_eq!(
            url("forsendelse/1").unwrap(),
            "https://svarut.test/svarinn/forsendelse/1"
        );
        assert_eq!(
            url("https://svarut.test/annet/1").unwrap(),
            "https://svarut.test/annet/1"
        );
        for other in [
            "https://svarut.test:8443/1",
            "http://svarut.test/1",
            "https://evil.test/svarut.test",
            "https://u@svarut.test/1",
            "/a b",
        ] {
            assert!(url(other).is_err(), "{other}");
        }
    }

    #[test]
    fn e23_what_is_null_or_missing_or_new_is_no_fault() {
        let id = "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10";
        let bare = read(json!({ "id": id })).unwrap();
        assert_eq!((bare.id.as_str(), bare.tittel.as_str()), (id, ""));
        let nulls = read(json!({
            "id": id, "tittel": null, "filmetadata": null, "svarSendesTil": null, "avsender": null,
            "metadataFraAvleverendeSystem": null, "svarPaForsendelse": null, "nytt": { "a": 1 },
        }));
        assert!(
            nulls
                .unwrap()
                .metadata_fra_avleverende_system
                .ekstra_metadata
                .is_empty()
        );
        let large = read(
            json!({ "id": id, "metadataFraAvleverendeSystem": { "sakssekvensnummer": 3_000_000_000_i64, "ekstraMetadata": null } }),
        );
        assert_eq!(
            large.unwrap().metadata_fra_avleverende_system.sakssekvensnummer,
            Some(3_000_000_000)
        );
        let wrong = read(json!({ "id": id, "tittel": { "hemmelig": 1 } })).unwrap_err();
        assert!(wrong.contains(id) && !wrong.contains("hemmelig"));
        for none in [json!({}), json!({ "id": "../x" }), json!(1)] {
            assert!(read(none).unwrap_err().contains("without an id"));
        }
    }
}
