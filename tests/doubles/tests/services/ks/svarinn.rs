//! SvarInn, the door for people, faults, and the key.

use budstikke_doubles::{Fault, Forsendelse, Route};
use budstikke_message::x509::Certificate;
use reqwest::Client;
use reqwest::multipart::Form;
use serde_json::json;

use super::{Scene, as_receiver, body, opened};
use crate::caller::OTHER;

#[tokio::test]
async fn people_put_in_and_look_and_what_is_rejected_for_good_is_printed() {
    let scene = Scene::new().await;
    let door = format!("{}/ks", scene.doubles.control_url());
    let new = json!({
        "title": "Søknad", "receiver": { "number": OTHER, "name": "Lillevik" },
        "documents": [{ "name": "a.txt", "media_type": "text/plain", "content": "Hei" }],
    });
    let put = Client::new()
        .post(format!("{door}/forsendelser"))
        .body(new.to_string())
        .send()
        .await
        .unwrap();
    let id = body(put).await["id"].as_str().unwrap().to_owned();
    let reject = async |permanent: bool| {
        let url = scene.svarinn(&format!("/mottakFeilet/forsendelse/{id}"));
        let body = json!({ "feilmelding": "nei", "permanent": permanent });
        as_receiver(Client::new().post(url))
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(reject(false).await, 200);
    assert_eq!(scene.waiting().await.len(), 1);
    assert_eq!(reject(true).await, 200);
    assert!(scene.waiting().await.is_empty());
    let all = body(Client::new().get(format!("{door}/forsendelser")).send().await.unwrap()).await;
    assert_eq!(
        (all[0]["status"].as_str(), all[0]["rejections"].as_array().map(Vec::len)),
        (Some("SENDT_PRINT"), Some(2))
    );
    let status = format!("{door}/forsendelser/{id}/status");
    let set = Client::new()
        .post(&status)
        .body(r#"{"status":"PRINTET"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(set.status(), 204);
    assert_eq!(
        scene.doubles.ks().forsendelse(id.parse().unwrap()).unwrap().status,
        "PRINTET"
    );
    assert_eq!(
        Client::new().post(&status).body("{}").send().await.unwrap().status(),
        400
    );
    scene.doubles.clear();
    assert!(scene.doubles.ks().forsendelser().is_empty());
}

#[tokio::test]
async fn faults_strike_the_calls_of_ks_too() {
    let scene = Scene::new().await;
    scene.doubles.ks().put_forsendelse(Forsendelse::to(OTHER).with_document(
        "a.txt",
        "text/plain",
        &"Hei ".repeat(100),
    ));
    let faults = scene.doubles.faults();
    faults.once(Route::SvarinnList, Fault::Status(503));
    let list = scene.svarinn("/mottaker/hentNyeForsendelser");
    assert_eq!(as_receiver(Client::new().get(list)).send().await.unwrap().status(), 503);
    let waiting = scene.waiting().await;
    let url = scene.svarinn(waiting[0]["downloadUrl"].as_str().unwrap());
    let fetch = async || {
        as_receiver(Client::new().get(&url))
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
    };
    faults.once(Route::SvarinnDownload, Fault::WrongChecksum);
    let (broken, good) = (fetch().await, fetch().await);
    assert_eq!(opened(good.to_vec())[0].0, "a.txt");
    assert_eq!(broken.len(), good.len());
    faults.once(Route::SvarutSend, Fault::AnswerLost);
    let form = Form::new();
    let url = scene.konto("v3", "forsendelser/organisasjon");
    assert!(
        scene
            .with_integration(Client::new().post(url))
            .multipart(form)
            .send()
            .await
            .is_err()
    );
    assert_eq!(scene.doubles.count(Route::SvarutSend), 1);
}

#[tokio::test]
async fn the_key_that_documents_are_sealed_to_is_published() {
    let scene = Scene::new().await;
    let url = format!("{}/forsendelse/publickey/hent", scene.doubles.svarut_url());
    let pem = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert_eq!(pem, scene.doubles.ks().certificate());
    assert!(Certificate::from_pem(pem.as_bytes()).unwrap().subject().contains("KS"));
}
