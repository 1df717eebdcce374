//! What is kept of the answers of each register, and what is used while one is down. Spec: service registry, 6.8.

use std::time::Duration;

use budstikke_doubles::{Content, Fault, Route};
use budstikke_registry::caller::CallerToken;
use budstikke_registry::registers::RegisterError;
use serde_json::json;

use crate::world::{
    ACCOUNT, ADMINISTRASJON, ARKIVMELDING, DPO_PROCESS, ORGANISATION, World, administrasjon, arkivmelding, nhn,
    organisation, pem, person, token,
};

#[tokio::test]
async fn every_register_is_asked_once_for_the_same() {
    let world = World::start().await;
    world.put(Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL"));
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    world.put(Content::account(ACCOUNT, "Prøve kommune", ORGANISATION));
    let of = world.registers("");
    for _ in 0..2 {
        of.organisations
            .as_ref()
            .unwrap()
            .organisation(&organisation())
            .await
            .unwrap();
        let registrations = of.registrations.as_ref().unwrap();
        registrations
            .by_document_type(&organisation(), &[arkivmelding()])
            .await
            .unwrap();
        of.certificates
            .as_ref()
            .unwrap()
            .certificate(&organisation(), "DPO")
            .await
            .unwrap();
        of.receiver_systems
            .as_ref()
            .unwrap()
            .receiver_systems(&organisation())
            .await
            .unwrap();
        of.contacts
            .as_ref()
            .unwrap()
            .contact(&person(), &token())
            .await
            .unwrap();
        of.residents.as_ref().unwrap().resident(&person()).await.unwrap();
        of.health_units
            .as_ref()
            .unwrap()
            .unit(&nhn("her-id:1"), &token())
            .await
            .unwrap();
        of.accounts.as_ref().unwrap().account(ACCOUNT).await.unwrap();
    }
    for route in [
        Route::Unit,
        Route::ServiceGroup,
        Route::Certificates,
        Route::ReceiverSystems,
        Route::Contact,
        Route::Resident,
        Route::HealthUnit,
        Route::Account,
    ] {
        assert_eq!(world.doubles.count(route), 1, "{route:?}");
    }
}

#[tokio::test]
async fn what_krr_and_norsk_helsenett_say_to_one_client_is_not_told_to_another() {
    let world = World::start().await;
    let of = world.registers("");
    for token in ["a", "b", "a"].map(|text| CallerToken::new(text.to_owned())) {
        of.contacts.as_ref().unwrap().contact(&person(), &token).await.unwrap();
        of.health_units
            .as_ref()
            .unwrap()
            .unit(&nhn("her-id:1"), &token)
            .await
            .unwrap();
    }
    assert_eq!(world.doubles.count(Route::Contact), 2);
    assert_eq!(world.doubles.count(Route::HealthUnit), 2);
}

/// Sharp edge 3: upstream keeps an outage of BRREG for an hour as "does not exist".
#[tokio::test]
async fn an_outage_of_brreg_is_forgotten_at_once_and_absence_soon() {
    let world = World::start().await;
    let organisations = world.registers("absent-kept-ms = 500").organisations.unwrap();
    world.doubles.faults().once(Route::Unit, Fault::AnswerLost);
    assert!(organisations.organisation(&organisation()).await.is_err());
    assert_eq!(organisations.organisation(&organisation()).await, Ok(None));

    world.put(Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL"));
    assert_eq!(organisations.organisation(&organisation()).await, Ok(None));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(organisations.organisation(&organisation()).await.unwrap().is_some());
}

#[tokio::test]
async fn while_elma_svarut_and_virksert_are_down_their_last_good_answers_are_used() {
    let world = World::start().await;
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    world.put(Content::receiver_system(ORGANISATION, 4));
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    let of = world.registers("kept-ms = 0, absent-kept-ms = 0");
    let (elma, svarut, virksert) = (
        of.registrations.unwrap(),
        of.receiver_systems.unwrap(),
        of.certificates.unwrap(),
    );
    for down in [false, true] {
        if down {
            for route in [Route::ServiceGroup, Route::ReceiverSystems, Route::Certificates] {
                world.doubles.faults().always(route, Fault::Status(503));
            }
        }
        let registered = elma.by_document_type(&organisation(), &[arkivmelding()]).await.unwrap();
        assert!(registered[&arkivmelding()].contains(&administrasjon()));
        assert_eq!(svarut.receiver_systems(&organisation()).await.unwrap().len(), 1);
        assert!(virksert.certificate(&organisation(), "DPO").await.unwrap().is_some());
    }
    // Nobody was asked about this one while they were up.
    let other = "991825827".parse().unwrap();
    assert!(elma.by_document_type(&other, &[arkivmelding()]).await.is_err());
}

#[tokio::test]
async fn a_register_that_fails_and_fails_is_left_in_peace_and_then_asked_once() {
    let world = World::start().await;
    world.doubles.faults().times(2, Route::Resident, Fault::Status(500));
    let residents = world
        .registers("failures = 2, peace-ms = 400, retries = 0")
        .residents
        .unwrap();
    for _ in 0..5 {
        let error = residents.resident(&person()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unavailable { .. }));
    }
    assert_eq!(world.doubles.count(Route::Resident), 2);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(residents.resident(&person()).await, Ok(None));
    assert_eq!(world.doubles.count(Route::Resident), 3);
}

#[tokio::test]
async fn a_hundred_who_ask_at_the_same_time_cause_one_request() {
    let world = World::start().await;
    world.put(Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL").with("navn", json!("E")));
    world
        .doubles
        .faults()
        .once(Route::Unit, Fault::Delay(Duration::from_millis(100)));
    let organisations = world.registers("").organisations.unwrap();
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let organisations = organisations.clone();
            tokio::spawn(async move { organisations.organisation(&organisation()).await })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap().unwrap().name, "E");
    }
    assert_eq!(world.doubles.count(Route::Unit), 1);
}
