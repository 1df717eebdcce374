//! From the settings to registers that can be asked.

use std::path::PathBuf;
use std::sync::Arc;

use super::brreg::{self, Brreg};
use super::cached::{Cached, CachedContacts};
use super::certificate::CertificateCheck;
use super::elma::{self, Elma};
use super::fiks::{self, Fiks};
use super::freg::{self, Freg};
use super::krr::{self, Krr};
use super::nhn::{self, Nhn};
use super::settings::{self, Limits, Pace, RegisterSettings};
use super::svarut::{self, Svarut};
use super::token::TokenSource;
use super::virksert::{self, Accepted, Virksert};
use super::{
    Accounts, Certificates, Contacts, HealthUnits, Organisations, ReceiverSystems, Registers, Registrations, Residents,
};

/// The settings of a register do not work.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A URL.
    #[error("the URL of {register}: {detail}")]
    Url {
        /// Name of the register.
        register: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A time that must not be 0.
    #[error("limits of {register}: {key} must not be 0")]
    Zero {
        /// Name of the register.
        register: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A file of certificates.
    #[error("{}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Whom to believe.
    #[error("whom KRR's answers are believed from: {0}")]
    Trust(&'static str),
    /// The HTTP client, most likely the system's certificates.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

impl Registers {
    /// All registers that the settings name, each with its limits around it. `token` is our own for KS, `check` is for the
    /// certificates of virksert.
    ///
    /// # Errors
    /// A setting that does not work. Nothing is asked yet.
    pub fn from_settings(
        settings: &RegisterSettings,
        token: &Arc<dyn TokenSource>,
        check: &Arc<dyn CertificateCheck>,
    ) -> Result<Self, OpenError> {
        let mut registers = Self::default();
        if let Some(of) = &settings.brreg {
            let pace = pace(brreg::NAME, of.limits, settings::BRREG)?;
            let cached = Cached::new(brreg::NAME, Brreg::new(of, &pace)?, &pace);
            registers.organisations = Some(Arc::new(cached) as Arc<dyn Organisations>);
        }
        if let Some(of) = &settings.elma {
            let pace = pace(elma::NAME, of.limits, settings::ELMA)?;
            let cached = Cached::new(elma::NAME, Elma::new(of, &pace)?, &pace);
            registers.registrations = Some(Arc::new(cached) as Arc<dyn Registrations>);
        }
        if let Some(of) = &settings.virksert {
            let pace = pace(virksert::NAME, of.limits, settings::VIRKSERT)?;
            let cached = Cached::new(virksert::NAME, Virksert::new(of, &pace)?, &pace);
            registers.certificates = Some(Arc::new(Accepted::new(cached, check.clone())) as Arc<dyn Certificates>);
        }
        if let Some(of) = &settings.svarut {
            let pace = pace(svarut::NAME, of.limits, settings::SVARUT)?;
            let cached = Cached::new(svarut::NAME, Svarut::new(of, &pace, token.clone())?, &pace);
            registers.receiver_systems = Some(Arc::new(cached) as Arc<dyn ReceiverSystems>);
        }
        if let Some(of) = &settings.krr {
            let persons = pace(krr::NAME, of.limits, settings::KRR)?;
            let printer = pace(krr::NAME, of.print_limits, settings::PRINTER)?;
            let cached = CachedContacts::new(krr::NAME, Krr::new(of, &persons, &printer)?, &persons, &printer);
            registers.contacts = Some(Arc::new(cached) as Arc<dyn Contacts>);
        }
        if let Some(of) = &settings.freg {
            let pace = pace(freg::NAME, of.limits, settings::FREG)?;
            let cached = Cached::new(freg::NAME, Freg::new(of, &pace)?, &pace);
            registers.residents = Some(Arc::new(cached) as Arc<dyn Residents>);
        }
        if let Some(of) = &settings.nhn {
            let pace = pace(nhn::NAME, of.limits, settings::NHN)?;
            let cached = Cached::new(nhn::NAME, Nhn::new(of, &pace)?, &pace);
            registers.health_units = Some(Arc::new(cached) as Arc<dyn HealthUnits>);
        }
        if let Some(of) = &settings.fiks {
            let pace = pace(fiks::NAME, of.limits, settings::FIKS)?;
            let cached = Cached::new(fiks::NAME, Fiks::new(of, &pace, token.clone())?, &pace);
            registers.accounts = Some(Arc::new(cached) as Arc<dyn Accounts>);
        }
        Ok(registers)
    }
}

fn pace(register: &'static str, limits: Limits, usual: Pace) -> Result<Pace, OpenError> {
    let pace = limits.or(usual);
    for (key, time) in [("answer-ms", pace.answer), ("whole-ms", pace.whole)] {
        if time.is_zero() {
            return Err(OpenError::Zero { register, key });
        }
    }
    Ok(pace)
}
