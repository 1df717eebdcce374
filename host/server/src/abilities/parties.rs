//! `registry`: who others are, as the address service knows them.

use budstikke_message::identifier::Identifier;
use budstikke_registry::model::InfoRecord;
use budstikke_runtime::services::{Failure, Party, PartyAddress};

use crate::registry::{Registry, RegistryError};

/// `registry.look-up`
pub(super) async fn look_up(registry: &dyn Registry, identifier: &str) -> Result<Option<Party>, Failure> {
    let parsed = Identifier::parse_any(identifier).ok();
    let organisation = parsed
        .as_ref()
        .filter(|parsed| matches!(parsed, Identifier::Iso6523(_)));
    let organisation = organisation.map(Identifier::sender_part).ok_or_else(|| {
        let text = "only organisations are looked up";
        Failure::permanent("not-an-organisation", text)
    })?;
    match registry.info(organisation).await {
        Ok(info) => party(info).map(Some),
        Err(RegistryError::UnknownReceiver(_)) => Ok(None),
        Err(error) => Err(Failure::temporary(error.to_string())),
    }
}

fn party(info: serde_json::Value) -> Result<Party, Failure> {
    // serde's own text could repeat what it read.
    let info: InfoRecord = serde_json::from_value(info)
        .map_err(|_| Failure::temporary("the registry's record of a party cannot be read"))?;
    let known = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Ok(Party {
        name: known(info.organization_name),
        address: info.postadresse.map(|address| PartyAddress {
            street: known(address.adresse),
            postal_code: known(address.postnummer),
            place: known(address.poststed),
            country: known(address.land),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::registry::TomlRegistry;

    fn registry() -> TomlRegistry {
        let list = r#"
            [[receivers]]
            identifier = "910076787"
            name = "Lillevik kommune"
            [[receivers.capabilities]]
            processes = ["urn:a"]
            service = "ONE"
            document-types = ["urn:x::brev"]
            post-address = { name = "Lillevik", street = "Gata 1", postal-code = "4003", postal-area = "Lillevik" }
        "#;
        let list: config::Registry = toml::from_str(list).unwrap();
        TomlRegistry::new(&list).unwrap()
    }

    #[tokio::test]
    async fn an_organisation_has_a_name_and_an_address() {
        for identifier in ["910076787", "0192:910076787", "0192:991825827:910076787"] {
            let party = look_up(&registry(), identifier).await.unwrap().unwrap();
            assert_eq!(party.name.as_deref(), Some("Lillevik kommune"));
            let address = party.address.unwrap();
            assert_eq!(address.place.as_deref(), Some("Lillevik"));
            assert_eq!(address.country, None);
        }
    }

    #[tokio::test]
    async fn nobody_is_none_and_a_person_is_not_looked_up() {
        assert!(look_up(&registry(), "991825827").await.unwrap().is_none());
        let refused = look_up(&registry(), "05839012391").await;
        assert!(matches!(refused, Err(Failure::Permanent { code, .. }) if code == "not-an-organisation"));
    }
}
