//! All processes of a receiver at once. Spec: service registry, 3.2, 9.9 and 10.10.

use super::sketch;
use super::world::{RECEIVER, World, about, certificate, process};
use crate::data::{OwnOrganisation, Snapshot};

#[tokio::test]
async fn registers_are_asked_once_for_all_processes() {
    let mut world = World::default();
    for short in [
        "arkivmelding:administrasjon",
        "arkivmelding:taushetsbelagt",
        "avtalt:avtalt",
        "einnsyn:innsynskrav",
    ] {
        world.outside.register(short);
    }
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert!(answer.left_out.is_empty());
    for (register, times) in [("BRREG", 1), ("ELMA", 1), ("virksert", 2), ("SvarUt", 1), ("KRR", 0)] {
        assert_eq!(asked.outside.asked(register), times, "{register}");
    }
}

#[tokio::test]
async fn records_come_in_the_order_arkivmelding_einnsyn_avtalt() {
    let mut world = World::default();
    for short in [
        "arkivmelding:administrasjon",
        "avtalt:avtalt",
        "einnsyn:innsynskrav",
        "einnsyn:journalpost",
    ] {
        world.outside.register(short);
    }
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    let records: Vec<_> = answer.records.iter().map(sketch).collect();
    let (letters, others) = records.split_at(11);
    assert_eq!(letters.iter().filter(|service| *service == "DPO").count(), 1);
    assert_eq!(letters.iter().filter(|service| *service == "DPV").count(), 10);
    assert_eq!(others, ["DPE", "DPE", "DPO"]);
    let names: Vec<_> = answer.records.iter().map(|record| record.process.as_str()).collect();
    let again = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert_eq!(
        names,
        again
            .records
            .iter()
            .map(|record| record.process.as_str())
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn one_process_of_two_is_registered() {
    // Spec: service registry, 9.9.
    let mut world = World::default();
    world.outside.register("arkivmelding:administrasjon");
    let asked = world.open();
    keep(
        &asked.directory,
        &["arkivmelding:administrasjon", "arkivmelding:skatterOgAvgifter"],
    );
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert_eq!(answer.records.iter().map(sketch).collect::<Vec<_>>(), ["DPO", "DPV"]);
    keep(&asked.directory, &[]);
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert!(answer.records.is_empty() && answer.left_out.is_empty());
}

fn keep(directory: &crate::lookup::Directory, wanted: &[&str]) {
    let mut data = Snapshot::with_default_processes().unwrap();
    data.processes
        .retain(|name, _| wanted.iter().any(|short| process(short) == *name));
    directory.data.store(std::sync::Arc::new(data));
}

#[tokio::test]
async fn avtalt_is_in_the_answer_about_all_processes() {
    // Spec: service registry, 10.1: the prefix of the organisation number was once put there twice.
    let mut world = World::default();
    world.outside.register("avtalt:avtalt");
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about("0192:910076787"), &asked.caller)
        .await
        .unwrap();
    let agreed = answer
        .records
        .iter()
        .find(|record| record.process == process("avtalt:avtalt").as_str());
    assert_eq!(agreed.map(sketch).as_deref(), Some("DPO"));
}

#[tokio::test]
async fn the_answer_about_all_processes_says_the_same_as_each_process_alone() {
    // A registration for one document type says nothing about processes with other ones, also when all are asked for together.
    for short in [
        "einnsyn:response",
        "avtalt:avtalt",
        "arkivmelding:taushetsbelagt",
        "einnsyn:meeting",
    ] {
        let mut world = World::default();
        world.outside.register(short);
        world.outside.levels = vec![3];
        world.outside.registrations.truncate(1);
        let asked = world.open();
        let all = asked
            .directory
            .identifier(&about(RECEIVER), &asked.caller)
            .await
            .unwrap();
        let mut alone = Vec::new();
        for name in asked.directory.data.load().processes.keys() {
            let answer = asked.directory.process(&about(RECEIVER), name, &asked.caller).await;
            alone.extend(answer.into_iter().flat_map(|answer| answer.records));
        }
        let mut together: Vec<_> = all
            .records
            .iter()
            .map(|record| (record.process.clone(), sketch(record)))
            .collect();
        together.sort();
        let alone: Vec<_> = alone
            .iter()
            .map(|record| (record.process.clone(), sketch(record)))
            .collect();
        assert_eq!(together, alone, "{short}");
    }
}

#[tokio::test]
async fn what_is_kept_here_asks_nobody() {
    let mut world = World::default();
    world.own.push((
        RECEIVER,
        OwnOrganisation {
            name: Some("Egen".to_owned()),
            form: Some("KOMM".to_owned()),
            address: Some(super::world::address("Egen vei 1")),
            registrations: Some([process("arkivmelding:administrasjon")].into()),
            certificates: [("DPO".to_owned(), certificate("own"))].into(),
            ..OwnOrganisation::default()
        },
    ));
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert_eq!(answer.info.organization_name.as_deref(), Some("Egen"));
    let first = &answer.records[0];
    assert_eq!(
        (sketch(first).as_str(), &first.pem_certificate),
        ("DPO", &Some(certificate("own").to_pem()))
    );
    assert_eq!(sketch(&answer.records[1]), "DPV");
    for register in ["BRREG", "ELMA", "virksert"] {
        assert_eq!(asked.outside.asked(register), 0, "{register}");
    }
}

#[tokio::test]
async fn what_is_not_kept_here_is_asked_outside() {
    let mut world = World::default();
    let own = OwnOrganisation {
        name: Some("Egen".to_owned()),
        ..OwnOrganisation::default()
    };
    world.own.push((RECEIVER, own.clone()));
    world.outside.register("arkivmelding:administrasjon");
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    assert_eq!(answer.info.organization_name.as_deref(), Some("Egen"));
    assert_eq!(answer.info.entity_type.unwrap().name, "ORGL");
    assert_eq!(sketch(&answer.records[0]), "DPO");

    let mut world = World::default();
    world.own.push((RECEIVER, own));
    world.outside.down.insert("BRREG");
    let asked = world.open();
    let info = asked
        .directory
        .info(&about(RECEIVER), &asked.caller.token)
        .await
        .unwrap();
    assert_eq!(info.organization_name.as_deref(), Some("Egen"));
    assert!(info.entity_type.is_none());
}

#[tokio::test]
async fn a_closed_network_lives_from_its_own_data() {
    let mut world = World::default();
    let own = OwnOrganisation {
        registrations: Some([process("avtalt:avtalt")].into()),
        certificates: [("DPO".to_owned(), certificate("own"))].into(),
        ..OwnOrganisation::default()
    };
    world.own.push((RECEIVER, own));
    let mut asked = world.open();
    asked.directory.registers = crate::lookup::Registers::default();
    let came = super::ask(&asked, &about(RECEIVER), "avtalt:avtalt").await;
    assert_eq!(came.outcome, "DPO");
    assert_eq!(
        super::ask(&asked, &about("974760673"), "avtalt:avtalt").await.outcome,
        "unknown receiver"
    );
}
