//! Enhetsregisteret. Spec: service registry, 6.1.
//!
//! A unit that is not among the enheter, or deleted, is asked for among the underenheter. Only an answer of BRREG says that an
//! organisation does not exist (sharp edge 3).

use async_trait::async_trait;
use budstikke_message::identifier::OrganisationNumber;
use jiff::civil::Date;
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde::Deserialize;

use super::open::OpenError;
use super::settings::{Brreg as Settings, Pace};
use super::wire::Wire;
use super::{Address, Organisation, Organisations, RegisterError};

/// Its name in errors.
pub(super) const NAME: &str = "Enhetsregisteret";

/// Where units are, and the media type of an answer.
const KINDS: [(&str, &str); 2] = [
    ("enheter", "application/vnd.brreg.enhetsregisteret.enhet.v2+json"),
    (
        "underenheter",
        "application/vnd.brreg.enhetsregisteret.underenhet.v2+json",
    ),
];
/// A number that no unit can have, one that none has, and one that was removed.
const ABSENT: [StatusCode; 3] = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::GONE];

/// The client.
pub(super) struct Brreg {
    wire: Wire,
}

#[derive(Deserialize)]
struct Unit {
    organisasjonsnummer: String,
    navn: String,
    organisasjonsform: Option<Form>,
    postadresse: Option<PostalAddress>,
    forretningsadresse: Option<PostalAddress>,
    /// Of underenheter, which have no forretningsadresse.
    beliggenhetsadresse: Option<PostalAddress>,
    slettedato: Option<Date>,
}

#[derive(Deserialize)]
struct Form {
    kode: Option<String>,
}

#[derive(Deserialize)]
struct PostalAddress {
    #[serde(default)]
    adresse: Vec<Option<String>>,
    postnummer: Option<String>,
    poststed: Option<String>,
    land: Option<String>,
}

impl Brreg {
    pub(super) fn new(settings: &Settings, pace: &Pace) -> Result<Self, OpenError> {
        Ok(Self {
            wire: Wire::new(NAME, &settings.url, pace)?.quoting(),
        })
    }

    async fn unit(&self, kind: &str, media_type: &str, number: &str) -> Result<Option<Unit>, RegisterError> {
        let request = self
            .wire
            .get(&["enhetsregisteret", "api", kind, number])
            .header(ACCEPT, media_type);
        let Some(body) = self.wire.find(request, &ABSENT).await? else {
            return Ok(None);
        };
        let unit: Unit = self.wire.json(&body)?;
        if unit.organisasjonsnummer != number {
            return Err(self
                .wire
                .unusable("organisasjonsnummer is not the one that was asked for"));
        }
        Ok(Some(unit).filter(|unit| unit.slettedato.is_none_or(|date| date >= today())))
    }
}

#[async_trait]
impl Organisations for Brreg {
    async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, RegisterError> {
        for (kind, media_type) in KINDS {
            if let Some(unit) = self.unit(kind, media_type, number.as_str()).await? {
                let addresses = [unit.postadresse, unit.forretningsadresse, unit.beliggenhetsadresse];
                return Ok(Some(Organisation {
                    number: number.clone(),
                    name: unit.navn,
                    form: unit.organisasjonsform.and_then(|form| form.kode),
                    address: addresses.into_iter().flatten().next().map(PostalAddress::read),
                }));
            }
        }
        Ok(None)
    }
}

impl PostalAddress {
    fn read(self) -> Address {
        Address {
            lines: self
                .adresse
                .into_iter()
                .flatten()
                .filter(|line| !line.trim().is_empty())
                .collect(),
            postal_code: self.postnummer,
            postal_area: self.poststed,
            country: self.land,
        }
    }
}

/// The date in Norway.
fn today() -> Date {
    let now = jiff::Timestamp::now();
    // Without a time zone database the date is that of UTC, wrong for an hour or two.
    now.in_tz("Europe/Oslo")
        .unwrap_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC))
        .date()
}
