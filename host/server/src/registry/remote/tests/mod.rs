//! The client and a small address service. Where the test vectors of the service registry (spec, 9) are:
//!
//! | vector | about | test |
//! |---|---|---|
//! | 9.1 | URLs | `place::tests` |
//! | 9.2 | headers and signatures | [`signed`] |
//! | 9.3 | caching | [`asking`], [`queue_key`] |
//! | 9.4 | robustness | [`answers`], `reading::tests`, `primary::tests` |
//! | 9.5 | requests of one message | `api::scenes::address_service` |
//! | 9.6 | capabilities | `api::scenes::address_service` |
//! | 9.7 | the lines of a street | `budstikke_message`: `body::address::tests` |

mod answers;
mod asking;
mod last_answers;
mod queue_key;
mod signed;
pub(crate) mod stand_in;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{Says, StandIn};

use super::*;

pub(crate) const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
pub(crate) const STANDARD: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding";
const RECEIVER: &str = "910076787";

/// An organisation that takes arkivmelding over one service.
pub(crate) fn organisation(service: &str) -> Value {
    json!({
        "infoRecord": { "identifier": RECEIVER, "organizationName": "EKSEMPELETATEN", "entityType": { "name": "ORGL" } },
        "serviceRecords": [{
            "organisationNumber": RECEIVER, "pemCertificate": null, "process": PROCESS, "documentTypes": [STANDARD],
            "service": { "identifier": service, "endpointUrl": "https://tt02.altinn.no", "serviceCode": "4192",
                "serviceEditionCode": null, "securityLevel": null, "resource": "r" } }],
    })
}

/// A client of a stand-in, without tokens and last answers.
pub(crate) fn client(stand_in: &StandIn, change: impl FnOnce(&mut config::Registry)) -> RemoteRegistry {
    client_with(stand_in, None, change)
}

pub(crate) use last_answers::identity;

pub(crate) fn client_with(
    stand_in: &StandIn,
    last_answers: Option<LastAnswers>,
    change: impl FnOnce(&mut config::Registry),
) -> RemoteRegistry {
    let mut settings = config::Registry {
        read_time: Duration::from_secs(5),
        ..config::Registry::default()
    };
    change(&mut settings);
    let identity = Arc::new(crate::registry::remote::tests::last_answers::identity());
    let profile = format!(
        "url = \"{}/token\"\naudience = \"a\"\nclient-id = \"c\"\nscopes = [\"eformidling:dpo\"]",
        stand_in.url()
    );
    let profiles = BTreeMap::from([("maskinporten".to_owned(), toml::from_str(&profile).unwrap())]);
    let tokens = Arc::new(Tokens::new(&profiles, &identity, "0192:991825827").unwrap());
    RemoteRegistry::new(&stand_in.url(), &settings, &tokens, last_answers).unwrap()
}

async fn services(client: &RemoteRegistry, question: Question<'_>) -> Result<Vec<String>, RegistryError> {
    let answer = client.capabilities(question).await?;
    Ok(answer.capabilities.into_iter().map(|one| one.service).collect())
}

fn in_process() -> Question<'static> {
    Question::about(RECEIVER).in_process(PROCESS)
}
