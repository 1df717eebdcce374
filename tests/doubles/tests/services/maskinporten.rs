//! Token requests and the exchange.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use budstikke_doubles::{Doubles, SystemUser, WRITE_SCOPE};
use serde_json::{Value, json};

use crate::caller::{
    OTHER, OWN, STRANGER, ask_token, claims, client_id, exchange, header, maskinporten_token, now, organisation, sign,
    start, user_name,
};

async fn refusal(doubles: &Doubles, assertion: &str) -> (u16, String) {
    let response = ask_token(doubles, assertion).await;
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(
        body["error_description"].as_str().is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    (status, body["error"].as_str().unwrap_or("no error").to_owned())
}

/// The refusal of an assertion with other claims than the good ones.
async fn refusal_of(doubles: &Doubles, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let mut claims = claims(doubles, OWN, OWN, WRITE_SCOPE);
    change(&mut claims);
    refusal(doubles, &sign(OWN, &header(OWN), &claims)).await
}

#[tokio::test]
async fn a_good_assertion_gives_a_token_that_can_be_exchanged() {
    let doubles = start(|_| {}).await;
    let assertion = sign(OWN, &header(OWN), &claims(&doubles, OWN, OWN, WRITE_SCOPE));
    let response = ask_token(&doubles, &assertion).await;
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["scope"], WRITE_SCOPE);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 120);

    let altinn = exchange(&doubles, answer["access_token"].as_str().unwrap()).await;
    assert_eq!(altinn.status(), 200);
    let token = altinn.text().await.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert_eq!(payload["scope"], WRITE_SCOPE);
    assert_eq!(payload["consumer"]["ID"], format!("0192:{OWN}"));
    assert_eq!(
        payload["authorization_details"][0]["systemuser_org"]["ID"],
        format!("0192:{OWN}")
    );
    let life = payload["exp"].as_i64().unwrap() - now();
    assert!((1790..=1801).contains(&life), "{life}");
}

#[tokio::test]
async fn a_token_without_system_user_needs_no_details() {
    let doubles = start(|_| {}).await;
    let mut claims = claims(&doubles, OWN, OWN, WRITE_SCOPE);
    claims.as_object_mut().unwrap().remove("authorization_details");
    assert_eq!(
        ask_token(&doubles, &sign(OWN, &header(OWN), &claims)).await.status(),
        200
    );
}

#[tokio::test]
async fn a_registered_jwk_signs_as_well() {
    let doubles = start(|_| {}).await;
    doubles.put_client(organisation(OTHER).jwk_client(&client_id(OTHER)));
    let claims = claims(&doubles, OTHER, OTHER, WRITE_SCOPE);
    let named = |kid: &str| sign(OTHER, &json!({ "alg": "RS256", "kid": kid }), &claims);
    assert_eq!(
        refusal(&doubles, &named("other-key")).await,
        (401, "invalid_client".to_owned())
    );
    assert_eq!(ask_token(&doubles, &named(&format!("{OTHER}-key"))).await.status(), 200);
}

#[tokio::test]
async fn a_wrong_form_is_refused() {
    let doubles = start(|_| {}).await;
    let http = reqwest::Client::new();
    let good = sign(OWN, &header(OWN), &claims(&doubles, OWN, OWN, WRITE_SCOPE));
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let forms: [(&[(&str, &str)], &str); 4] = [
        (&[("assertion", &good)], "invalid_request"),
        (&[("grant_type", grant)], "invalid_request"),
        (
            &[("grant_type", "client_credentials"), ("assertion", &good)],
            "unsupported_grant_type",
        ),
        (&[("grant_type", grant), ("assertion", "a.b")], "invalid_grant"),
    ];
    for (form, error) in forms {
        let response = http.post(doubles.token_url()).form(form).send().await.unwrap();
        assert_eq!(response.status(), 400, "{form:?}");
        assert_eq!(response.json::<Value>().await.unwrap()["error"], error, "{form:?}");
    }
    let response = http
        .post(doubles.token_url())
        .json(&json!({ "assertion": good }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn a_wrong_signature_or_key_is_refused() {
    let doubles = start(|_| {}).await;
    let claims = claims(&doubles, OWN, OWN, WRITE_SCOPE);
    // Signed by another key than that of the certificate.
    let forged = sign(OTHER, &header(OWN), &claims);
    assert_eq!(refusal(&doubles, &forged).await, (400, "invalid_grant".to_owned()));
    // Another organisation's certificate and key.
    let foreign = sign(OTHER, &header(OTHER), &claims);
    assert_eq!(refusal(&doubles, &foreign).await, (401, "invalid_client".to_owned()));
    let none = sign(OWN, &json!({ "alg": "none" }), &claims);
    assert_eq!(refusal(&doubles, &none).await, (400, "invalid_grant".to_owned()));
    let nameless = sign(OWN, &json!({ "alg": "RS256" }), &claims);
    assert_eq!(refusal(&doubles, &nameless).await, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn wrong_claims_are_refused() {
    let doubles = start(|_| {}).await;
    let grant = (400, "invalid_grant".to_owned());
    let audience = doubles.url();
    assert_eq!(
        refusal_of(&doubles, |claims| claims["aud"] = json!(audience)).await,
        grant
    );
    assert_eq!(
        refusal_of(&doubles, |claims| claims["exp"] = json!(now() + 125)).await,
        grant
    );
    assert_eq!(
        refusal_of(&doubles, |claims| claims["exp"] = claims["iat"].clone()).await,
        grant
    );
    assert_eq!(refusal_of(&doubles, |claims| claims["jti"] = json!("")).await, grant);
    let shift = |claims: &mut Value, by: i64| {
        claims["iat"] = json!(now() + by);
        claims["exp"] = json!(now() + by + 100);
    };
    assert_eq!(refusal_of(&doubles, |claims| shift(claims, 60)).await, grant);
    assert_eq!(refusal_of(&doubles, |claims| shift(claims, -200)).await, grant);
    assert_eq!(
        refusal_of(&doubles, |claims| drop(claims.as_object_mut().unwrap().remove("iat"))).await,
        grant
    );
    let client = (401, "invalid_client".to_owned());
    assert_eq!(
        refusal_of(&doubles, |claims| claims["iss"] = json!("nobody")).await,
        client
    );
    let scope = (400, "invalid_scope".to_owned());
    assert_eq!(refusal_of(&doubles, |claims| claims["scope"] = json!("")).await, scope);
    assert_eq!(
        refusal_of(&doubles, |claims| claims["scope"] =
            json!("altinn:broker.write eformidling:dpv"))
        .await,
        scope
    );
}

#[tokio::test]
async fn a_jti_is_good_for_one_request() {
    let doubles = start(|_| {}).await;
    let assertion = sign(OWN, &header(OWN), &claims(&doubles, OWN, OWN, WRITE_SCOPE));
    assert_eq!(ask_token(&doubles, &assertion).await.status(), 200);
    assert_eq!(refusal(&doubles, &assertion).await, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_system_user_must_be_well_described_known_and_approved() {
    let doubles = start(|_| {}).await;
    let refused = (400, "invalid_authorization_details".to_owned());
    let other = |pointer: &'static str, value: Value| {
        refusal_of(&doubles, move |claims| *claims.pointer_mut(pointer).unwrap() = value)
    };
    assert_eq!(other("/authorization_details", json!([])).await, refused);
    assert_eq!(
        other("/authorization_details/0/type", json!("urn:altinn:user")).await,
        refused
    );
    assert_eq!(
        other("/authorization_details/0/systemuser_org/authority", json!("other")).await,
        refused
    );
    assert_eq!(
        other("/authorization_details/0/systemuser_org/ID", json!(OWN)).await,
        refused
    );
    assert_eq!(
        other("/authorization_details/0/systemuser_org/ID", json!("0192:974720760")).await,
        refused
    );
    assert_eq!(
        other("/authorization_details/0/externalRef", json!("unknown")).await,
        refused
    );

    let user = SystemUser::new(STRANGER, &user_name(STRANGER)).unwrap();
    doubles.put_system_user(user.clone().not_approved());
    let assertion = || sign(OWN, &header(OWN), &claims(&doubles, OWN, STRANGER, WRITE_SCOPE));
    assert_eq!(refusal(&doubles, &assertion()).await, refused);
    doubles.put_system_user(user);
    assert_eq!(ask_token(&doubles, &assertion()).await.status(), 200);
}

#[tokio::test]
async fn the_exchange_takes_only_live_maskinporten_tokens() {
    let doubles = start(|config| config.maskinporten_token_life = Duration::from_secs(2)).await;
    assert_eq!(exchange(&doubles, "made-up").await.status(), 401);
    let token = maskinporten_token(&doubles, OWN, OWN, WRITE_SCOPE).await;
    assert_eq!(exchange(&doubles, &token).await.status(), 200);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(exchange(&doubles, &token).await.status(), 401);
}
