//! What can be asked for. Spec: service registry, 3.1 and 9.13.

use budstikke_message::identifier::Identifier;

use super::world::{World, about};

#[test]
fn identifiers_are_parsed() {
    for valid in [
        "991825827",
        "0192:991825827",
        "0192:991825827:enhet//x:1",
        "0007:000000-0000",
        "05839012391",
        "her-id:1234567",
        "fastlege-for:05839012391",
        "5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c10",
    ] {
        assert!(Identifier::parse_any(valid).is_ok(), "{valid}");
    }
    for invalid in [
        "A",
        "0192 :991825827",
        "0192A991825827",
        "05839012392",
        "her-id:0",
        "0192:991825827:0:0",
        "fastlege-for:05839012392",
        "",
    ] {
        assert!(Identifier::parse_any(invalid).is_err(), "{invalid}");
    }
}

#[tokio::test]
async fn a_citizen_is_known_without_any_register() {
    let asked = World::default().open();
    let info = asked
        .directory
        .info(&about("05839012391"), &asked.caller.token)
        .await
        .unwrap();
    let expected = serde_json::json!({ "identifier": "05839012391", "entityType": { "name": "citizen" } });
    assert_eq!(serde_json::to_value(&info).unwrap(), expected);
    for register in ["BRREG", "KRR", "FREG"] {
        assert_eq!(asked.outside.asked(register), 0);
    }
}
