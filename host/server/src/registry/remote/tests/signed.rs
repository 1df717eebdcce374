//! Headers, signatures and keys.

use super::stand_in::{FIRST, SECOND};
use super::*;

#[tokio::test]
async fn what_is_asked_for_says_whether_it_must_be_signed_and_beta() {
    for (verify, beta) in [(false, false), (false, true), (true, false), (true, true)] {
        let stand_in = StandIn::new(Says::Good(organisation("DPO")));
        let client = client(&stand_in, |settings| (settings.verify, settings.beta) = (verify, beta));
        assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
        let seen = stand_in.asked().remove(0);
        assert_eq!(seen.beta.as_deref(), beta.then_some("true"));
        let accept = seen.accept.unwrap();
        if verify {
            let accepted: Vec<&str> = accept.split(',').map(str::trim).collect();
            assert_eq!(accepted, ["application/jose", "application/json"]);
        } else {
            assert_eq!(accept, "*/*");
        }
        assert_eq!(stand_in.count("jwk"), usize::from(verify));
    }
}

async fn refused(says: Says) -> RegistryError {
    let stand_in = StandIn::new(says);
    let client = client(&stand_in, |_| {});
    services(&client, in_process()).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_signed_as_it_should_be_is_refused() {
    let payload = organisation("DPO").to_string();
    let good = json!({ "alg": "RS256", "kid": "first" });
    let jws = FIRST.sign(&good, payload.as_bytes());
    let signature = jws.rsplit('.').next().unwrap();
    let base64 = |bytes: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    };
    let other = base64(&organisation("DPV").to_string());
    let none = json!({ "alg": "none", "kid": "first" });
    for (why, text) in [
        (
            "another payload",
            format!("{}.{other}.{signature}", base64(&good.to_string())),
        ),
        (
            "another key under the same name",
            SECOND.sign(&good, payload.as_bytes()),
        ),
        (
            "no signature",
            format!("{}.{}.", base64(&none.to_string()), base64(&payload)),
        ),
        (
            "another algorithm",
            FIRST.sign(&json!({ "alg": "HS256", "kid": "first" }), payload.as_bytes()),
        ),
        (
            "an extension",
            FIRST.sign(
                &json!({ "alg": "RS256", "kid": "first", "crit": ["b64"] }),
                payload.as_bytes(),
            ),
        ),
        (
            "an unknown key",
            SECOND.sign(&json!({ "alg": "RS256", "kid": "second" }), payload.as_bytes()),
        ),
        ("no JWS", "abc".to_owned()),
    ] {
        let error = refused(Says::Bytes(text.into_bytes())).await;
        assert!(matches!(error, RegistryError::BadSignature(_)), "{why}: {error}");
        assert!(error.is_fault());
    }
    let error = refused(Says::Unsigned(organisation("DPO"))).await;
    assert!(matches!(error, RegistryError::BadSignature(_)), "{error}");
}

#[tokio::test]
async fn a_signature_without_the_name_of_a_key_is_of_the_only_one() {
    let jws = FIRST.sign(&json!({ "alg": "RS256" }), organisation("DPO").to_string().as_bytes());
    let stand_in = StandIn::new(Says::Bytes(jws.into_bytes()));
    let client = client(&stand_in, |_| {});
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
}

#[tokio::test]
async fn a_new_key_is_asked_for_when_an_answer_names_it() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |settings| settings.cache_seconds = 0);
    services(&client, in_process()).await.unwrap();
    services(&client, in_process()).await.unwrap();
    assert_eq!(stand_in.count("jwk"), 1, "keys are kept");
    *stand_in.life.published.lock().unwrap() = vec![FIRST.clone(), SECOND.clone()];
    *stand_in.life.signer.lock().unwrap() = SECOND.clone();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
    assert_eq!(stand_in.count("jwk"), 2);
}

#[tokio::test]
async fn made_up_names_of_keys_do_not_cause_a_question_each() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = client(&stand_in, |settings| settings.cache_seconds = 0);
    services(&client, in_process()).await.unwrap();
    *stand_in.life.signer.lock().unwrap() = SECOND.clone();
    for _ in 0..5 {
        let error = services(&client, in_process()).await.unwrap_err();
        assert!(matches!(error, RegistryError::BadSignature(_)), "{error}");
    }
    assert_eq!(stand_in.count("jwk"), 1);
}

#[tokio::test]
async fn keys_that_come_slowly_are_not_asked_for_by_each_who_waits() {
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    *stand_in.life.keys_after.lock().unwrap() = Duration::from_mins(1);
    // Longer than the pause between two questions for keys.
    let client = client(&stand_in, |settings| settings.read_time = Duration::from_millis(2200));
    let asked = ["910076787", "974720760", "991825827"].map(|receiver| services(&client, Question::about(receiver)));
    for outcome in futures::future::join_all(asked).await {
        assert!(matches!(outcome, Err(RegistryError::Unreachable(_))), "{outcome:?}");
    }
    assert_eq!(stand_in.count("jwk"), 1);
}
