//! Look-ups over HTTP. Spec: service registry, 3 and 9.11.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::fake::Directory;
use super::*;

const ISSUERS: &str = "[[issuers]]\nurl = 'ISSUER'";
const PERSON: &str = "05839012391";
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";

#[tokio::test]
async fn an_organisation_and_a_person_are_told_apart() {
    let house = House::new().await;
    let organisation = house.get("/info/910076787", &[]).await;
    assert_eq!(organisation.status, StatusCode::OK);
    assert_eq!(organisation.header("content-type"), "application/json");
    assert_eq!(organisation.header("cache-control"), "no-store");
    assert_eq!(
        organisation.json(),
        json!({ "infoRecord": { "identifier": "910076787", "organizationName": "EKSEMPELETATEN",
            "entityType": { "name": "ORGL" } }, "serviceRecords": [] })
    );
    let person = house.get(&format!("/info/{PERSON}"), &[]).await;
    assert_eq!(person.json()["infoRecord"]["entityType"]["name"], "citizen");
}

#[tokio::test]
async fn a_signed_answer_has_the_text_of_the_plain_one() {
    let house = House::new().await;
    let path = format!("/identifier/910076787/process/{PROCESS}");
    let plain = house.get(&path, &[]).await;
    let signed = house
        .get(&path, &[("accept", "application/jose"), ("accept", "application/json")])
        .await;
    assert_eq!(signed.header("content-type"), "application/jose");
    let text = signed.text();
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(URL_SAFE_NO_PAD.decode(parts[1]).unwrap(), plain.body);
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let certificate = STANDARD.decode(header["x5c"][0].as_str().unwrap()).unwrap();
    assert_eq!(certificate, keys::identity().certificate().der());
    let set = house.get_with("/jwk", None, &[]).await.json();
    assert_eq!(set["keys"][0]["kid"], header["kid"]);
    // Null members are written.
    assert!(plain.json()["serviceRecords"][0]["pemCertificate"].is_null());
    assert!(plain.text().contains("\"pemCertificate\":null"));
}

#[tokio::test]
async fn the_question_arrives_whole() {
    let directory = Directory::default();
    let asked = Arc::clone(&directory.asked);
    let house = House::with(directory, ISSUERS).await;
    let path = format!(
        "/identifier/0192%3A910076787/process/{PROCESS}?securityLevel=4&print=false&conversationId=c1&unknown=x"
    );
    let answer = house.get(&path, &[("x-enable-beta-features", "true")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let (query, caller) = asked.lock().unwrap().take().unwrap();
    assert_eq!((query.level, query.print, query.beta), (Some(4), false, true));
    assert_eq!(query.receiver.as_str(), "0192:910076787");
    assert_eq!(caller, "0192:991825827");
    house.get("/identifier/910076787", &[]).await;
    let (query, _) = asked.lock().unwrap().take().unwrap();
    assert_eq!((query.level, query.print, query.beta), (None, true, false));
    // A part with slashes, encoded. Spec: service registry, 9.13.
    house.get("/identifier/0192:991825827:enhet%2F%2Fx:1", &[]).await;
    let (query, _) = asked.lock().unwrap().take().unwrap();
    assert_eq!(query.receiver.as_str(), "0192:991825827:enhet//x:1");
}

#[tokio::test]
async fn a_bad_question_is_400_without_what_was_asked() {
    let house = House::new().await;
    for path in [
        "/identifier/A",
        "/identifier/05839012392",
        "/info/her-id:0",
        "/identifier/0192%20:991825827",
        "/identifier/910076787?securityLevel=x",
        "/identifier/910076787?print=perhaps",
        "/identifier/%FF",
        "/virksert/0192:910076787",
        "/identifier/910076787/process/a%20b",
    ] {
        let accept = if path.starts_with("/virksert") {
            "text/plain"
        } else {
            "application/jose"
        };
        let answer = house.get(path, &[("accept", accept)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        let body = answer.json();
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["timestamp", "status", "error", "path"]);
        assert_eq!((&body["status"], &body["error"]), (&json!(400), &json!("Bad Request")));
        assert!(!answer.text().contains("05839012392"));
    }
    let beta = house
        .get("/identifier/910076787", &[("x-enable-beta-features", "perhaps")])
        .await;
    assert_eq!(beta.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn info_of_nobody_is_404_with_nothing() {
    let unknown = LookupError::UnknownReceiver { receiver: "x".into() };
    let house = House::with(Directory::failing(unknown), ISSUERS).await;
    let answer = house.get("/info/910076787", &[]).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_FOUND, 0));
}

#[tokio::test]
async fn certificates_are_text_or_signed_text() {
    let house = House::new().await;
    let text = house.get("/virksert/910076787", &[("accept", "text/plain")]).await;
    assert_eq!(text.text(), keys::identity().certificate().to_pem());
    assert!(text.header("content-type").starts_with("text/plain"));
    let signed = house
        .get("/virksert/910076787", &[("accept", "application/jose")])
        .await
        .text();
    let payload = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
    assert_eq!(payload, text.body);
    for accept in ["application/json", "*/*"] {
        let refused = house.get("/virksert/910076787", &[("accept", accept)]).await;
        assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
        assert_eq!(refused.json()["status"], 406);
    }
    // A token without any scope is no fault.
    let mut claims = keys::claims(house.issuer.url());
    claims.as_object_mut().unwrap().remove("scope");
    let token = keys::token(&claims);
    let other = house
        .get_with("/virksert/910076787", Some(&token), &[("accept", "text/plain")])
        .await;
    assert_eq!(other.text(), keys::issuing().certificate().to_pem());
    let differ = LookupError::CertificatesDiffer {
        organisation: "910076787".into(),
        uses: "A and B".into(),
    };
    let house = House::with(Directory::failing(differ), ISSUERS).await;
    let refused = house.get("/virksert/910076787", &[("accept", "text/plain")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_sas_token_is_for_those_with_its_scope() {
    let house = House::new().await;
    let jose = [("accept", "application/jose")];
    let answer = house.get("/sastoken", &jose).await;
    let text = answer.text();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap();
    assert_eq!(payload, b"the key");
    assert_eq!(house.get("/sastoken", &[]).await.status, StatusCode::NOT_ACCEPTABLE);
    let mut claims = keys::claims(house.issuer.url());
    claims["scope"] = json!("eformidling:dpo");
    let token = keys::token(&claims);
    let refused = house.get_with("/sastoken", Some(&token), &jose).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(!refused.text().contains("the key"));
}

#[tokio::test]
async fn an_explanation_is_json_for_those_who_may_look_up() {
    let house = House::new().await;
    let one = house.get("/explain/910076787/process/p:a", &[]).await;
    assert_eq!(one.json()["processes"][0]["process"], "p:a");
    assert_eq!(one.json()["processes"][0]["reason"], "<because>");
    assert_eq!(one.json()["answer"]["serviceRecords"][0]["process"], "p:a");
    let all = house.get("/explain/910076787", &[]).await;
    assert_eq!(all.json()["processes"][0]["process"], "all");
    let nobody = house.get_with("/explain/910076787/process/p:a", None, &[]).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_context_path_is_the_operators() {
    let house = House::new().await;
    let call = |router: &Router, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request)
    };
    assert_eq!(
        call(&house.router, "/jwk").await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        call(&house.api.router("", true), "/jwk").await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        call(&house.api.router("/a/b", true), "/a/b/jwk")
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn health_and_counters_name_nobody() {
    let house = House::new().await;
    house.get(&format!("/identifier/{PERSON}"), &[]).await;
    house.get_with(&format!("/identifier/{PERSON}"), None, &[]).await;
    house.get("/nowhere", &[]).await;
    let get = async |path: &str| house.call(Request::get(path).body(Body::empty()).unwrap()).await;
    for path in ["/health", "/health/liveness", "/health/readiness"] {
        assert_eq!(get(path).await.json()["status"], "UP", "{path}");
    }
    let text = get("/prometheus").await.text();
    let route = "route=\"/adressetjeneste/identifier/{identifier}\"";
    assert!(
        text.contains(&format!(
            "budstikke_registry_requests_total{{{route},status=\"200\"}} 1"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "budstikke_registry_requests_total{{{route},status=\"401\"}} 1"
        )),
        "{text}"
    );
    assert!(
        text.contains("budstikke_registry_lookups_total{kind=\"identifier\",outcome=\"found\"} 1"),
        "{text}"
    );
    assert!(!text.contains(PERSON));
    house.api.drain();
    let draining = get("/health/readiness").await;
    assert_eq!(draining.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get("/health/liveness").await.status, StatusCode::OK);
    // With an address of their own they are not on the other one.
    let outside = house.api.router(CONTEXT_PATH, false);
    let request = Request::get("/prometheus").body(Body::empty()).unwrap();
    assert_eq!(outside.oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_register_that_is_down_is_counted() {
    let down = LookupError::RegisterUnavailable {
        register: "KRR",
        detail: "refused".into(),
    };
    let house = House::with(Directory::failing(down), ISSUERS).await;
    house.get("/identifier/910076787", &[]).await;
    let text = house
        .call(Request::get("/prometheus").body(Body::empty()).unwrap())
        .await
        .text();
    assert!(
        text.contains("budstikke_registry_register_failures_total{register=\"KRR\"} 1"),
        "{text}"
    );
}
