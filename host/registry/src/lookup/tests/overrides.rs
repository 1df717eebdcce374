//! What operators decide comes before all rules.

use super::ask;
use super::world::{RECEIVER, World, about, process};
use crate::data::{Override, OverrideDecision, OwnOrganisation};

const LETTERS: &str = "arkivmelding:administrasjon";

/// Reads `only DPV`, `never DPO` or `closed`, perhaps with ` for <process>` behind it.
fn decision(text: &str) -> Override {
    let (what, process_of) = text
        .split_once(" for ")
        .map_or((text, None), |(what, short)| (what, Some(short)));
    let decision = match what.split_once(' ') {
        Some(("only", service)) => OverrideDecision::Only(service.parse().unwrap()),
        Some(("never", service)) => OverrideDecision::Never(service.parse().unwrap()),
        _ => OverrideDecision::Closed,
    };
    Override {
        process: process_of.map(process),
        decision,
        reason: "agreed by telephone".to_owned(),
    }
}

fn world(decisions: &[&str]) -> World {
    let mut world = World::default();
    let own = OwnOrganisation {
        overrides: decisions.iter().map(|text| decision(text)).collect(),
        ..OwnOrganisation::default()
    };
    world.own.push((RECEIVER, own));
    world
}

type Row = (&'static [&'static str], bool, &'static [u8], Option<u8>, &'static str);

/// Decisions, whether it is registered in ELMA, SvarUt's levels, level that is asked for, what comes of it.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    (&["never DPO"], true, &[], None, "DPV"),
    (&["never DPO"], true, &[], Some(4), "not accepted"),
    (&["never DPF"], false, &[3], None, "DPV"),
    (&["never DPF", "never DPV"], false, &[3], None, "not accepted"),
    (&["only DPO"], false, &[3], None, "DPO"),
    (&["only DPV"], true, &[], None, "DPV"),
    (&["only DPV"], true, &[], Some(4), "level refused"),
    (&["only DPF"], true, &[3], None, "DPF 3"),
    (&["only DPF"], true, &[], None, "DPF"),
    (&["only DPF"], true, &[3], Some(4), "level refused"),
    (&["only DPE"], true, &[], None, "not accepted"),
    (&["closed"], true, &[], None, "not accepted"),
    (&["closed for arkivmelding:administrasjon"], true, &[], None, "not accepted"),
    (&["closed for avtalt:avtalt"], true, &[], None, "DPO"),
    // What is decided for the process comes before what is decided for all.
    (&["closed", "only DPV for arkivmelding:administrasjon"], true, &[], None, "DPV"),
    (&["only DPO", "never DPO for arkivmelding:administrasjon"], true, &[], None, "not accepted"),
];

#[tokio::test]
async fn an_operators_decision_comes_before_all_rules() {
    for (decisions, registered, levels, level, outcome) in TABLE {
        let mut world = world(decisions);
        if *registered {
            world.outside.register(LETTERS);
        }
        world.outside.levels = levels.to_vec();
        let mut query = about(RECEIVER);
        query.level = *level;
        let came = ask(&world.open(), &query, LETTERS).await;
        let row = format!("{decisions:?}, registered {registered}, SvarUt {levels:?}, level {level:?}");
        assert_eq!(came.outcome, *outcome, "{row}");
    }
}

#[tokio::test]
async fn the_trail_tells_what_the_operator_decided_and_why() {
    let mut world = world(&["never DPO"]);
    world.outside.register(LETTERS);
    let asked = world.open();
    let explained = asked
        .directory
        .explain(&about(RECEIVER), Some(&process(LETTERS)), &asked.caller)
        .await
        .unwrap();
    let words = explained.processes[0].words();
    assert!(
        words.contains(&"an operator decided: never DPO (agreed by telephone)".to_owned()),
        "{words:#?}"
    );
    assert!(
        words.contains(&"rule arkivmelding-registered is passed over, because of the operator's decision".to_owned()),
        "{words:#?}"
    );
}

#[tokio::test]
async fn closed_asks_no_register() {
    let asked = world(&["closed"]).open();
    let came = ask(&asked, &about(RECEIVER), LETTERS).await;
    assert_eq!((came.outcome.as_str(), came.rule), ("not accepted", None));
    assert_eq!((asked.outside.asked("ELMA"), asked.outside.asked("SvarUt")), (0, 0));
}

#[tokio::test]
async fn a_rule_about_who_is_not_registered_says_nothing_after_an_operators_decision() {
    let asked = world(&["only DPV"]).open();
    let name = process("avtalt:avtalt");
    let explained = asked
        .directory
        .explain(&about(RECEIVER), Some(&name), &asked.caller)
        .await
        .unwrap();
    let trail = &explained.processes[0];
    assert_eq!(
        (trail.decided_by.as_deref(), trail.reason.as_str()),
        (None, "no rule is left after the operator's decision")
    );
    assert!(
        trail
            .rules
            .iter()
            .all(|tried| tried.fate == crate::rules::Fate::PassedOver)
    );
    assert_eq!(asked.outside.asked("ELMA"), 0);
}

#[tokio::test]
async fn the_reason_tells_when_a_decision_is_why_a_rule_decides() {
    for (decisions, registered, levels, reason) in [
        (
            &["never DPO"][..],
            true,
            &[][..],
            "the operator's decision (never DPO) left this rule: the receiver is registered for other processes of this \
             kind, so letters in this one go to its mailbox",
        ),
        (
            &["only DPO"],
            false,
            &[],
            "the operator's decision (only DPO) left this rule: the receiver is registered for this process",
        ),
        // It would have been so anyway.
        (
            &["never DPE"],
            false,
            &[3],
            "the receiver is not registered, and has a system that fetches letters of this level",
        ),
    ] {
        let mut world = world(decisions);
        if registered {
            world.outside.register(LETTERS);
        }
        world.outside.levels = levels.to_vec();
        let asked = world.open();
        let explained = asked
            .directory
            .explain(&about(RECEIVER), Some(&process(LETTERS)), &asked.caller)
            .await
            .unwrap();
        assert_eq!(explained.processes[0].reason, reason, "{decisions:?}");
    }
}
