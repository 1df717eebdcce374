//! The key for message queues. Spec: service registry, 9.3.

use super::last_answers::Ground;
use super::stand_in::{FIRST, SECOND};
use super::*;

fn signed(key: &str) -> Says {
    let header = json!({ "alg": "RS256", "kid": FIRST.kid });
    Says::Bytes(FIRST.sign(&header, key.as_bytes()).into_bytes())
}

async fn key(client: &RemoteRegistry) -> Option<String> {
    client.queue_key().await.unwrap()
}

#[tokio::test]
async fn it_is_asked_for_once_a_day_and_when_a_service_refuses_it() {
    let stand_in = StandIn::new(signed("123"));
    let client = client(&stand_in, |_| {});
    for _ in 0..3 {
        assert_eq!(key(&client).await.as_deref(), Some("123"));
    }
    assert_eq!(stand_in.count("sastoken"), 1);
    stand_in.says(signed("456"));
    client.queue_key_was_refused("an older one").await;
    assert_eq!(key(&client).await.as_deref(), Some("123"));
    client.queue_key_was_refused("123").await;
    assert_eq!(key(&client).await.as_deref(), Some("456"));
    assert_eq!(stand_in.count("sastoken"), 2);
}

#[tokio::test]
async fn only_a_signed_key_is_asked_for_and_used() {
    let stand_in = StandIn::new(signed("123"));
    let verified = client(&stand_in, |_| {});
    key(&verified).await;
    assert_eq!(stand_in.accepted("sastoken"), ["application/jose"]);
    // The envelope is not the key, also where nobody verifies it.
    let unverified = client(&stand_in, |settings| settings.verify = false);
    assert_eq!(key(&unverified).await.as_deref(), Some("123"));
    let stranger = SECOND.sign(&json!({ "alg": "RS256", "kid": FIRST.kid }), b"789");
    stand_in.says(Says::Bytes(stranger.into_bytes()));
    let fooled = client(&stand_in, |_| {}).queue_key().await;
    assert!(matches!(fooled, Err(RegistryError::BadSignature(_))), "{fooled:?}");
    stand_in.says(signed("  "));
    let empty = client(&stand_in, |_| {}).queue_key().await;
    assert!(matches!(empty, Err(RegistryError::Unusable(_))), "{empty:?}");
}

#[tokio::test]
async fn the_last_one_is_used_while_the_service_is_away() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(signed("123"));
    key(&ground.client(&stand_in)).await;
    stand_in.kill();
    // Also after a restart.
    assert_eq!(key(&ground.client(&stand_in)).await.as_deref(), Some("123"));
    let other = Ground::new().await;
    let nothing = other.client(&stand_in).queue_key().await;
    assert!(matches!(nothing, Err(RegistryError::Unreachable(_))), "{nothing:?}");
}

#[tokio::test]
async fn a_service_can_have_none() {
    let ground = Ground::new().await;
    let stand_in = StandIn::new(signed("123"));
    key(&ground.client(&stand_in)).await;
    let body = json!({ "error_code": "", "error_description": "No SAS token is set up here." });
    stand_in.says(Says::Error(404, body));
    assert_eq!(key(&ground.client(&stand_in)).await, None);
    stand_in.says(Says::Error(503, json!({})));
    assert!(
        ground.client(&stand_in).queue_key().await.is_err(),
        "it took the last one back"
    );
}
