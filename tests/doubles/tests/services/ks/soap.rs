//! SvarUt over SOAP.

use reqwest::Client;
use uuid::Uuid;

use super::{Scene, soap_envelope};
use crate::caller::OTHER;

#[tokio::test]
async fn a_forsendelse_over_soap_is_read_in_the_order_of_the_schema() {
    let scene = Scene::new().await;
    let id = Uuid::new_v4().to_string();
    let (status, answer) = scene.mtom(&id, |xml| xml).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(&format!("<return>{id}</return>")));
    let came = scene.doubles.ks().forsendelse(id.parse().unwrap()).unwrap();
    assert_eq!(came.documents[0].content, b"Testing 1 2 3");
    assert_eq!(came.receiver.number, OTHER);

    let (status, answer) = scene.mtom(&id, |xml| xml).await;
    assert!(status == 500 && answer.contains("Duplikat"), "{answer}");
    let fresh = || Uuid::new_v4().to_string();
    let swapped = |xml: String| {
        let kryptert = "<kryptert>true</kryptert>";
        xml.replace(kryptert, "")
            .replace("<eksternref>", &format!("{kryptert}<eksternref>"))
    };
    assert!(scene.mtom(&fresh(), swapped).await.1.contains("Unmarshalling Error"));
    let qualified = |xml: String| {
        xml.replace("<tittel>", "<s9:tittel>")
            .replace("</tittel>", "</s9:tittel>")
    };
    assert!(scene.mtom(&fresh(), qualified).await.1.contains("Unmarshalling Error"));
    let printed = |xml: String| xml.replace("FraPrint>true", "FraPrint>false");
    assert!(scene.mtom(&fresh(), printed).await.1.contains("Ugyldig innhold"));
    let elsewhere = |xml: String| xml.replace("cid:doc0", "cid:doc1");
    assert!(scene.mtom(&fresh(), elsewhere).await.1.contains("attachment"));
    scene.doubles.ks().refuse_next("Intern feil");
    let (status, answer) = scene.mtom(&fresh(), |xml| xml).await;
    assert!(status == 500 && answer.contains("Intern feil"));
    assert_eq!(scene.mtom(&fresh(), |xml| xml).await.0, 200);
}

#[tokio::test]
async fn the_questions_over_soap_are_answered() {
    let scene = Scene::new().await;
    let id = Uuid::new_v4().to_string();
    scene.mtom(&id, |xml| xml).await;
    let ask = async |operation: &str, body: &str| {
        let xml = soap_envelope(&format!(
            "<s9:{operation} xmlns:s9=\"http://www.ks.no/svarut/servicesV9\">{body}</s9:{operation}>"
        ));
        scene
            .soap("application/soap+xml; charset=UTF-8", xml.into_bytes())
            .await
            .1
    };
    assert!(
        ask("retreiveForsendelseTyper", "")
            .await
            .contains("<return>type-1</return>")
    );
    let found = ask("retrieveForsendelseIdByEksternRef", "<eksternRef>m-1</eksternRef>").await;
    assert!(found.contains(&format!("<return>{id}</return>")));
    scene.doubles.ks().set_status(id.parse().unwrap(), "AVVIST");
    let statuses = ask(
        "retrieveForsendelseStatuser",
        &format!("<forsendelseider>{id}</forsendelseider>"),
    )
    .await;
    assert!(statuses.contains("<forsendelseStatus>AVVIST</forsendelseStatus>"));
    assert!(ask("slettForsendelse", "").await.contains("Fault"));
    let url = format!(
        "{}/tjenester/forsendelseservice/ForsendelsesServiceV9",
        scene.doubles.svarut_url()
    );
    let stranger = Client::new().post(url).basic_auth("x", Some("y")).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
}
