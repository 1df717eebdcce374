//! What operators see of the address service: what is published there for us, and how questions to it end.

use super::address_service::house;
use super::*;
use crate::certificates::own::compare;
use crate::registry::remote::tests::organisation;
use crate::registry::remote::tests::stand_in::{FIRST, Says, StandIn};

#[tokio::test]
async fn what_others_seal_to_is_compared_with_our_certificate() {
    let other = CertificateParams::default()
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem();
    let stand_in = StandIn::new(Says::Hang);
    let house = house(&stand_in, true, |_| {}).await;
    let own = budstikke_message::x509::Certificate::clone(house.node.identity.certificate());
    let base64 = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(own.der())
    };
    let own = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let header = json!({ "alg": "RS256", "kid": "first" });
    let signed = |pem: &str| Says::Bytes(FIRST.sign(&header, pem.as_bytes()).into_bytes());
    let without = json!({ "error_code": "certificate_not_found", "error_description": "Unable to find a certificate" });
    for (says, could_say, published) in [
        (Says::Error(503, json!({})), false, Value::Null),
        (signed(&own), true, json!("this one")),
        (signed(&other), true, json!("another one")),
        (Says::Error(500, json!({})), false, json!("another one")),
        (Says::Bytes(own.clone().into_bytes()), false, json!("another one")),
        (Says::NotThere, true, json!("none")),
        (signed(&own), true, json!("this one")),
        (Says::Error(404, without), true, json!("none")),
    ] {
        stand_in.says(says);
        assert_eq!(compare(&house.node).await, could_say);
        let (_, health) = answer(house.get("/manage/health")).await;
        let certificate = &health["components"]["certificate"];
        assert_eq!(certificate["details"]["published"], published);
        assert_eq!(certificate["status"], "UP");
    }
    assert_eq!(stand_in.count("virksert/991825827"), 8);
}

#[tokio::test]
async fn how_questions_ended_is_counted_for_prometheus() {
    let mut stand_in = StandIn::new(Says::Good(organisation("POST")));
    let house = house(&stand_in, false, |_| {}).await;
    let path = "/api/capabilities/910076787";
    assert_eq!(answer(house.get(path)).await.0, 200);
    stand_in.kill();
    assert_eq!(answer(house.get(path)).await.0, 200);
    assert_eq!(answer(house.get("/api/capabilities/974720760")).await.0, 503);
    let response = house.get("/manage/prometheus").send().await.unwrap();
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let text = response.text().await.unwrap();
    for (outcome, count) in [("fresh", 1), ("cached", 0), ("last_good", 1), ("failed", 2)] {
        let line = format!("budstikke_registry_questions_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.contains("budstikke_registry_up 0\n"));
    let alone = House::new().await;
    let text = alone
        .get("/manage/prometheus")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        !text.contains("registry") && text.contains("budstikke_up 1\n"),
        "{text}"
    );
}
