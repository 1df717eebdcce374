//! What a receiver can take.

use serde_json::json;

use super::*;

#[tokio::test]
async fn capabilities_come_in_the_order_of_the_registry() {
    let house = House::new().await;
    for receiver in ["974760673", "0192:974760673"] {
        let (status, body) = answer(house.get(&format!("/api/capabilities/{receiver}"))).await;
        assert_eq!(status, 200);
        let arkivmelding = json!({ "type": "arkivmelding", "standard": STANDARD });
        assert_eq!(
            body,
            json!({ "capabilities": [
                { "process": PROCESS, "serviceIdentifier": "POST",
                    "documentTypes": [arkivmelding, { "standard": "plain" }] },
                { "process": PROCESS, "serviceIdentifier": "MAIL",
                    "documentTypes": [{ "standard": "urn:x::unknown" }, { "standard": "plain" }] },
            ] })
        );
    }
}

#[tokio::test]
async fn a_receiver_that_nobody_knows_and_a_registry_that_does_not_answer_are_told_apart() {
    let house = House::new().await;
    let (status, body) = answer(house.get("/api/capabilities/123456789")).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (404, "IdentifierNotFoundException")
    );
    let (status, body) = answer(house.get("/api/capabilities/999999999")).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (503, "ServiceRegistryLookupException")
    );
}
