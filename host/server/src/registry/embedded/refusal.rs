//! What an error of a look-up means: the same as the status that a client of the address service would get. Spec: service registry,
//! 3.9 and 8.4.

use budstikke_registry::lookup::LookupError;
use http::StatusCode;

use crate::registry::RegistryError;
use budstikke_message::identifier::without_person_numbers;

/// `level`: what was asked for.
pub(super) fn of(error: &LookupError, level: Option<u8>) -> RegistryError {
    use LookupError as E;
    let text = without_person_numbers(&error.to_string());
    match error {
        E::UnknownProcess { process } | E::NotAccepted { process, .. } | E::LevelNotAvailable { process, .. } => {
            RegistryError::NotAccepted {
                process: process.to_string(),
                level,
            }
        }
        E::UnknownReceiver { .. }
        | E::UnknownSender { .. }
        | E::SenderWithoutAddress { .. }
        | E::UnknownResident
        | E::NoRecordForCitizen
        | E::CertificateMissing { .. } => RegistryError::UnknownReceiver(Some(text)),
        E::CertificatesDiffer { .. } | E::PatientNotRetrievable | E::RegisterRejected { .. } => {
            refused(StatusCode::BAD_REQUEST, text)
        }
        E::ScopeMissing { .. } | E::RegisterDenied { .. } => refused(StatusCode::UNAUTHORIZED, text),
        E::RegisterUnavailable { .. } | E::RegisterUnusable { .. } => RegistryError::Unreachable(text),
        E::NotSetUp { detail } => {
            tracing::error!(
                detail,
                "a look-up failed because the address service is not set up for it"
            );
            RegistryError::Unreachable(text)
        }
    }
}

fn refused(status: StatusCode, text: String) -> RegistryError {
    RegistryError::Refused {
        status: status.as_u16(),
        description: Some(text),
    }
}
