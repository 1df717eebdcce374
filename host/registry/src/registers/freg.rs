//! Folkeregisteret, behind its gateway. Spec: service registry, 6.6.
//!
//! An address that is missing, empty or secret is none: a letter without one is not printed (sharp edge 6).

use async_trait::async_trait;
use budstikke_message::identifier::Person;
use reqwest::StatusCode;
use serde::Deserialize;

use super::open::OpenError;
use super::settings::{Freg as Settings, Pace, Password};
use super::wire::Wire;
use super::{Address, RegisterError, Resident, Residents};

/// Its name in errors.
pub(super) const NAME: &str = "Folkeregisteret";
/// The value of `adressegradering` of an address that may be written on a letter; an empty one says the same. All others are secret,
/// those too that come to be after today.
const OPEN: &str = "ugradert";

/// The client.
pub(super) struct Freg {
    wire: Wire,
    api_key: Password,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    person_identifikator: Option<String>,
    navn: Navn,
    postadresse: Option<Postadresse>,
}

#[derive(Deserialize)]
struct Navn {
    /// People with one name only have it as etternavn.
    fornavn: Option<String>,
    mellomnavn: Option<String>,
    etternavn: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Postadresse {
    adresselinje: Option<Vec<Option<String>>>,
    postnummer: Option<String>,
    poststed: Option<String>,
    landkode: Option<String>,
    adressegradering: Option<String>,
}

impl Freg {
    pub(super) fn new(settings: &Settings, pace: &Pace) -> Result<Self, OpenError> {
        Ok(Self {
            wire: Wire::new(NAME, &settings.url, pace)?,
            api_key: settings.api_key.clone(),
        })
    }
}

#[async_trait]
impl Residents for Freg {
    async fn resident(&self, person: &Person) -> Result<Option<Resident>, RegisterError> {
        let request = self
            .wire
            .get(&["person", "personadresse", person.number()])
            .header("X-API-Key", self.api_key.secret());
        let Some(body) = self.wire.find(request, &[StatusCode::NOT_FOUND]).await? else {
            return Ok(None);
        };
        let answer: Answer = self.wire.json(&body)?;
        if answer
            .person_identifikator
            .is_some_and(|number| number != person.number())
        {
            return Err(self
                .wire
                .unusable("personIdentifikator is not the one that was asked for"));
        }
        Ok(Some(Resident {
            first_name: answer.navn.fornavn.unwrap_or_default(),
            middle_name: answer.navn.mellomnavn.filter(|name| !name.trim().is_empty()),
            last_name: answer.navn.etternavn,
            address: answer.postadresse.and_then(Postadresse::read),
        }))
    }
}

impl Postadresse {
    fn read(self) -> Option<Address> {
        let graded = self.adressegradering.unwrap_or_default();
        if !graded.trim().is_empty() && !graded.trim().eq_ignore_ascii_case(OPEN) {
            return None;
        }
        let lines = self.adresselinje.unwrap_or_default().into_iter().flatten();
        let address = Address {
            lines: lines.filter(|line| !line.trim().is_empty()).collect(),
            postal_code: filled(self.postnummer),
            postal_area: filled(self.poststed),
            country: filled(self.landkode),
        };
        let is_nowhere = address.lines.is_empty() && address.postal_code.is_none() && address.postal_area.is_none();
        (!is_nowhere).then_some(address)
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_that_is_missing_empty_or_secret_is_none() {
        let base = json!({ "navn": { "etternavn": "Prøve" } });
        let address = |postadresse: serde_json::Value| {
            let mut answer = base.clone();
            answer["postadresse"] = postadresse;
            serde_json::from_value::<Answer>(answer)
                .unwrap()
                .postadresse
                .and_then(Postadresse::read)
        };
        assert!(
            serde_json::from_value::<Answer>(base.clone())
                .unwrap()
                .postadresse
                .is_none()
        );
        for none in [
            json!(null),
            json!({}),
            json!({ "adresselinje": [], "landkode": "NO" }),
            json!({ "adresselinje": [""], "postnummer": " " }),
            json!({ "adresselinje": ["Testveien 1"], "adressegradering": "fortrolig" }),
            json!({ "adresselinje": ["Testveien 1"], "adressegradering": "strengtFortrolig" }),
            json!({ "adresselinje": ["Testveien 1"], "adressegradering": "klientadresse" }),
            json!({ "adresselinje": ["Testveien 1"], "adressegradering": "noe nytt" }),
        ] {
            assert!(address(none.clone()).is_none(), "{none}");
        }
        for grade in [json!(null), json!(""), json!(" "), json!("ugradert"), json!("UGRADERT")] {
            let open =
                json!({ "adresselinje": ["Testveien 1", null], "postnummer": "0001", "adressegradering": grade });
            assert_eq!(address(open).unwrap().lines, ["Testveien 1"], "{grade}");
        }
    }
}
