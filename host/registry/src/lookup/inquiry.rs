//! One question under way: what it is about, and what the registers have said so far.
//!
//! Every register is asked at most once for a question, also when it could not answer. Nothing here outlives the question; clients of
//! registers have caches of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use budstikke_message::identifier::{DocumentType, OrganisationNumber, Person};
use budstikke_message::x509::Certificate;
use tokio::sync::{Mutex, OnceCell};

use super::error::LookupError;
use super::receiver::Receiver;
use super::{Directory, Query, certificate};
use crate::caller::{Caller, CallerToken};
use crate::data::{OwnOrganisation, Snapshot};
use crate::registers::{Account, Contact, HealthUnit, Organisation, Printer, ReceiverSystem, Registered, Resident};

type Said<T> = OnceCell<Result<T, LookupError>>;

/// A question.
pub(super) struct Inquiry<'a> {
    pub(super) directory: &'a Directory,
    pub(super) data: Arc<Snapshot>,
    pub(super) query: &'a Query,
    pub(super) receiver: Receiver,
    pub(super) caller: Option<&'a Caller>,
    pub(super) by_process: bool,
    /// All document types that the question is about.
    pub(super) document_types: Vec<DocumentType>,
    token: &'a CallerToken,
    registrations: Said<Registered>,
    receiver_systems: Said<Vec<ReceiverSystem>>,
    contact: Said<Contact>,
    printer: Said<Printer>,
    resident: Said<Option<Resident>>,
    sender: Said<Option<Organisation>>,
    unit: Said<Option<HealthUnit>>,
    account: Said<Option<Account>>,
    certificates: Mutex<BTreeMap<String, Result<Option<Certificate>, LookupError>>>,
}

fn said<T>(cell: &Result<T, LookupError>) -> Result<&T, LookupError> {
    cell.as_ref().map_err(Clone::clone)
}

impl<'a> Inquiry<'a> {
    /// Without a caller, only who the receiver is can be asked.
    pub(super) fn new(
        directory: &'a Directory,
        query: &'a Query,
        receiver: Receiver,
        token: &'a CallerToken,
        caller: Option<&'a Caller>,
    ) -> Self {
        Self {
            directory,
            data: directory.data.load_full(),
            query,
            receiver,
            caller,
            by_process: false,
            document_types: Vec::new(),
            token,
            registrations: Said::new(),
            receiver_systems: Said::new(),
            contact: Said::new(),
            printer: Said::new(),
            resident: Said::new(),
            sender: Said::new(),
            unit: Said::new(),
            account: Said::new(),
            certificates: Mutex::default(),
        }
    }

    /// What is kept here about the receiver.
    pub(super) fn own(&self) -> Option<&OwnOrganisation> {
        match &self.receiver {
            Receiver::Organisation(number) => self.data.organisations.get(number),
            _ => None,
        }
    }

    fn number(&self) -> Result<&OrganisationNumber, LookupError> {
        match &self.receiver {
            Receiver::Organisation(number) => Ok(number),
            _ => Err(LookupError::not_set_up(
                "a rule asks of others what only organisations have",
            )),
        }
    }

    /// An organisation: what is kept here, completed by Enhetsregisteret.
    pub(super) async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, LookupError> {
        let own = self.data.organisations.get(number);
        let register = self.directory.registers.organisations.as_ref();
        let whole = own.is_some_and(|own| own.name.is_some() && own.form.is_some() && own.address.is_some());
        let outside = match register {
            Some(register) if !whole => match register.organisation(number).await {
                Ok(found) => found,
                // Who it is is known here; the rest only completes it, and changes no route.
                Err(error) if own.is_some_and(|own| own.name.is_some()) => {
                    tracing::warn!(%number, why = %error, "an organisation is answered for from own data alone");
                    None
                }
                Err(error) => return Err(error.into()),
            },
            _ => None,
        };
        let Some(own) = own else { return Ok(outside) };
        if outside.is_none() && own.name.is_none() && register.is_some() {
            return Ok(None);
        }
        let (name, form, address) = outside.map_or((None, None, None), |outside| {
            (Some(outside.name), outside.form, outside.address)
        });
        Ok(Some(Organisation {
            number: number.clone(),
            name: own.name.clone().or(name).unwrap_or_default(),
            form: own.form.clone().or(form),
            address: own.address.clone().or(address),
        }))
    }

    /// Who a letter comes back to: the caller.
    pub(super) async fn sender(&self) -> Result<&Organisation, LookupError> {
        let caller = self.caller.map(|caller| &caller.organisation);
        let number: Option<OrganisationNumber> = caller.and_then(|caller| caller.org().parse().ok());
        let found = self.sender.get_or_init(|| async {
            match &number {
                Some(number) => self.organisation(number).await,
                None => Ok(None),
            }
        });
        // The text of a claim; shown as identifiers are, so that a person number in it is hidden.
        let shown = || caller.map(ToString::to_string).unwrap_or_default();
        said(found.await)?
            .as_ref()
            .ok_or_else(|| LookupError::UnknownSender { organisation: shown() })
    }

    /// ELMA's registrations for the document types of the question.
    pub(super) async fn registrations(&self) -> Result<&Registered, LookupError> {
        let number = self.number()?;
        let asked = self.registrations.get_or_init(|| async {
            match &self.directory.registers.registrations {
                Some(elma) if !self.document_types.is_empty() => {
                    Ok(elma.by_document_type(number, &self.document_types).await?)
                }
                _ => Ok(Registered::new()),
            }
        });
        said(asked.await)
    }

    /// SvarUt's systems that fetch letters.
    pub(super) async fn receiver_systems(&self) -> Result<&[ReceiverSystem], LookupError> {
        let number = self.number()?;
        let asked = self.receiver_systems.get_or_init(|| async {
            match &self.directory.registers.receiver_systems {
                Some(svarut) => Ok(svarut.receiver_systems(number).await?),
                None => Ok(Vec::new()),
            }
        });
        said(asked.await).map(Vec::as_slice)
    }

    /// What KRR knows of the citizen. Whom it does not have is not registered, as it says of most of them itself.
    pub(super) async fn contact(&self) -> Result<&Contact, LookupError> {
        let Receiver::Person(person) = &self.receiver else {
            return Err(LookupError::not_set_up("a rule asks of others what only citizens have"));
        };
        let krr = self.krr()?;
        let asked = self
            .contact
            .get_or_init(|| async { Ok(krr.contact(person, self.token).await?.unwrap_or_default()) });
        said(asked.await)
    }

    /// Who prints.
    pub(super) async fn printer(&self) -> Result<&Printer, LookupError> {
        let krr = self.krr()?;
        said(self.printer.get_or_init(|| async { Ok(krr.printer().await?) }).await)
    }

    /// Without KRR nobody knows whether a citizen has a mailbox or has reserved, so there is no route to guess.
    fn krr(&self) -> Result<&dyn crate::registers::Contacts, LookupError> {
        let krr = self.directory.registers.contacts.as_deref();
        krr.ok_or_else(|| LookupError::not_set_up("citizens can be asked for only where KRR is used"))
    }

    /// What Folkeregisteret knows of the citizen, or of the patient whose unit is asked for.
    pub(super) async fn resident(&self) -> Result<Option<&Resident>, LookupError> {
        let person: Option<&Person> = match &self.receiver {
            Receiver::Person(person) => Some(person),
            Receiver::Health(nhn) => nhn.patient(),
            _ => None,
        };
        let asked = self.resident.get_or_init(|| async {
            match (&self.directory.registers.residents, person) {
                (Some(register), Some(person)) => Ok(register.resident(person).await?),
                _ => Ok(None),
            }
        });
        said(asked.await).map(Option::as_ref)
    }

    /// The health unit.
    pub(super) async fn unit(&self) -> Result<Option<&HealthUnit>, LookupError> {
        let asked = self.unit.get_or_init(|| async {
            match (&self.directory.registers.health_units, &self.receiver) {
                (Some(register), Receiver::Health(nhn)) => Ok(register.unit(nhn, self.token).await?),
                _ => Ok(None),
            }
        });
        said(asked.await).map(Option::as_ref)
    }

    /// The FIKS IO account.
    pub(super) async fn account(&self) -> Result<Option<&Account>, LookupError> {
        let asked = self.account.get_or_init(|| async {
            match (&self.directory.registers.accounts, &self.receiver) {
                (Some(register), Receiver::Account(account)) => Ok(register.account(account.as_str()).await?),
                _ => Ok(None),
            }
        });
        said(asked.await).map(Option::as_ref)
    }

    /// The receiver's certificate for a use.
    pub(super) async fn certificate(&self, r#use: &str) -> Result<Certificate, LookupError> {
        let number = self.number()?;
        let mut certificates = self.certificates.lock().await;
        let found = match certificates.get(r#use) {
            Some(known) => known.clone(),
            None => certificate::find(self.directory, &self.data, number, r#use).await,
        };
        certificates.insert(r#use.to_owned(), found.clone());
        found?.ok_or_else(|| certificate::missing(r#use, number.as_str()))
    }
}
