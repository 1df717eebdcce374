//! SvarUt as one sender sees it, whichever way it is spoken to.

use budstikke_sdk::http::{HttpError, Reach, classify};
use budstikke_sdk::privacy::without_person_numbers;
use budstikke_sdk::{Failure, TemporaryFailure};

use crate::forsendelse::Forsendelse;
use crate::host::{Answer, Content, Host};
use crate::id::sender_number;
use crate::rest::Rest;
use crate::settings::{Account, Outgoing, Protocol, Settings};
use crate::soap::Soap;

/// Seconds that a question may take: it is small.
pub(crate) const QUESTION: u32 = 30;
/// More than any answer to a question has.
pub(crate) const MAX_ANSWER: u32 = 4 * 1024 * 1024;

/// What became of a forsendelse that was sent.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// SvarUt has it, under this id.
    Taken(String),
    /// SvarUt says that it has it already.
    Duplicate(Failure),
    /// SvarUt, or something on the way to it, has said no, or nothing left.
    Refused(Failure),
    /// Nobody knows.
    Unknown {
        detail: String,
        /// It may be on its way still.
        under_way: bool,
    },
}

/// One line of an answer about statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) id: String,
    /// In SvarUt's words: `LEST`.
    pub(crate) name: String,
    /// The line as it came, or as it would be in JSON.
    pub(crate) raw: String,
}

/// A question that was not answered.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// The status of an answer that says no.
    pub(crate) status: Option<u16>,
    pub(crate) reach: Reach,
    pub(crate) failure: Failure,
}

impl Trouble {
    pub(crate) fn of_failure(failure: Failure) -> Self {
        Self {
            status: None,
            reach: Reach::NeverLeft,
            failure,
        }
    }

    /// An answer that is none, to a request that may have been heard.
    pub(crate) fn unreadable(detail: String) -> Self {
        Self {
            status: None,
            reach: Reach::Unknown,
            failure: Failure::temporary(detail),
        }
    }

    /// An answer other than 2xx.
    pub(crate) fn of_answer<F>(target: &str, answer: &Answer<F>) -> Self {
        let body = match &answer.content {
            Content::Bytes(bytes) => without_person_numbers(&String::from_utf8_lossy(bytes)),
            Content::File(_) => String::new(),
        };
        let prefix = format!("SvarUt: {target}");
        Self {
            status: Some(answer.status),
            reach: Reach::Unknown,
            failure: classify(&prefix, answer.status, answer.retry_after, body.as_bytes()),
        }
    }
}

impl From<HttpError> for Trouble {
    fn from(error: HttpError) -> Self {
        Self {
            status: None,
            reach: error.reach,
            failure: error.into(),
        }
    }
}

/// The message stays uncertain, and is looked at again after so many seconds at the soonest.
pub(crate) fn unknown_after(detail: String, seconds: u64) -> Failure {
    Failure::Unknown(TemporaryFailure {
        detail,
        retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
    })
}

/// SvarUt for one sender.
pub(crate) struct SvarUt<'a, H> {
    pub(crate) host: &'a H,
    pub(crate) settings: &'a Settings,
    pub(crate) out: &'a Outgoing,
    pub(crate) account: &'a Account,
    /// The organisation number of the sender.
    pub(crate) number: &'a str,
    /// Whom tokens are for; none: ourselves.
    pub(crate) subject: Option<String>,
}

impl<'a, H: Host> SvarUt<'a, H> {
    /// SvarUt for who sends as `identifier`. None: there is no account.
    pub(crate) fn of(host: &'a H, settings: &'a Settings, identifier: &'a str) -> Option<Self> {
        let out = settings.out.as_ref()?;
        let own = host.own_organisation();
        let number = sender_number(identifier);
        let is_own = number == sender_number(&own);
        let account = if is_own {
            out.own.as_ref()
        } else {
            out.others.get(number)
        };
        Some(Self {
            host,
            settings,
            out,
            account: account?,
            number,
            // The same for every call. Spec: DPF and DPFIO, 14, sharp edge 2.
            subject: (!is_own).then(|| format!("0192:{number}")),
        })
    }

    /// Sends it. `sealed` are its documents, encrypted, in their order; `id` is the id that it gets over SOAP.
    pub(crate) fn send(&self, forsendelse: &Forsendelse<'_, H::File>, sealed: &[H::File], id: &str) -> Outcome {
        match self.settings.protocol {
            Protocol::Rest => Rest(self).send(forsendelse, sealed),
            Protocol::Soap => Soap(self).send(forsendelse, sealed, id),
        }
    }

    /// The forsendelse that a message has become; none when SvarUt does not know of it.
    pub(crate) fn find(&self, message_id: &str) -> Result<Option<String>, Trouble> {
        match self.settings.protocol {
            Protocol::Rest => Rest(self).find(message_id),
            Protocol::Soap => Soap(self).find(message_id),
        }
    }

    /// The forsendelsestyper that the sender may use.
    pub(crate) fn types(&self) -> Result<Vec<String>, Trouble> {
        match self.settings.protocol {
            Protocol::Rest => Rest(self).types(),
            Protocol::Soap => Soap(self).types(),
        }
    }

    /// What has become of forsendelser. Those that SvarUt does not know are missing.
    pub(crate) fn statuses(&self, ids: &[&str]) -> Result<Vec<Status>, Trouble> {
        match self.settings.protocol {
            Protocol::Rest => Rest(self).statuses(ids),
            Protocol::Soap => Soap(self).statuses(ids),
        }
    }
}
