//! SvarUt's mottakersystemer. Spec: service registry, 6.4.

use budstikke_doubles::{Content, Route};
use budstikke_registry::registers::RegisterError;
use serde_json::json;

use crate::world::{BARE, ORGANISATION, OUR_TOKEN, World, organisation};

async fn levels(world: &World) -> Result<Vec<u8>, RegisterError> {
    let systems = world.registers(BARE).receiver_systems.unwrap();
    let found = systems.receiver_systems(&organisation()).await?;
    Ok(found.into_iter().map(|system| system.level).collect())
}

#[tokio::test]
async fn systems_that_take_every_type_of_forsendelse_count() {
    let world = World::start().await;
    assert_eq!(levels(&world).await, Ok(vec![]));
    world.put(Content::receiver_system(ORGANISATION, 4).with("forsendelseType", json!("byggesøknad")));
    assert_eq!(levels(&world).await, Ok(vec![]));
    world.put(Content::receiver_system(ORGANISATION, 3));
    assert_eq!(levels(&world).await, Ok(vec![3]));
    let path = &world.doubles.requests()[0].path;
    assert_eq!(
        path,
        &format!("/svarut/api/v2/mottakersystem?organisasjonsnummer={ORGANISATION}")
    );
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_once() {
    let world = World::start().await;
    world.put(Content::receiver_system(ORGANISATION, 3));
    *world.tokens.tokens.lock().unwrap() = vec!["revoked", OUR_TOKEN];
    assert_eq!(levels(&world).await, Ok(vec![3]));
    assert_eq!(world.doubles.count(Route::ReceiverSystems), 2);

    *world.tokens.tokens.lock().unwrap() = vec!["revoked", "revoked too", OUR_TOKEN];
    let error = levels(&world).await.unwrap_err();
    assert!(matches!(error, RegisterError::Denied { .. }), "{error}");
    assert!(!error.to_string().contains("revoked"), "{error}");
}

#[tokio::test]
async fn without_a_token_nobody_could_say() {
    let world = World::start().await;
    world.tokens.tokens.lock().unwrap().clear();
    assert!(matches!(levels(&world).await, Err(RegisterError::Unavailable { .. })));
    assert!(world.doubles.requests().is_empty());
}
