//! Information and decisions to citizens. Spec: service registry, 5.5 and 9.8.

use std::collections::BTreeSet;

use super::ask;
use super::world::{CITIZEN, RECEIVER, World, about, contact};

pub(super) const INFORMASJON: &str = "digitalpost:info";
pub(super) const VEDTAK: &str = "digitalpost:vedtak";

const DIGITAL: &str = "DPI digital";
const PRINT: &str = "DPI print";
const BOTH: &str = "DPI print + DPV digital_dpv";
const DPV: &str = "DPV digital_dpv";
const NOTHING: &str = "not accepted";

/// Whether letters are of interest, and where the citizen lives.
#[derive(Debug, Clone, Copy)]
enum Paper {
    /// They are, and the address is known.
    Yes,
    /// They are not.
    Unwanted,
    /// They are, and the address is secret.
    Secret,
}

/// What KRR says, the process, what comes of it when letters are wanted, when they are not, and when the address is secret, and by which
/// rule. A mailbox counts when the contact data is active too.
type Row = (&'static [&'static str], &'static str, [&'static str; 3], &'static str);

/// Every answer of KRR, for both processes.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    (&["notifiable", "active", "mailbox"], INFORMASJON, [DIGITAL, DIGITAL, DIGITAL], "digitalpost-mailbox"),
    (&["active", "mailbox"], INFORMASJON, [DIGITAL, DIGITAL, DIGITAL], "digitalpost-mailbox"),
    (&["reserved", "notifiable", "active", "mailbox"], INFORMASJON, [DIGITAL, DIGITAL, DIGITAL], "digitalpost-mailbox"),
    (&["reserved", "active", "mailbox"], INFORMASJON, [DIGITAL, DIGITAL, DIGITAL], "digitalpost-mailbox"),
    (&["notifiable", "active", "mailbox"], VEDTAK, [DIGITAL, DIGITAL, DIGITAL], "digitalpost-mailbox"),
    (&["reserved", "notifiable", "active", "mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["reserved", "active", "mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["active", "mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-not-notifiable"),
    (&["notifiable", "active"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["active"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable", "active"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "active"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["notifiable", "active"], VEDTAK, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable", "active"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["reserved", "active"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["active"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-not-notifiable"),
    (&["notifiable", "mailbox"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["mailbox"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable", "mailbox"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "mailbox"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["notifiable", "mailbox"], VEDTAK, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable", "mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["reserved", "mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["mailbox"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-not-notifiable"),
    (&["notifiable"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&[], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved"], INFORMASJON, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["notifiable"], VEDTAK, [BOTH, DPV, DPV], "digitalpost-no-mailbox"),
    (&["reserved", "notifiable"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&["reserved"], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-reserved"),
    (&[], VEDTAK, [PRINT, NOTHING, NOTHING], "digitalpost-not-notifiable"),
];

/// Runs all rows; the rules that decided.
pub(super) async fn table() -> BTreeSet<String> {
    let mut decided = BTreeSet::new();
    for (words, process, outcomes, rule) in TABLE {
        for (way, outcome) in [Paper::Yes, Paper::Unwanted, Paper::Secret].into_iter().zip(outcomes) {
            let mut world = citizen(words);
            if let (Paper::Secret, Some(resident)) = (way, &mut world.outside.resident) {
                resident.address = None;
            }
            let mut query = about(CITIZEN);
            query.print = !matches!(way, Paper::Unwanted);
            let asked = world.open();
            let came = ask(&asked, &query, process).await;
            let row = format!("{process}: {words:?}, paper {way:?}");
            assert_eq!(
                (came.outcome.as_str(), came.rule.as_deref()),
                (*outcome, Some(*rule)),
                "{row}"
            );
            let asks_freg = outcomes[0] != DIGITAL && query.print;
            assert_eq!(asked.outside.asked("FREG"), if asks_freg { 2 } else { 0 }, "{row}");
            decided.extend(came.rule);
        }
    }
    let asked = without_scope().open();
    let came = ask(&asked, &about(CITIZEN), VEDTAK).await;
    assert_eq!(came.outcome, "scope refused");
    assert_eq!(asked.outside.asked("KRR"), 0);
    decided.extend(came.rule);
    decided
}

fn without_scope() -> World {
    World {
        scopes: Some(BTreeSet::from(["eformidling:dpo".to_owned()])),
        ..World::default()
    }
}

pub(super) fn citizen(words: &[&str]) -> World {
    let mut world = World::default();
    world.outside.contact = Some(contact(words));
    world
}

#[tokio::test]
async fn the_decision_table_of_citizens() {
    table().await;
}

#[tokio::test]
async fn the_router_of_digital_post() {
    // Spec: service registry, 9.8; the last column of it is the process.
    for (words, process, outcome) in [
        (&["notifiable", "active", "mailbox"][..], VEDTAK, DIGITAL),
        (&["notifiable"], VEDTAK, BOTH),
        (&["reserved", "notifiable", "active", "mailbox"], VEDTAK, PRINT),
        (&["reserved", "active", "mailbox"], INFORMASJON, DIGITAL),
        (&["reserved", "mailbox"], INFORMASJON, BOTH),
    ] {
        let asked = citizen(words).open();
        assert_eq!(ask(&asked, &about(CITIZEN), process).await.outcome, outcome);
    }
}

#[tokio::test]
async fn whom_krr_does_not_have_is_not_registered() {
    let asked = World::default().open();
    assert_eq!(ask(&asked, &about(CITIZEN), VEDTAK).await.outcome, PRINT);
    assert_eq!(ask(&asked, &about(CITIZEN), INFORMASJON).await.outcome, BOTH);
}

#[tokio::test]
async fn a_digital_post_process_of_neither_list_is_not_guessed_at() {
    let mut world = citizen(&["reserved", "notifiable", "active", "mailbox"]);
    world.settings.decisions.clear();
    let asked = world.open();
    let outcome = ask(&asked, &about(CITIZEN), VEDTAK).await.outcome;
    assert!(
        outcome.contains("listed neither as information nor as decisions"),
        "{outcome}"
    );
}

#[tokio::test]
async fn citizens_do_not_take_letters_between_organisations_nor_organisations_digital_post() {
    let asked = World::default().open();
    let outcome = ask(&asked, &about(CITIZEN), "arkivmelding:administrasjon")
        .await
        .outcome;
    assert_eq!(outcome, "not accepted");
    assert_eq!(ask(&asked, &about(RECEIVER), VEDTAK).await.outcome, "not accepted");
    for register in ["ELMA", "SvarUt", "KRR"] {
        assert_eq!(asked.outside.asked(register), 0, "{register}");
    }
}

#[tokio::test]
async fn citizens_are_not_asked_for_where_krr_is_not_used() {
    let mut asked = World::default().open();
    asked.directory.registers.contacts = None;
    let outcome = ask(&asked, &about(CITIZEN), INFORMASJON).await.outcome;
    assert!(outcome.contains("only where KRR is used"), "{outcome}");
}

#[tokio::test]
async fn who_may_not_ask_for_citizens_gets_no_empty_list() {
    let asked = without_scope().open();
    let error = asked
        .directory
        .identifier(&about(CITIZEN), &asked.caller)
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "the token has none of the scopes eformidling:dpi, move/dpi.read"
    );
}
