//! The outside registers, and how people put something into them.

use budstikke_doubles::{
    Content, Doubles, DoublesConfig, INTEGRATION_ID, INTEGRATION_PASSWORD, KS_SCOPE, Route, WRITE_SCOPE,
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::caller::{OTHER, OWN, client_id, maskinporten_token, organisation, start};

async fn doubles() -> Doubles {
    Doubles::start(DoublesConfig::default()).await.unwrap()
}

async fn status(url: &str) -> StatusCode {
    reqwest::get(url).await.unwrap().status()
}

#[tokio::test]
async fn a_register_knows_what_was_put_in_until_it_is_forgotten() {
    let doubles = doubles().await;
    let url = format!("{}/brreg/enhetsregisteret/api/enheter/{OTHER}", doubles.url());
    assert_eq!(status(&url).await, 404);
    doubles.registers().put(Content::unit(OTHER, "EKSEMPELETATEN", "ORGL"));
    let unit: Value = serde_json::from_str(&reqwest::get(&url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(
        (unit["navn"].as_str(), unit["organisasjonsform"]["kode"].as_str()),
        (Some("EKSEMPELETATEN"), Some("ORGL"))
    );
    assert_eq!(doubles.count(Route::Unit), 2);
    doubles.clear();
    assert_eq!(status(&url).await, 200);
    doubles.registers().forget_all();
    assert_eq!(status(&url).await, 404);
}

#[tokio::test]
async fn people_put_things_in_at_the_door_all_or_nothing() {
    let doubles = doubles().await;
    let door = format!("{}/registers", doubles.control_url());
    let unit = json!({ "put": "sub-unit", "number": OTHER, "document": { "navn": "E" } });
    let url = format!("{}/brreg/enhetsregisteret/api/underenheter/{OTHER}", doubles.url());
    let put = async |body: Value| Client::new().post(&door).body(body.to_string()).send().await.unwrap();
    let refused = put(json!([unit, { "put": "unitt" }])).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("unitt"));
    assert_eq!(status(&url).await, 404);
    assert_eq!(put(json!([unit])).await.status(), 204);
    assert_eq!(status(&url).await, 200);
    assert_eq!(Client::new().delete(&door).send().await.unwrap().status(), 204);
    assert_eq!(status(&url).await, 404);
}

#[tokio::test]
async fn ks_wants_an_integration_and_a_token_with_its_scope() {
    let doubles = start(|config| {
        let client = organisation(OWN).client(&client_id(OWN)).unwrap();
        config.clients = vec![client.scopes([KS_SCOPE, WRITE_SCOPE])];
    })
    .await;
    let url = format!(
        "{}/svarut/api/v2/mottakersystem?organisasjonsnummer={OTHER}",
        doubles.url()
    );
    let ask = async |token: &str, password: &str| {
        let request = Client::new().get(&url).bearer_auth(token);
        let request = request
            .header("IntegrasjonId", INTEGRATION_ID)
            .header("IntegrasjonPassord", password);
        request.send().await.unwrap().status()
    };
    doubles.registers().accept_ks_token("good");
    assert_eq!(ask("good", INTEGRATION_PASSWORD).await, 200);
    assert_eq!(ask("good", "wrong").await, 401);
    assert_eq!(ask("wrong", INTEGRATION_PASSWORD).await, 401);
    let token = maskinporten_token(&doubles, OWN, OWN, KS_SCOPE).await;
    assert_eq!(ask(&token, INTEGRATION_PASSWORD).await, 200);
    let other = maskinporten_token(&doubles, OWN, OWN, WRITE_SCOPE).await;
    assert_eq!(ask(&other, INTEGRATION_PASSWORD).await, 401);
    doubles.registers().refuse_ks_token("good");
    assert_eq!(ask("good", INTEGRATION_PASSWORD).await, 401);
}
