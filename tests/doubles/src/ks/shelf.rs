//! What KS has: accounts, mottakersystemer, forsendelser.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use uuid::Uuid;

use super::account::{Mottakersystem, SvarUtAccount};
use super::forsendelse::Forsendelse;
use super::key::KsKey;
use crate::registers::{Content, Registers};

/// KS, as tests see it.
#[derive(Default)]
pub struct Ks {
    pub(super) key: KsKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    accounts: Vec<SvarUtAccount>,
    receivers: Vec<Mottakersystem>,
    forsendelser: Vec<Forsendelse>,
    /// Texts of the faults that the next calls of sendForsendelseMedId end in.
    refusals: Vec<String>,
}

impl fmt::Debug for Ks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ks").finish_non_exhaustive()
    }
}

impl Ks {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a konto, or changes the one of the same organisation.
    pub fn put_account(&self, account: SvarUtAccount) {
        let mut inner = self.lock();
        inner.accounts.retain(|known| known.number != account.number);
        inner.accounts.push(account);
    }

    /// Registers a mottakersystem, or changes the one with the same user. The address service finds it too.
    pub(crate) fn put_receiver(&self, registers: &Registers, receiver: Mottakersystem) {
        let mut inner = self.lock();
        inner.receivers.retain(|known| known.user != receiver.user);
        for number in &receiver.numbers {
            registers.put(Content::ReceiverSystem {
                number: number.clone(),
                document: json!({
                    "id": Uuid::new_v4(), "navn": "Sak", "organisasjonsnummer": number, "forsendelseType": null,
                    "niva": receiver.level,
                }),
            });
        }
        inner.receivers.push(receiver);
    }

    /// The konto of an organisation.
    pub fn account_of(&self, number: &str) -> Option<SvarUtAccount> {
        self.account(|account| account.number == number)
    }

    /// The certificate that documents are encrypted to, in PEM.
    pub fn certificate(&self) -> &str {
        self.key.certificate()
    }

    /// All forsendelser, oldest first.
    pub fn forsendelser(&self) -> Vec<Forsendelse> {
        self.lock().forsendelser.clone()
    }

    /// One of them.
    pub fn forsendelse(&self, id: Uuid) -> Option<Forsendelse> {
        self.with(id, |forsendelse| forsendelse.clone())
    }

    /// Lets a forsendelse become `LEST`, `AVVIST`, …. Says whether there is such a one.
    pub fn set_status(&self, id: Uuid, status: &str) -> bool {
        self.with(id, |forsendelse| forsendelse.become_status(status)).is_some()
    }

    /// The next call of sendForsendelseMedId ends in a fault with this text. Several of them come one after the other.
    pub fn refuse_next(&self, text: &str) {
        self.lock().refusals.push(text.to_owned());
    }

    /// Puts a forsendelse into SvarInn, as if somebody had sent it. Its receiver needs a mottakersystem to fetch it.
    pub fn put_forsendelse(&self, forsendelse: Forsendelse) -> Uuid {
        let id = forsendelse.id;
        self.lock().forsendelser.push(Forsendelse {
            waits: true,
            ..forsendelse
        });
        id
    }

    /// Forgets forsendelser and what was to be refused; accounts and mottakersystemer stay.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.forsendelser.clear();
        inner.refusals.clear();
    }

    pub(super) fn account(&self, wanted: impl Fn(&SvarUtAccount) -> bool) -> Option<SvarUtAccount> {
        self.lock().accounts.iter().find(|account| wanted(account)).cloned()
    }

    pub(super) fn receiver(&self, wanted: impl Fn(&Mottakersystem) -> bool) -> Option<Mottakersystem> {
        self.lock().receivers.iter().find(|receiver| wanted(receiver)).cloned()
    }

    pub(super) fn refusal(&self) -> Option<String> {
        let mut inner = self.lock();
        (!inner.refusals.is_empty()).then(|| inner.refusals.remove(0))
    }

    /// Looks at or changes one forsendelse.
    pub(super) fn with<T>(&self, id: Uuid, act: impl FnOnce(&mut Forsendelse) -> T) -> Option<T> {
        let mut inner = self.lock();
        let forsendelse = inner.forsendelser.iter_mut().find(|known| known.id == id)?;
        Some(act(forsendelse))
    }

    /// Those that somebody wants, oldest first.
    pub(super) fn those(&self, wanted: impl Fn(&Forsendelse) -> bool) -> Vec<Forsendelse> {
        self.lock()
            .forsendelser
            .iter()
            .filter(|forsendelse| wanted(forsendelse))
            .cloned()
            .collect()
    }

    /// Adds a forsendelse if `admit` lets it in, which sees those that are there already.
    pub(super) fn add<E>(
        &self,
        forsendelse: Forsendelse,
        admit: impl FnOnce(&[Forsendelse]) -> Result<(), E>,
    ) -> Result<Uuid, E> {
        let mut inner = self.lock();
        admit(&inner.forsendelser)?;
        let id = forsendelse.id;
        inner.forsendelser.push(forsendelse);
        Ok(id)
    }
}
