//! The processes, the contexts that a message is sent in. Spec: documents and packaging, 3; messaging API, 3.4.

use crate::identifier::{NameError, ProcessId};

/// Where automatic statuses and receipts of arkivmelding go.
pub const ARKIVMELDING_RESPONSE: &str = "urn:no:difi:profile:arkivmelding:response:ver1.0";
/// Where automatic statuses of avtalt go.
pub const AVTALT_RESPONSE: &str = "urn:no:difi:profile:avtalt:response:ver1.0";
/// Where automatic statuses and receipts of eInnsyn go.
pub const EINNSYN_RESPONSE: &str = "urn:no:difi:profile:einnsyn:response:ver1.0";
/// Where receipts of dialogmelding go.
pub const HELSE_RESPONSE: &str = "urn:no:difi:profile:helse:response:ver1.0";

/// The receivers' side of a process is told apart by family: messages of one family are answered in one response process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Letters between organisations.
    Arkivmelding,
    /// Content that the parties have agreed on.
    Avtalt,
    /// Digital post and print to citizens.
    Digitalpost,
    /// Access to public documents.
    Einnsyn,
    /// Health messages.
    Helse,
}

/// A known process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// The full id.
    pub id: &'static str,
    /// What it belongs to.
    pub family: Family,
    /// Whether answers travel in it.
    pub response: bool,
}

const fn request(id: &'static str, family: Family) -> Process {
    Process {
        id,
        family,
        response: false,
    }
}

const fn response(id: &'static str, family: Family) -> Process {
    Process {
        id,
        family,
        response: true,
    }
}

/// Every process that is known today. The API takes any process; the registry decides.
pub const PROCESSES: &[Process] = &[
    request(
        "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:helseSosialOgOmsorg:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:kulturIdrettOgFritid:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:naturOgMiljoe:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:naeringsutvikling:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:oppvekstOgUtdanning:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:planByggOgGeodata:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:skatterOgAvgifter:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:tekniskeTjenester:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:trafikkReiserOgSamferdsel:ver1.0",
        Family::Arkivmelding,
    ),
    request(
        "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0",
        Family::Arkivmelding,
    ),
    response(ARKIVMELDING_RESPONSE, Family::Arkivmelding),
    request("urn:no:difi:profile:avtalt:avtalt:ver1.0", Family::Avtalt),
    response(AVTALT_RESPONSE, Family::Avtalt),
    request("urn:no:difi:profile:digitalpost:info:ver1.0", Family::Digitalpost),
    request("urn:no:difi:profile:digitalpost:vedtak:ver1.0", Family::Digitalpost),
    request("urn:no:difi:profile:einnsyn:innsynskrav:ver1.0", Family::Einnsyn),
    request("urn:no:difi:profile:einnsyn:journalpost:ver1.0", Family::Einnsyn),
    request("urn:no:difi:profile:einnsyn:meeting:ver1.0", Family::Einnsyn),
    response(EINNSYN_RESPONSE, Family::Einnsyn),
    request("urn:no:difi:profile:helse:helse:ver1.0", Family::Helse),
    response(HELSE_RESPONSE, Family::Helse),
];

/// Longest list of processes that an operator gives.
const MAX_OWN: usize = 1000;

/// Why a process cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// The id, or that of the response process, is no id.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The id is one of [`PROCESSES`].
    #[error("the process {0} belongs to eFormidling; what its answers travel in is settled")]
    Standard(String),
    /// The id was added before.
    #[error("the process {0} is in the list already")]
    Known(String),
    /// The list has a limit.
    #[error("the list of processes is full")]
    Full,
}

/// The operator's own processes, each with the process that answers travel in. Others are allowed; statuses about messages
/// in them go by the message type.
#[derive(Debug, Clone, Default)]
pub struct Processes(Vec<(ProcessId, ProcessId)>);

impl Processes {
    /// Adds a process.
    pub fn add(&mut self, id: &str, response: &str) -> Result<(), ProcessError> {
        let (id, response): (ProcessId, ProcessId) = (id.parse()?, response.parse()?);
        if known(id.as_str()).is_some() {
            return Err(ProcessError::Standard(id.into()));
        }
        if self.0.iter().any(|(other, _)| *other == id) {
            return Err(ProcessError::Known(id.into()));
        }
        if self.0.len() >= MAX_OWN {
            return Err(ProcessError::Full);
        }
        self.0.push((id, response));
        Ok(())
    }

    /// What answers to messages in a process of the operator's travel in.
    pub fn response_to(&self, id: &str) -> Option<&str> {
        let (_, response) = self.0.iter().find(|(own, _)| own.as_str() == id)?;
        Some(response.as_str())
    }
}

/// The known process with this id.
pub fn known(id: &str) -> Option<&'static Process> {
    PROCESSES.iter().find(|process| process.id == id)
}

impl Family {
    /// The process that statuses about messages of the family travel in. Digital post and health have none, because their
    /// statuses come from the service itself. Spec: documents and packaging, 12.1.
    pub fn status_process(self) -> Option<&'static str> {
        match self {
            Self::Arkivmelding => Some(ARKIVMELDING_RESPONSE),
            Self::Avtalt => Some(AVTALT_RESPONSE),
            Self::Einnsyn => Some(EINNSYN_RESPONSE),
            Self::Digitalpost | Self::Helse => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_response_process_is_known_as_one() {
        for family in [Family::Arkivmelding, Family::Avtalt, Family::Einnsyn] {
            let process = known(family.status_process().unwrap()).unwrap();
            assert!(process.response);
            assert_eq!(process.family, family);
        }
    }

    #[test]
    fn a_process_of_the_operators_has_its_own_response() {
        let mut own = Processes::default();
        own.add("urn:acme:profile:byggesak", "urn:acme:profile:svar").unwrap();
        assert_eq!(
            own.response_to("urn:acme:profile:byggesak"),
            Some("urn:acme:profile:svar")
        );
        assert_eq!(own.response_to("urn:acme:profile:svar"), None);
        assert_eq!(own.response_to(AVTALT_RESPONSE), None);
    }

    #[test]
    fn a_process_that_is_taken_or_has_no_name_is_refused() {
        let mut own = Processes::default();
        own.add("urn:a", "urn:b").unwrap();
        assert_eq!(own.add("urn:a", "urn:c"), Err(ProcessError::Known("urn:a".into())));
        assert_eq!(
            own.add(AVTALT_RESPONSE, "urn:c"),
            Err(ProcessError::Standard(AVTALT_RESPONSE.into()))
        );
        assert!(matches!(own.add("", "urn:c"), Err(ProcessError::Name(_))));
        assert!(matches!(own.add("urn:d", "with space"), Err(ProcessError::Name(_))));
    }

    #[test]
    fn no_process_stands_twice() {
        for process in PROCESSES {
            assert_eq!(
                PROCESSES.iter().filter(|other| other.id == process.id).count(),
                1,
                "{}",
                process.id
            );
        }
    }
}
