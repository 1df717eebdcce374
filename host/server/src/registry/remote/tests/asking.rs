//! What is asked, how often, and with which token.

use super::*;

#[tokio::test]
async fn a_question_is_asked_once_in_five_minutes_whatever_its_conversation() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |_| {});
    let with = |receiver, conversation_id| Question {
        conversation_id,
        ..Question::about(receiver)
    };
    for question in [
        with("910076787", Some("conv1")),
        with("910076787", Some("conv1")),
        with("910076787", Some("conv2")),
        with("910076787", None),
        with("974720760", None),
    ] {
        assert_eq!(services(&client, question).await.unwrap(), ["DPO"]);
    }
    assert_eq!(
        stand_in.places(),
        ["identifier/910076787?conversationId=conv1", "identifier/974720760"]
    );
    assert_eq!(stand_in.count("jwk"), 1);
}

#[tokio::test]
async fn a_level_makes_another_question_also_without_print() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |settings| settings.print = false);
    for level in [Some(3), Some(3), None, None] {
        let question = Question {
            security_level: level,
            ..in_process()
        };
        services(&client, question).await.unwrap();
    }
    let place = format!("identifier/910076787/process/{PROCESS}");
    assert_eq!(
        stand_in.places(),
        [
            format!("{place}?securityLevel=3&print=false"),
            format!("{place}?print=false")
        ]
    );
}

#[tokio::test]
async fn many_who_ask_the_same_at_the_same_time_cause_one_request() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |settings| settings.cache_seconds = 0);
    let all = futures::future::join_all((0..200).map(|_| services(&client, in_process()))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(stand_in.asked().len(), 1);
    services(&client, in_process()).await.unwrap();
    assert_eq!(stand_in.asked().len(), 2, "without a cache the next one asks again");
}

#[tokio::test]
async fn who_gives_up_waiting_takes_nothing_from_the_others() {
    let stand_in = StandIn::new(Says::Hang);
    let client = client(&stand_in, |settings| settings.read_time = Duration::from_millis(500));
    let impatient = tokio::time::timeout(Duration::from_millis(50), services(&client, in_process())).await;
    assert!(impatient.is_err());
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable(_)), "{error}");
    assert_eq!(stand_in.asked().len(), 1);
}

#[tokio::test]
async fn failures_are_not_kept() {
    let stand_in = StandIn::new(Says::Error(500, json!({})));
    let client = client(&stand_in, |_| {});
    assert!(services(&client, in_process()).await.is_err());
    stand_in.says(Says::Good(organisation("DPO")));
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
    assert_eq!(stand_in.asked().len(), 2);
    assert_eq!(client.report().unwrap()["silentSince"], Value::Null);
}

#[tokio::test]
async fn one_token_serves_until_it_ends_or_is_refused() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |settings| {
        settings.token_profile = Some("maskinporten".into());
        settings.scopes = vec!["eformidling:dpo".into()];
        settings.cache_seconds = 0;
    });
    for _ in 0..3 {
        services(&client, in_process()).await.unwrap();
    }
    assert_eq!(stand_in.count("token"), 1);
    assert_eq!(stand_in.asked()[0].authorization.as_deref(), Some("Bearer abc"));
    stand_in.says(Says::Error(401, json!({ "error_description": "no" })));
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Refused { status: 401, .. }) && error.is_fault());
    assert_eq!((stand_in.count("token"), stand_in.asked().len()), (2, 5));
}

#[tokio::test]
async fn nobody_is_asked_at_the_start_and_about_nobody() {
    let stand_in = StandIn::new(Says::Hang);
    let client = client(&stand_in, |_| {});
    let error = services(&client, Question::about("..")).await.unwrap_err();
    assert_eq!(error, RegistryError::UnknownReceiver(None));
    assert!(stand_in.asked().is_empty() && stand_in.count("jwk") == 0);
}
