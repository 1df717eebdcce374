//! Folkeregisteret. Spec: service registry, 6.6.

use budstikke_doubles::{Content, Fault, Route};
use budstikke_registry::registers::{RegisterError, Resident};
use serde_json::json;

use crate::world::{BARE, PERSON, World, person};

async fn ask(world: &World) -> Result<Option<Resident>, RegisterError> {
    world.registers(BARE).residents.unwrap().resident(&person()).await
}

fn resident() -> Content {
    Content::resident(PERSON, "Kari", "Prøve")
}

#[tokio::test]
async fn a_resident_has_a_name_and_an_address() {
    let world = World::start().await;
    world.put(resident().with(
        "navn",
        json!({ "fornavn": "Kari", "mellomnavn": "Test", "etternavn": "Prøve" }),
    ));
    let found = ask(&world).await.unwrap().unwrap();
    assert_eq!((found.first_name.as_str(), found.last_name.as_str()), ("Kari", "Prøve"));
    assert_eq!(found.middle_name.as_deref(), Some("Test"));
    let address = found.address.unwrap();
    assert_eq!(address.lines, ["Testveien 1"]);
    assert_eq!(address.postal_code.as_deref(), Some("0001"));
    assert_eq!(address.country.as_deref(), Some("NO"));
}

/// Sharp edge 6: upstream prints an empty address when the member is missing.
#[tokio::test]
async fn a_resident_without_an_open_address_has_none() {
    let world = World::start().await;
    for content in [
        resident().without("postadresse"),
        resident().with("postadresse", json!(null)),
        resident().with(
            "postadresse",
            json!({ "adresselinje": ["Gata 1"], "adressegradering": "fortrolig" }),
        ),
    ] {
        world.put(content);
        assert!(ask(&world).await.unwrap().unwrap().address.is_none());
    }
}

#[tokio::test]
async fn somebody_unknown_is_nobody() {
    let world = World::start().await;
    assert_eq!(ask(&world).await, Ok(None));
}

#[tokio::test]
async fn a_wrong_key_is_said_to_be_one() {
    let world = World::start().await;
    let mut settings = world.settings(BARE);
    settings.freg = toml::from_str(&format!("url = \"{}/freg\"\napi-key = \"wrong\"", world.doubles.url())).unwrap();
    let error = world
        .open(&settings)
        .residents
        .unwrap()
        .resident(&person())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegisterError::Denied { .. }) && !error.to_string().contains("wrong"),
        "{error}"
    );
}

#[tokio::test]
async fn folkeregisteret_is_asked_again_like_krr() {
    let world = World::start().await;
    world.put(resident());
    world.doubles.faults().times(3, Route::Resident, Fault::Status(502));
    let residents = world.registers("retry-pause-ms = 1").residents.unwrap();
    assert!(residents.resident(&person()).await.unwrap().is_some());
    assert_eq!(world.doubles.count(Route::Resident), 4);
}
