//! How an answer came about, as people and programs read it.

use super::world::{CITIZEN, RECEIVER, World, about, contact, process};
use crate::data::OwnOrganisation;

#[tokio::test]
async fn a_trail_tells_every_rule_every_fact_and_who_said_so() {
    let mut world = World::default();
    world.outside.levels = vec![3];
    let asked = world.open();
    let mut query = about(RECEIVER);
    query.level = Some(3);
    let name = process("arkivmelding:administrasjon");
    let explained = asked
        .directory
        .explain(&query, Some(&name), &asked.caller)
        .await
        .unwrap();
    let expected = [
        "process urn:no:difi:profile:arkivmelding:administrasjon:ver1.0, category ARKIVMELDING",
        "rule arkivmelding-registered does not apply",
        "  registered-for-process: no, says ELMA",
        "rule arkivmelding-other-process-level-4 does not apply",
        "  registered-for-any: no, says ELMA",
        "rule arkivmelding-other-process does not apply",
        "  registered-for-any: no, says ELMA",
        "rule arkivmelding-outside-is-off does not apply",
        "  not feature enable-dpf-dpv: no, says the settings",
        "rule arkivmelding-receiver-system decides",
        "  receiver-system-at-level: yes, says SvarUt",
        "because the receiver is not registered, and has a system that fetches letters of this level",
        "record dpf: made, service DPF",
    ];
    assert_eq!(explained.processes[0].words(), expected);
    let json = serde_json::to_value(&explained).unwrap();
    let trail = &json["processes"][0];
    assert_eq!(trail["decidedBy"], "arkivmelding-receiver-system");
    assert_eq!(trail["rules"][4]["fate"], "decided");
    let seen = serde_json::json!({ "condition": "receiver-system-at-level", "met": true, "source": "SvarUt" });
    assert_eq!(trail["rules"][4]["conditions"][0], seen);
    assert_eq!(json["answer"]["serviceRecords"][0]["service"]["securityLevel"], 3);
}

#[tokio::test]
async fn own_data_and_registers_that_are_not_used_are_told_apart() {
    let name = process("arkivmelding:administrasjon");
    let source =
        |explained: &crate::lookup::Explanation| explained.processes[0].rules[0].conditions[0].source.to_string();
    let mut asked = World::default().open();
    asked.directory.registers.registrations = None;
    let explained = asked
        .directory
        .explain(&about(RECEIVER), Some(&name), &asked.caller)
        .await
        .unwrap();
    assert_eq!(source(&explained), "ELMA is not used here");

    let mut world = World::default();
    let own = OwnOrganisation {
        registrations: Some([name.clone()].into()),
        ..OwnOrganisation::default()
    };
    world.own.push((RECEIVER, own));
    let asked = world.open();
    let explained = asked
        .directory
        .explain(&about(RECEIVER), Some(&name), &asked.caller)
        .await
        .unwrap();
    assert_eq!(source(&explained), "own data");
}

#[tokio::test]
async fn a_register_that_is_down_ends_the_trail_where_it_was_needed() {
    let mut world = World::default();
    world.outside.down.insert("SvarUt");
    let asked = world.open();
    let name = process("arkivmelding:administrasjon");
    let explained = asked
        .directory
        .explain(&about(RECEIVER), Some(&name), &asked.caller)
        .await
        .unwrap();
    assert!(explained.answer.is_none());
    let trail = &explained.processes[0];
    assert_eq!((trail.rules.len(), trail.decided_by.as_deref()), (4, None));
    let reason = "whether receiver-system-at-level could not be found out: SvarUt cannot be asked: no answer in 5 s";
    assert_eq!(trail.reason, reason);
    assert_eq!(explained.left_out[0].process, name);
}

#[tokio::test]
async fn a_trail_about_a_citizen_holds_nothing_of_who_it_is() {
    let mut world = World::default();
    world.outside.contact = Some(contact(&["notifiable"]));
    let asked = world.open();
    let explained = asked
        .directory
        .explain(&about(CITIZEN), None, &asked.caller)
        .await
        .unwrap();
    assert_eq!(explained.processes.len(), 2);
    let trails = serde_json::to_string(&explained.processes).unwrap();
    let words: Vec<_> = explained
        .processes
        .iter()
        .flat_map(crate::rules::Trail::words)
        .collect();
    for secret in [
        CITIZEN,
        "Kari",
        "Prøve",
        "Testveien",
        "kari@example.no",
        "+4799999999",
        "kari.prove",
        "the caller's",
    ] {
        assert!(!trails.contains(secret) && !words.concat().contains(secret), "{secret}");
    }
    assert!(
        words.contains(&"record print: made, service DPI".to_owned()),
        "{words:#?}"
    );
}
