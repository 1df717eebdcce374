//! SvarUt's mottakersystemer. Spec: service registry, 6.4.

use budstikke_doubles::{Content, Route};
use budstikke_registry::registers::{Asker, RegisterError};
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
async fn a_token_that_does_not_help_either_is_not_replaced_for_every_question() {
    let world = World::start().await;
    let tokens = || world.tokens.tokens.lock().unwrap();
    *tokens() = vec!["revoked", "revoked too", OUR_TOKEN];
    let systems = world.registers(BARE).receiver_systems.unwrap();
    for (requests, token) in [(2, "revoked too"), (3, "revoked too"), (4, "revoked too")] {
        let error = systems.receiver_systems(&organisation()).await.unwrap_err();
        assert!(
            matches!(error, RegisterError::Denied { asker: Asker::Us, .. }),
            "{error}"
        );
        assert_eq!(world.doubles.count(Route::ReceiverSystems), requests);
        assert_eq!(tokens().first(), Some(&token));
    }
    // Somebody else has replaced it.
    *tokens() = vec![OUR_TOKEN];
    assert_eq!(systems.receiver_systems(&organisation()).await, Ok(vec![]));
}

#[tokio::test]
async fn a_new_token_is_shared_by_all_who_were_refused_at_the_same_time() {
    let world = World::start().await;
    *world.tokens.tokens.lock().unwrap() = vec!["revoked", OUR_TOKEN];
    let systems = world.registers(BARE).receiver_systems.unwrap();
    let numbers = ["910076787", "991825827", "974760673"].map(|number| number.parse().unwrap());
    let [a, b, c] = &numbers;
    let ask = |number| systems.receiver_systems(number);
    let answers = tokio::join!(ask(a), ask(b), ask(c));
    assert_eq!(answers, (Ok(vec![]), Ok(vec![]), Ok(vec![])));
}

#[tokio::test]
async fn without_a_token_nobody_could_say() {
    let world = World::start().await;
    world.tokens.tokens.lock().unwrap().clear();
    assert!(matches!(levels(&world).await, Err(RegisterError::Unavailable { .. })));
    assert!(world.doubles.requests().is_empty());
}
