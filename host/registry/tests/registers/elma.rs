//! ELMA. Spec: service registry, 5.1 and 6.2.

use std::collections::BTreeSet;

use budstikke_doubles::{Content, Fault, Route};
use budstikke_message::identifier::{DocumentType, ProcessId};
use budstikke_registry::registers::RegisterError;

use crate::world::{
    ADMINISTRASJON, ARKIVMELDING, BARE, ORGANISATION, World, administrasjon, arkivmelding, organisation,
};

const AVTALT: &str = "urn:no:difi:avtalt:xsd::avtalt";

async fn ask(world: &World, document_types: &[DocumentType]) -> Result<BTreeSet<ProcessId>, RegisterError> {
    let registrations = world.registers(BARE).registrations.unwrap();
    let registered = registrations.by_document_type(&organisation(), document_types).await?;
    Ok(registered.into_values().flatten().collect())
}

#[tokio::test]
async fn an_organisation_is_registered_for_the_processes_of_its_document_types() {
    let world = World::start().await;
    world.put(Content::registration(
        ORGANISATION,
        ARKIVMELDING,
        &[ADMINISTRASJON, "urn:no:difi:profile:x:ver1.0"],
    ));
    world.put(Content::registration(
        ORGANISATION,
        AVTALT,
        &["urn:no:difi:profile:avtalt:avtalt:ver1.0"],
    ));
    let found = ask(&world, &[arkivmelding()]).await.unwrap();
    assert!(found.contains(&administrasjon()));
    assert!(!found.iter().any(|process| process.as_str().contains("avtalt")));
    assert_eq!(world.doubles.count(Route::ServiceMetadata), 1);
    let both = ask(&world, &[arkivmelding(), AVTALT.parse().unwrap()]).await.unwrap();
    assert!(both.len() > found.len());
}

#[tokio::test]
async fn a_receiver_is_asked_for_once_and_each_of_its_document_types_once() {
    let world = World::start().await;
    let agreed = "urn:no:difi:profile:avtalt:avtalt:ver1.0";
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    world.put(Content::registration(ORGANISATION, AVTALT, &[agreed]));
    let registrations = world.registers(BARE).registrations.unwrap();
    let (avtalt, other): (DocumentType, DocumentType) = (AVTALT.parse().unwrap(), "urn:other::x".parse().unwrap());
    let wanted = [arkivmelding(), avtalt.clone(), other];
    let found = registrations.by_document_type(&organisation(), &wanted).await.unwrap();
    assert_eq!(found.len(), 2);
    let registered = |of: &DocumentType, process: &str| found[of].contains(&process.parse::<ProcessId>().unwrap());
    assert!(registered(&arkivmelding(), ADMINISTRASJON) && registered(&avtalt, agreed));
    assert!(!registered(&arkivmelding(), agreed) && !registered(&avtalt, ADMINISTRASJON));
    assert_eq!(world.doubles.count(Route::ServiceGroup), 1);
    assert_eq!(world.doubles.count(Route::ServiceMetadata), 2);
}

#[tokio::test]
async fn names_are_encoded_whole_in_the_url() {
    let world = World::start().await;
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    ask(&world, &[arkivmelding()]).await.unwrap();
    let paths: Vec<_> = world
        .doubles
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    let participant = format!("/smp/iso6523-actorid-upis%3A%3A0192%3A{ORGANISATION}");
    let services = "services/busdox-docid-qns%3A%3Aurn%3Ano%3Adifi%3Aarkivmelding%3Axsd%3A%3Aarkivmelding";
    assert_eq!(paths, [participant.clone(), format!("{participant}/{services}")]);
}

#[tokio::test]
async fn who_is_unknown_or_registered_for_something_else_has_no_processes() {
    let world = World::start().await;
    assert!(ask(&world, &[arkivmelding()]).await.unwrap().is_empty());
    world.put(Content::registration(
        ORGANISATION,
        AVTALT,
        &["urn:no:difi:profile:avtalt:avtalt:ver1.0"],
    ));
    assert!(ask(&world, &[arkivmelding()]).await.unwrap().is_empty());
    assert_eq!(world.doubles.count(Route::ServiceMetadata), 0);
}

/// Sharp edge 3: upstream takes these for "not registered", and sends over another service.
#[tokio::test]
async fn a_register_that_is_down_never_re_routes() {
    let world = World::start().await;
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    for route in [Route::ServiceGroup, Route::ServiceMetadata] {
        for fault in [
            Fault::Status(500),
            Fault::AnswerLost,
            Fault::CutResponseBody { after: 50 },
        ] {
            world.doubles.faults().once(route, fault);
            let error = ask(&world, &[arkivmelding()]).await.unwrap_err();
            assert!(matches!(error, RegisterError::Unavailable { .. }), "{error}");
        }
    }
}

/// Sharp edge 3: upstream skips the document types behind one that fails.
#[tokio::test]
async fn one_document_type_that_fails_is_not_left_out_of_the_answer() {
    let world = World::start().await;
    world.put(Content::registration(ORGANISATION, ARKIVMELDING, &[ADMINISTRASJON]));
    world.put(Content::registration(
        ORGANISATION,
        AVTALT,
        &["urn:no:difi:profile:avtalt:avtalt:ver1.0"],
    ));
    world.doubles.faults().once(Route::ServiceMetadata, Fault::Status(503));
    assert!(ask(&world, &[arkivmelding(), AVTALT.parse().unwrap()]).await.is_err());
}
