//! The Fiks IO catalogue. Spec: service registry, 5.8.

use budstikke_doubles::{Content, Fault, Route};
use budstikke_registry::registers::{Account, RegisterError};
use serde_json::json;

use crate::world::{ACCOUNT, BARE, ORGANISATION, World, certificate, pem};

async fn ask(world: &World, id: &str) -> Result<Option<Account>, RegisterError> {
    world.registers(BARE).accounts.unwrap().account(id).await
}

fn account() -> Content {
    Content::account(ACCOUNT, "Prøve kommune", ORGANISATION)
}

#[tokio::test]
async fn an_account_has_a_name_and_a_certificate() {
    let world = World::start().await;
    world.put(account());
    world.put(Content::account_key(ACCOUNT, pem()));
    let expected = Account {
        id: ACCOUNT.to_owned(),
        name: Some("Prøve kommune".to_owned()),
        receives: true,
        certificate: Some(certificate()),
    };
    assert_eq!(ask(&world, ACCOUNT).await, Ok(Some(expected)));
}

#[tokio::test]
async fn an_account_that_is_closed_says_so() {
    let world = World::start().await;
    world.put(account().with("status", json!({ "gyldigAvsender": true, "gyldigMottaker": false })));
    assert!(!ask(&world, ACCOUNT).await.unwrap().unwrap().receives);
}

#[tokio::test]
async fn a_key_that_is_missing_or_not_valid_is_none_and_one_that_is_no_key_is_an_error() {
    let world = World::start().await;
    world.put(account());
    assert_eq!(ask(&world, ACCOUNT).await.unwrap().unwrap().certificate, None);
    world.put(Content::account_key(ACCOUNT, pem()).with("valid", json!(false)));
    assert_eq!(ask(&world, ACCOUNT).await.unwrap().unwrap().certificate, None);
    world.put(Content::account_key(ACCOUNT, "bm8="));
    assert!(matches!(
        ask(&world, ACCOUNT).await,
        Err(RegisterError::Unusable { .. })
    ));
    world.doubles.faults().once(Route::AccountKey, Fault::Status(500));
    assert!(matches!(
        ask(&world, ACCOUNT).await,
        Err(RegisterError::Unavailable { .. })
    ));
}

#[tokio::test]
async fn what_is_no_uuid_is_not_asked_for() {
    let world = World::start().await;
    assert!(matches!(
        ask(&world, "../kontoer").await,
        Err(RegisterError::Rejected { .. })
    ));
    assert!(world.doubles.requests().is_empty());
    assert_eq!(ask(&world, ACCOUNT).await, Ok(None));
}
