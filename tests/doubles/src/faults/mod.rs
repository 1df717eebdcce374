//! Switches that make the doubles misbehave.
//!
//! [`Faults`] is the table of what is switched on, [`enforce`] makes it happen, [`control`] is the door for people.

pub(crate) mod body;
pub(crate) mod control;
pub(crate) mod enforce;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// A call of one of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// Maskinporten: `POST /token`.
    Token,
    /// Altinn: `GET /authentication/api/v1/exchange/maskinporten`.
    Exchange,
    /// Broker: `POST /filetransfer/`.
    Initialise,
    /// Broker: `POST /filetransfer/{id}/upload`.
    Upload,
    /// Broker: `GET /filetransfer`.
    List,
    /// Broker: `GET /filetransfer/{id}`.
    Overview,
    /// Broker: `GET /filetransfer/{id}/download`.
    Download,
    /// Broker: `POST /filetransfer/{id}/confirmdownload`.
    Confirm,
    /// Correspondence: `POST /correspondence/upload`.
    CorrespondenceUpload,
    /// Correspondence: `GET /correspondence`.
    CorrespondenceList,
    /// Correspondence: `GET /correspondence/{id}`.
    CorrespondenceOverview,
    /// Correspondence: `GET /correspondence/{id}/details`.
    CorrespondenceDetails,
    /// Correspondence: `GET /correspondence/{id}/attachment/{attachment}/download`.
    CorrespondenceAttachment,
    /// Correspondence: `GET /attachment/{attachment}/details`.
    CorrespondenceAttachmentDetails,
    /// Enhetsregisteret: `GET …/enheter/{number}`.
    Unit,
    /// Enhetsregisteret: `GET …/underenheter/{number}`.
    SubUnit,
    /// ELMA: `GET /{participant}`.
    ServiceGroup,
    /// ELMA: `GET /{participant}/services/{document type}`.
    ServiceMetadata,
    /// Virksert: `GET …/{participant}/{process}`.
    Certificates,
    /// SvarUt: `GET …/mottakersystem`.
    ReceiverSystems,
    /// KRR: `POST …/personer`.
    Contact,
    /// KRR: `GET …/printSertifikat`.
    Printer,
    /// Folkeregisteret: `GET …/personadresse/{person}`.
    Resident,
    /// Norsk Helsenett: `GET /{identifier}`.
    HealthUnit,
    /// Fiks IO: `GET …/kontoer/{id}`.
    Account,
    /// Fiks IO: `GET …/kontoer/{id}/offentligNokkel`.
    AccountKey,
    /// SvarUt: `POST …/forsendelser/organisasjon`.
    SvarutSend,
    /// SvarUt: `POST …/forsendelser/status/sok`.
    SvarutStatus,
    /// SvarUt: `GET …/forsendelser?eksternRef=…`.
    SvarutFind,
    /// SvarUt: `GET …/forsendelsestyper`.
    SvarutTypes,
    /// SvarUt: any operation of `ForsendelsesServiceV9`.
    SvarutSoap,
    /// SvarUt: `GET …/publickey/hent`.
    SvarutKey,
    /// SvarInn: `GET …/hentNyeForsendelser`.
    SvarinnList,
    /// SvarInn: `GET …/forsendelse/{id}`.
    SvarinnDownload,
    /// SvarInn: `POST …/kvitterMottak/forsendelse/{id}`.
    SvarinnConfirm,
    /// SvarInn: `POST …/mottakFeilet/forsendelse/{id}`.
    SvarinnReject,
}

impl Route {
    /// Which call a request is, by method and path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let get = method == Method::GET;
        let post = method == Method::POST;
        match path {
            crate::maskinporten::PATH if post => return Some(Self::Token),
            crate::exchange::PATH if get => return Some(Self::Exchange),
            _ => {}
        }
        if let Some(route) = crate::ks::route(method, path).or_else(|| crate::registers::route(method, path)) {
            return Some(route);
        }
        if let Some(route) = crate::correspondence::route(method, path) {
            return Some(route);
        }
        let rest = path.strip_prefix(crate::broker::PATH)?.strip_prefix("/filetransfer")?;
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [""] if get => Some(Self::List),
            ["", ""] if post => Some(Self::Initialise),
            ["", _, "upload"] if post => Some(Self::Upload),
            ["", _, "download"] if get => Some(Self::Download),
            ["", _, "confirmdownload"] if post => Some(Self::Confirm),
            ["", id] if get && !id.is_empty() => Some(Self::Overview),
            _ => None,
        }
    }
}

/// A way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and a problem body. Nothing else happens; the request body is read and dropped.
    Status(u16),
    /// Answers with this status and body. Nothing else happens; the request body is read and dropped.
    Answer {
        /// HTTP status, 200 to 599.
        status: u16,
        /// Body, as it is.
        body: String,
        /// `Content-Type` of the body.
        content_type: String,
        /// Value of `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// Waits, then does the work and answers.
    Delay(Duration),
    /// Resets the connection after so many bytes of the request body (0: at once; a shorter body is cut at its end).
    /// The work is not done.
    CutRequestBody {
        /// Bytes read before the cut.
        after: u64,
    },
    /// Does the work, then resets the connection after so many bytes of the body of the answer (0: after the head).
    CutResponseBody {
        /// Bytes written before the cut.
        after: u64,
    },
    /// Does all the work (a download is read to its end), then resets the connection instead of answering.
    AnswerLost,
    /// Upload, to the broker or to Correspondence: the virus scan ends in `Failed`. Other calls: no effect.
    VirusFound,
    /// Refuses the caller's token with 401, now and later; a new token works.
    TokenRevoked,
    /// Upload: the broker finds another checksum than the sender. Overview: shows a wrong checksum. Download: the last
    /// byte is flipped; of SvarInn's, one in the middle. Other calls: no effect.
    WrongChecksum,
    /// Reads the request body and writes the body of the answer no faster than this.
    SlowBody {
        /// Speed; 0 counts as 1.
        bytes_per_second: u64,
    },
}

impl Fault {
    /// A 503 answer with `Retry-After`.
    pub fn unavailable(retry_after_seconds: u32) -> Self {
        Self::Answer {
            status: 503,
            body: String::new(),
            content_type: "text/plain".to_owned(),
            retry_after: Some(retry_after_seconds),
        }
    }

    /// The name in the control door and in the record of requests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Answer { .. } => "answer",
            Self::Delay(_) => "delay",
            Self::CutRequestBody { .. } => "cut-request-body",
            Self::CutResponseBody { .. } => "cut-response-body",
            Self::AnswerLost => "answer-lost",
            Self::VirusFound => "virus-found",
            Self::TokenRevoked => "token-revoked",
            Self::WrongChecksum => "wrong-checksum",
            Self::SlowBody { .. } => "slow-body",
        }
    }
}

/// The faults that are switched on. At most one applies to a request: the oldest for its route. A fault for a number of
/// requests goes away when used up, so a list of them is a script.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Rule>>);

#[derive(Clone, Debug)]
struct Rule {
    route: Route,
    fault: Fault,
    /// `None`: for ever.
    left: Option<u32>,
}

impl Faults {
    /// The next request on the route.
    pub fn once(&self, route: Route, fault: Fault) {
        self.times(1, route, fault);
    }

    /// The next `times` requests on the route.
    pub fn times(&self, times: u32, route: Route, fault: Fault) {
        self.add(Rule {
            route,
            fault,
            left: Some(times),
        });
    }

    /// Every request on the route until [`Faults::clear`].
    pub fn always(&self, route: Route, fault: Fault) {
        self.add(Rule {
            route,
            fault,
            left: None,
        });
    }

    /// Switches everything off.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many faults are still switched on.
    pub fn pending(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn add(&self, rule: Rule) {
        if rule.left != Some(0) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
        }
    }

    /// The fault for a request that has just come in.
    pub(crate) fn take(&self, route: Route) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = rules.iter().position(|rule| rule.route == route)?;
        let rule = rules.get_mut(index)?;
        let fault = rule.fault.clone();
        if let Some(left) = &mut rule.left {
            *left -= 1;
            if *left == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }

    fn rules(&self) -> Vec<Rule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_for_a_route_come_in_the_order_given_and_run_out() {
        let faults = Faults::default();
        faults.times(2, Route::Upload, Fault::Status(503));
        faults.once(Route::Upload, Fault::AnswerLost);
        faults.once(Route::List, Fault::Status(500));
        let taken: Vec<_> = (0..4).map(|_| faults.take(Route::Upload)).collect();
        assert_eq!(
            taken,
            [
                Some(Fault::Status(503)),
                Some(Fault::Status(503)),
                Some(Fault::AnswerLost),
                None
            ]
        );
        assert_eq!(faults.pending(), 1);
    }

    #[test]
    fn the_slash_tells_list_from_initialise() {
        let base = "/broker/api/v1/filetransfer";
        let of = |method: Method, rest: &str| Route::of(&method, &format!("{base}{rest}"));
        assert_eq!(of(Method::GET, ""), Some(Route::List));
        assert_eq!(of(Method::GET, "/"), None);
        assert_eq!(of(Method::POST, "/"), Some(Route::Initialise));
        assert_eq!(of(Method::POST, ""), None);
        assert_eq!(of(Method::GET, "/x"), Some(Route::Overview));
        assert_eq!(of(Method::GET, "/x/download"), Some(Route::Download));
        assert_eq!(of(Method::POST, "/x/confirmdownload"), Some(Route::Confirm));
        assert_eq!(of(Method::POST, "/x/upload"), Some(Route::Upload));
    }
}
