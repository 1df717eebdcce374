//! SvarUt's mottakersystemer: which organisations fetch their post from SvarInn. Spec: service registry, 6.4.

use std::sync::Arc;

use async_trait::async_trait;
use budstikke_message::identifier::OrganisationNumber;
use serde::Deserialize;

use super::ks::Ks;
use super::open::OpenError;
use super::settings::{Pace, Svarut as Settings};
use super::token::TokenSource;
use super::wire::Wire;
use super::{ReceiverSystem, ReceiverSystems, RegisterError};

/// Its name in errors.
pub(super) const NAME: &str = "SvarUt";

/// The client.
pub(super) struct Svarut {
    ks: Ks,
}

#[derive(Deserialize)]
struct Answer {
    mottakersystemer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    forsendelse_type: Option<String>,
    niva: Option<u8>,
}

impl Svarut {
    pub(super) fn new(settings: &Settings, pace: &Pace, token: Arc<dyn TokenSource>) -> Result<Self, OpenError> {
        let wire = Wire::new(NAME, &settings.url, pace)?.quoting();
        let ks = Ks::new(wire, &settings.integrasjon_id, &settings.integrasjon_passord, token);
        Ok(Self { ks })
    }
}

#[async_trait]
impl ReceiverSystems for Svarut {
    async fn receiver_systems(&self, number: &OrganisationNumber) -> Result<Vec<ReceiverSystem>, RegisterError> {
        let wire = &self.ks.wire;
        let question = || wire.get_by(&["mottakersystem"], "organisasjonsnummer", number.as_str());
        // It says with a list that there is nothing, so no status does: a 404 is a wrong address.
        let body = self.ks.find(question, &[]).await?.unwrap_or_default();
        of_every_type(wire.json(&body)?).map_err(|detail| wire.unusable(detail))
    }
}

/// The entries that are not for one type of forsendelse only.
fn of_every_type(answer: Answer) -> Result<Vec<ReceiverSystem>, String> {
    let entries = answer.mottakersystemer.into_iter();
    let entries = entries.filter(|entry| {
        entry
            .forsendelse_type
            .as_deref()
            .is_none_or(|text| text.trim().is_empty())
    });
    entries
        .map(|entry| {
            let level = entry
                .niva
                .ok_or("a mottakersystem without forsendelseType lacks niva")?;
            Ok(ReceiverSystem { level })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn levels(entries: &Value) -> Result<Vec<u8>, String> {
        let answer = serde_json::from_value(json!({ "mottakersystemer": entries })).unwrap();
        Ok(of_every_type(answer)?.into_iter().map(|system| system.level).collect())
    }

    /// Spec: service registry, 9.10. The level that is asked for is the rules' business.
    #[test]
    fn only_entries_for_every_type_of_forsendelse_count() {
        for (entries, expected) in [
            (json!([]), vec![]),
            (json!([{ "niva": 0 }]), vec![0]),
            (json!([{ "forsendelseType": "x" }]), vec![]),
            (json!([{ "niva": 3 }]), vec![3]),
            (json!([{ "niva": 3, "forsendelseType": "x" }]), vec![]),
            (
                json!([{ "niva": 3, "forsendelseType": null, "id": "1", "new": {} }]),
                vec![3],
            ),
            (json!([{ "niva": 3, "forsendelseType": "" }, { "niva": 4 }]), vec![3, 4]),
        ] {
            assert_eq!(levels(&entries), Ok(expected), "{entries}");
        }
    }

    #[test]
    fn an_entry_that_counts_must_have_a_level() {
        assert!(levels(&json!([{ "niva": null }])).unwrap_err().contains("niva"));
    }
}
