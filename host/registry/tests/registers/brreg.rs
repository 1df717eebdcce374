//! Enhetsregisteret. Spec: service registry, 6.1 and 9.11.

use budstikke_doubles::{Content, Route};
use budstikke_registry::registers::Organisation;
use serde_json::json;

use crate::world::{BARE, ORGANISATION, World, organisation};

async fn ask(world: &World) -> Option<Organisation> {
    let registers = world.registers(BARE);
    registers
        .organisations
        .unwrap()
        .organisation(&organisation())
        .await
        .unwrap()
}

fn unit() -> Content {
    Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL")
}

#[tokio::test]
async fn a_unit_has_a_name_a_form_and_a_postal_address() {
    let world = World::start().await;
    world.put(unit());
    let found = ask(&world).await.unwrap();
    assert_eq!(found.number.as_str(), ORGANISATION);
    assert_eq!(
        (found.name.as_str(), found.form.as_deref()),
        ("EKSEMPELETATEN", Some("ORGL"))
    );
    let address = found.address.unwrap();
    assert_eq!(address.lines, ["Postboks 1 Sentrum"]);
    assert_eq!(address.postal_code.as_deref(), Some("0101"));
    assert_eq!(address.postal_area.as_deref(), Some("OSLO"));
    assert_eq!(address.country.as_deref(), Some("Norge"));
    assert_eq!(world.doubles.count(Route::SubUnit), 0);
    let path = &world.doubles.requests()[0].path;
    assert_eq!(path, &format!("/brreg/enhetsregisteret/api/enheter/{ORGANISATION}"));
}

#[tokio::test]
async fn without_a_postal_address_the_business_address_is_used() {
    let world = World::start().await;
    let address = json!({ "adresse": ["Storgata 1", "", null, "2. etasje"], "postnummer": "0155", "poststed": "OSLO" });
    world.put(unit().without("postadresse").with("forretningsadresse", address));
    let found = ask(&world).await.unwrap().address.unwrap();
    assert_eq!(found.lines, ["Storgata 1", "2. etasje"]);
    assert_eq!(found.country, None);
}

#[tokio::test]
async fn a_unit_without_any_address_is_a_unit() {
    let world = World::start().await;
    world.put(unit().without("postadresse").without("organisasjonsform"));
    let found = ask(&world).await.unwrap();
    assert!(found.address.is_none() && found.form.is_none());
}

#[tokio::test]
async fn what_is_no_unit_may_be_a_sub_unit() {
    let world = World::start().await;
    world.put(Content::sub_unit(ORGANISATION, "EKSEMPELSKOLEN"));
    let found = ask(&world).await.unwrap();
    assert_eq!(found.name, "EKSEMPELSKOLEN");
    assert_eq!(found.address.unwrap().lines, ["Portveien 2"]);
}

#[tokio::test]
async fn a_deleted_unit_does_not_exist_and_the_sub_units_are_asked() {
    let world = World::start().await;
    world.put(unit().with("slettedato", json!("2020-01-01")));
    assert!(ask(&world).await.is_none());
    assert_eq!(world.doubles.count(Route::SubUnit), 1);
    world.put(unit().with("slettedato", json!("2999-01-01")));
    assert!(ask(&world).await.is_some());
}

#[tokio::test]
async fn another_organisation_than_the_one_asked_for_is_not_believed() {
    let world = World::start().await;
    world.put(unit().with("organisasjonsnummer", json!("991825827")));
    let registers = world.registers(BARE);
    let error = registers
        .organisations
        .unwrap()
        .organisation(&organisation())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("organisasjonsnummer"), "{error}");
}
