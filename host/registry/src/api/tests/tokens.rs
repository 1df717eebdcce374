//! Who may ask. Spec: service registry, 2.1.

use std::sync::atomic::Ordering;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::fake::Directory;
use super::*;

const PATH: &str = "/identifier/910076787";

async fn status(house: &House, token: &str) -> u16 {
    house.get_with(PATH, Some(token), &[]).await.status.as_u16()
}

#[tokio::test]
async fn without_a_token_nobody_may_ask() {
    let house = House::new().await;
    let answer = house.get_with(PATH, None, &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for path in [
        "/info/910076787",
        "/virksert/910076787",
        "/sastoken",
        "/explain/910076787",
    ] {
        assert_eq!(
            house.get_with(path, None, &[]).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    let basic = house.get_with(PATH, None, &[("authorization", "Basic YTpi")]).await;
    assert_eq!(basic.status, StatusCode::UNAUTHORIZED);
    let token = keys::token(&keys::claims(house.issuer.url()));
    let bearer = format!("Bearer {token}");
    let two = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(house.get_with(PATH, None, &two).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.get_with(PATH, None, &two[..1]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_must_be_right_in_every_way() {
    let house = House::new().await;
    let good = keys::claims(house.issuer.url());
    let now = jiff::Timestamp::now().as_second();
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for (what, claims, expected) in [
        ("good", good.clone(), 200),
        ("another issuer", with("iss", json!("https://other.example/")), 401),
        ("expired", with("exp", json!(now - 61)), 401),
        ("expired within the leeway", with("exp", json!(now - 50)), 200),
        ("not yet", with("nbf", json!(now + 100)), 401),
        ("not yet within the leeway", with("nbf", json!(now + 50)), 200),
        ("parts of a second", with("exp", json!(1.5 + 1e9 * 9.0)), 200),
        ("no consumer", with("consumer", Value::Null), 401),
        ("consumer is a text", with("consumer", json!("0192:991825827")), 401),
        (
            "consumer is no ISO 6523",
            with("consumer", json!({ "ID": "9908:991825827" })),
            401,
        ),
        (
            "consumer is a person",
            with("consumer", json!({ "ID": "05839012391" })),
            401,
        ),
    ] {
        let answer = house.get_with(PATH, Some(&keys::token(&claims)), &[]).await;
        assert_eq!(answer.status.as_u16(), expected, "{what}: {}", answer.text());
        assert!(!answer.text().contains("05839012391"));
    }
    let mut endless = good.clone();
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(status(&house, &keys::token(&endless)).await, 401);
}

#[tokio::test]
async fn a_signature_must_be_rs256_of_a_known_key() {
    let house = House::new().await;
    let good = keys::claims(house.issuer.url());
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
    let token = keys::token(&good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let encoded = |header: Value| {
        [header, good.clone()]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".")
    };
    let unsigned = format!("{}.", encoded(json!({ "alg": "none" })));
    // The public key is known to everybody: it must never be the key of a MAC.
    let public = keys::issuing().certificate().public_key_der().to_vec();
    let text = encoded(header("HS256", "first"));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), text.as_bytes());
    let confused = format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac));
    let foreign = keys::signed(&keys::later(), &header("RS256", "first"), &good);
    let unknown = keys::signed(&keys::issuing(), &header("RS256", "second"), &good);
    let strange = keys::signed(
        &keys::issuing(),
        &json!({ "alg": "RS256", "kid": "first", "crit": ["x"] }),
        &good,
    );
    let other = URL_SAFE_NO_PAD.encode(good.to_string().replace("991825827", "974720760"));
    let changed = format!("{}.{other}.{signature}", signed.split('.').next().unwrap());
    for (what, token) in [
        ("alg none", unsigned.as_str()),
        ("HS256 with the public key", &confused),
        ("another key", &foreign),
        ("unknown kid", &unknown),
        ("unknown extension", &strange),
        ("changed claims", &changed),
        ("cut off", signed),
        ("no token", "abc"),
        ("nothing", ""),
    ] {
        let answer = house.get_with(PATH, Some(token), &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        assert!(
            answer
                .header("www-authenticate")
                .starts_with("Bearer error=\"invalid_token\""),
            "{what}"
        );
    }
    assert_eq!(status(&house, &token).await, 200);
}

#[tokio::test]
async fn info_needs_no_organisation_but_look_ups_do() {
    let house = House::new().await;
    let mut claims = keys::claims(house.issuer.url());
    claims.as_object_mut().unwrap().remove("consumer");
    let token = keys::token(&claims);
    assert_eq!(
        house.get_with("/info/910076787", Some(&token), &[]).await.status,
        StatusCode::OK
    );
    let refused = house.get_with(PATH, Some(&token), &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(
        refused.json()["error_description"]
            .as_str()
            .unwrap()
            .contains("consumer.ID")
    );
}

#[tokio::test]
async fn an_audience_counts_where_the_operator_says_so() {
    let clients = "[[issuers]]\nurl = 'ISSUER'\naudience = 'us'";
    let house = House::with(Directory::default(), clients).await;
    let mut claims = keys::claims(house.issuer.url());
    for (audience, expected) in [
        (json!("us"), 200),
        (json!(["them", "us"]), 200),
        (json!("them"), 401),
        (json!([]), 401),
        (Value::Null, 401),
    ] {
        claims["aud"] = audience.clone();
        assert_eq!(status(&house, &keys::token(&claims)).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn the_issuer_is_asked_once_and_a_known_token_is_not_verified_again() {
    let house = House::new().await;
    let token = keys::token(&keys::claims(house.issuer.url()));
    for _ in 0..3 {
        assert_eq!(status(&house, &token).await, 200);
    }
    assert_eq!(house.issuer.asked.load(Ordering::SeqCst), 1);
    // Without its keys, what was verified is still known.
    house.issuer.server.abort();
    assert_eq!(status(&house, &token).await, 200);
    // And so are the keys: another token of the same issuer passes while it is down.
    let mut claims = keys::claims(house.issuer.url());
    claims["scope"] = json!("");
    assert_eq!(status(&house, &keys::token(&claims)).await, 200);
}

#[tokio::test]
async fn unknown_keys_cost_the_issuer_one_question_in_a_while() {
    let house = House::new().await;
    let claims = keys::claims(house.issuer.url());
    assert_eq!(status(&house, &keys::token(&claims)).await, 200);
    for number in 0..5 {
        let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") });
        assert_eq!(
            status(&house, &keys::signed(&keys::later(), &header, &claims)).await,
            401
        );
    }
    assert!(house.issuer.asked.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn a_new_key_is_found_by_its_unknown_id() {
    let house = House::new().await;
    house.issuer.show(vec![
        keys::jwk(&keys::issuing(), "first"),
        keys::jwk(&keys::later(), "second"),
    ]);
    let claims = keys::claims(house.issuer.url());
    let header = json!({ "alg": "RS256", "kid": "second" });
    assert_eq!(
        status(&house, &keys::signed(&keys::later(), &header, &claims)).await,
        200
    );
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_makes_it_503() {
    let house = House::new().await;
    house.issuer.server.abort();
    tokio::task::yield_now().await;
    let token = keys::token(&keys::claims(house.issuer.url()));
    let answer = house.get_with(PATH, Some(&token), &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn keys_can_be_had_from_an_address_or_a_file() {
    let house = House::with(
        Directory::default(),
        "[[issuers]]\nurl = 'ISSUER'\njwks-uri = 'ISSUERjwks'",
    )
    .await;
    assert_eq!(
        status(&house, &keys::token(&keys::claims(house.issuer.url()))).await,
        200
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(
        &file,
        json!({ "keys": [keys::jwk(&keys::issuing(), "first")] }).to_string(),
    )
    .unwrap();
    let clients = format!("[[issuers]]\nurl = 'ISSUER'\njwks-file = '{}'", file.display());
    let house = House::with(Directory::default(), &clients).await;
    house.issuer.server.abort();
    assert_eq!(
        status(&house, &keys::token(&keys::claims(house.issuer.url()))).await,
        200
    );
    std::fs::write(&file, "nonsense").unwrap();
    let settings: crate::config::Clients = toml::from_str(&clients).unwrap();
    let error = Clients::new(&settings, BTreeSet::new()).err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("keys.json: is no JWK set (line 1, column 2)"),
        "{error}"
    );
}

#[tokio::test]
async fn where_nobody_is_asked_a_call_is_the_operators_organisation() {
    let directory = Directory::default();
    let asked = Arc::clone(&directory.asked);
    let clients = "open = true\norganisation = '974720760'\n[[issuers]]\nurl = 'ISSUER'";
    let house = House::with(directory, clients).await;
    assert_eq!(house.get_with(PATH, None, &[]).await.status, StatusCode::OK);
    assert_eq!(asked.lock().unwrap().take().unwrap().1, "0192:974720760");
    // Who shows a token is who the token says, and a bad one is refused.
    assert_eq!(house.get(PATH, &[]).await.status, StatusCode::OK);
    assert_eq!(asked.lock().unwrap().take().unwrap().1, "0192:991825827");
    assert_eq!(status(&house, "abc").await, 401);
}
