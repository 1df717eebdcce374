//! Kontakt- og reservasjonsregisteret. Spec: service registry, 6.5.
//!
//! Its answer about a person is signed, and believed only by [`Trust`]. The printer's is not.

use async_trait::async_trait;
use budstikke_message::identifier::Person;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::json;

use super::jws::Trust;
use super::open::OpenError;
use super::settings::{Krr as Settings, Pace};
use super::wire::Wire;
use super::{Contact, Contacts, Mailbox, Printer, RegisterError, certificate};
use crate::caller::CallerToken;

/// Its name in errors.
pub(super) const NAME: &str = "Kontakt- og reservasjonsregisteret";

/// The client.
pub(super) struct Krr {
    persons: Wire,
    printer: Option<Wire>,
    trust: Trust,
}

#[derive(Deserialize)]
struct Answer {
    personer: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    personidentifikator: String,
    reservasjon: Option<Reservation>,
    status: Option<String>,
    varslingsstatus: Option<String>,
    kontaktinformasjon: Option<Kontaktinformasjon>,
    digital_post: Option<DigitalPost>,
    sertifikat: Option<String>,
    spraak: Option<String>,
}

/// Nothing else is taken for one of the two: it would decide against the person's will.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Reservation {
    Ja,
    Nei,
}

#[derive(Deserialize)]
struct Kontaktinformasjon {
    epostadresse: Option<String>,
    mobiltelefonnummer: Option<String>,
}

#[derive(Deserialize)]
struct DigitalPost {
    postkasseadresse: String,
    postkasseleverandoeradresse: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrinterAnswer {
    postkasseleverandoer_adresse: String,
    x509_sertifikat: String,
}

impl Krr {
    pub(super) fn new(settings: &Settings, pace: &Pace, print_pace: &Pace) -> Result<Self, OpenError> {
        let printer = settings.print_url.as_deref();
        Ok(Self {
            persons: Wire::new(NAME, &settings.url, pace)?.for_the_caller(),
            printer: printer.map(|url| Wire::new(NAME, url, print_pace)).transpose()?,
            trust: Trust::of(settings)?,
        })
    }

    fn read(&self, entry: Entry) -> Result<Contact, RegisterError> {
        let contact = entry.kontaktinformasjon;
        let (email, mobile) = contact.map_or((None, None), |contact| {
            (contact.epostadresse, contact.mobiltelefonnummer)
        });
        let certificate = entry.sertifikat.filter(|text| !text.trim().is_empty());
        let mailbox = match (entry.digital_post, certificate) {
            (Some(post), Some(text)) => Some(Mailbox {
                address: post.postkasseadresse,
                supplier: post.postkasseleverandoeradresse,
                certificate: certificate::read(&text)
                    .ok_or_else(|| self.persons.unusable("personer[0].sertifikat is no certificate"))?,
            }),
            _ => None,
        };
        Ok(Contact {
            reserved: entry.reservasjon == Some(Reservation::Ja),
            active: entry.status.as_deref() == Some("AKTIV"),
            notifiable: entry.varslingsstatus.as_deref() == Some("KAN_VARSLES"),
            email,
            mobile,
            language: entry.spraak,
            mailbox,
        })
    }
}

#[async_trait]
impl Contacts for Krr {
    async fn contact(&self, person: &Person, token: &CallerToken) -> Result<Option<Contact>, RegisterError> {
        let request = self
            .persons
            .post()
            .bearer_auth(token.secret())
            .header(ACCEPT, "application/jose")
            .json(&json!({ "personidentifikatorer": [person.number()] }));
        let signed = self.persons.fetch(request).await?;
        let payload = self.trust.verify(&signed, jiff::Timestamp::now());
        let payload = payload.map_err(|detail| self.persons.unusable(detail))?;
        let answer: Answer = self.persons.json(&payload)?;
        let Some(entry) = answer.personer.into_iter().next() else {
            return Ok(None);
        };
        // A signed answer about somebody else, handed out again.
        if entry.personidentifikator != person.number() {
            return Err(self
                .persons
                .unusable("personer[0].personidentifikator is not the one that was asked for"));
        }
        self.read(entry).map(Some)
    }

    async fn printer(&self) -> Result<Printer, RegisterError> {
        let Some(wire) = &self.printer else {
            return Err(self.persons.not_set_up("[registers.krr] has no print-url"));
        };
        let body = wire.fetch(wire.get(&[]).header(ACCEPT, "application/json")).await?;
        let answer: PrinterAnswer = wire.json(&body)?;
        Ok(Printer {
            supplier: answer.postkasseleverandoer_adresse,
            certificate: certificate::read(&answer.x509_sertifikat)
                .ok_or_else(|| wire.unusable("x509Sertifikat is no certificate"))?,
        })
    }
}
