//! What answers mean, good and bad.

use super::*;

async fn refused(says: Says) -> RegistryError {
    let stand_in = StandIn::new(says);
    let client = client(&stand_in, |settings| {
        settings.verify = false;
        settings.read_time = Duration::from_millis(300);
    });
    services(&client, in_process()).await.unwrap_err()
}

#[tokio::test]
async fn each_class_of_fault_is_told_apart() {
    let said = json!({ "error_code": "", "error_description": "Security level 4 is not available" });
    let error = refused(Says::NotThere).await;
    assert_eq!(error, RegistryError::UnknownReceiver(Some("Entity not found".into())));
    let error = refused(Says::Error(400, said)).await;
    assert!(matches!(error, RegistryError::Refused { status: 400, .. }) && error.is_fault());
    assert!(error.to_string().contains("Security level 4"), "{error}");
    for says in [
        Says::Error(404, json!({ "message": "no Route matched with those values" })),
        Says::Error(500, json!({})),
        Says::Error(503, json!({})),
        Says::Hang,
    ] {
        let error = refused(says).await;
        assert!(
            matches!(error, RegistryError::Unreachable(_)) && error.is_fault(),
            "{error}"
        );
        assert!(!error.to_string().contains(RECEIVER), "{error}");
    }
    let error = refused(Says::Bytes(b"<html>".to_vec())).await;
    assert!(
        matches!(error, RegistryError::Unusable(_)) && error.is_fault(),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_about_another_receiver_is_no_answer() {
    let stand_in = StandIn::new(Says::About(organisation("DPO")));
    let client = client(&stand_in, |_| {});
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
    let error = services(&client, Question::about("974720760")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Untold(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("another receiver"), "{text}");
    assert!(!text.contains(RECEIVER) && !text.contains("974720760"), "{text}");
}

#[tokio::test]
async fn a_receiver_that_takes_nothing_is_not_asked_to_take_a_process() {
    let empty = json!({ "infoRecord": { "identifier": RECEIVER }, "serviceRecords": [] });
    let stand_in = StandIn::new(Says::Good(empty));
    let client = client(&stand_in, |_| {});
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotAccepted { .. }));
    assert_eq!(
        services(&client, Question::about(RECEIVER)).await.unwrap(),
        Vec::<String>::new()
    );
    assert!(client.record(RECEIVER).await.is_err(), "there is no primary record");
}

#[tokio::test]
async fn the_record_is_what_the_registry_wrote_with_the_primary_one_apart() {
    let mut answer = organisation("DPV");
    answer["serviceRecords"][0]["process"] = json!("urn:other");
    answer["serviceRecords"].as_array_mut().unwrap().extend([
        json!({ "service": 7, "strange": true }),
        json!({ "process": PROCESS, "service": { "identifier": "STRANGE" }, "new": { "a": 1 } }),
    ]);
    let stand_in = StandIn::new(Says::Good(answer.clone()));
    let record = client(&stand_in, |_| {}).record(RECEIVER).await.unwrap();
    assert_eq!(record.info, answer["infoRecord"]);
    assert_eq!(Value::Array(record.all), answer["serviceRecords"]);
    assert_eq!(record.primary, answer["serviceRecords"][2]);
}

#[tokio::test]
async fn what_a_service_needs_is_told_by_name() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |_| {});
    let answer = client.capabilities(in_process()).await.unwrap();
    assert_eq!(answer.source, Source::AddressService);
    let capability = &answer.capabilities[0];
    assert_eq!(
        (capability.process.as_str(), &capability.document_types),
        (PROCESS, &vec![STANDARD.to_owned()])
    );
    assert_eq!(capability.address["resource"], "r");
    assert_eq!(capability.address["endpointUrl"], "https://tt02.altinn.no");
    assert!(!capability.address.contains_key("serviceEditionCode"));
}
