//! Norsk Helsenett's address register. Spec: service registry, 6.7 and 9.11.

use budstikke_doubles::{Content, Fault, Route};
use budstikke_registry::registers::{HealthUnit, RegisterError};
use serde_json::json;

use crate::world::{BARE, ORGANISATION, PERSON, World, certificate, nhn, pem, token};

async fn ask(world: &World, identifier: &str) -> Result<Option<HealthUnit>, RegisterError> {
    world
        .registers(BARE)
        .health_units
        .unwrap()
        .unit(&nhn(identifier), &token())
        .await
}

#[tokio::test]
async fn a_unit_is_found_by_its_her_id() {
    let world = World::start().await;
    world.put(Content::health_unit("her-id:1234567", 1_234_567, ORGANISATION, pem()));
    let expected = HealthUnit {
        her_id: 1_234_567,
        name: Some("Fastlegen".to_owned()),
        parent_her_id: Some(8),
        parent_name: Some("Prøvekontoret".to_owned()),
        organisation: ORGANISATION.to_owned(),
        certificate: Some(certificate()),
    };
    assert_eq!(ask(&world, "her-id:1234567").await, Ok(Some(expected)));
    assert_eq!(world.doubles.requests()[0].path, "/nhn/her-id%3A1234567");
}

#[tokio::test]
async fn a_unit_is_found_by_its_patient() {
    let world = World::start().await;
    let asked = format!("fastlege-for:{PERSON}");
    world.put(Content::health_unit(&asked, 12, ORGANISATION, pem()).with("derCertificate", json!(null)));
    let unit = ask(&world, &asked).await.unwrap().unwrap();
    assert_eq!((unit.her_id, unit.certificate), (12, None));
    world.put(Content::health_unit(&asked, 12, ORGANISATION, "bm8="));
    let error = ask(&world, &asked).await.unwrap_err();
    assert!(error.to_string().contains("derCertificate"), "{error}");
}

#[tokio::test]
async fn another_unit_than_the_one_asked_for_is_not_believed() {
    let world = World::start().await;
    world.put(Content::health_unit("her-id:1", 2, ORGANISATION, pem()));
    assert!(matches!(
        ask(&world, "her-id:1").await,
        Err(RegisterError::Unusable { .. })
    ));
}

/// Spec: service registry, 9.11.
#[tokio::test]
async fn the_address_register_tells_its_errors_apart() {
    let world = World::start().await;
    let asked = format!("fastlege-for:{PERSON}");
    let fails = async |fault: Fault| {
        world.doubles.faults().once(Route::HealthUnit, fault);
        let error = ask(&world, &asked).await.unwrap_err();
        assert!(!error.to_string().contains(PERSON), "{error}");
        error
    };
    assert_eq!(ask(&world, &asked).await, Ok(None));
    assert!(matches!(fails(Fault::Status(401)).await, RegisterError::Denied { .. }));
    assert!(matches!(
        fails(Fault::Status(400)).await,
        RegisterError::Rejected { .. }
    ));
    assert!(matches!(
        fails(Fault::Status(500)).await,
        RegisterError::Unavailable { .. }
    ));
    assert!(matches!(
        fails(Fault::AnswerLost).await,
        RegisterError::Unavailable { .. }
    ));
}
