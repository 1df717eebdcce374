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

/// Every answer of KRR: reserved, notifiable, and whether there is a mailbox in use. For each process and each way with paper, what
/// comes of it and by which rule.
///
/// | reserved | notifiable | mailbox in use | process | paper | unwanted | secret | rule |
#[rustfmt::skip]
const TABLE: &[(bool, bool, bool, &str, &str, &str, &str, &str)] = &[
    (false, true, true, INFORMASJON, DIGITAL, DIGITAL, DIGITAL, "digitalpost-mailbox"),
    (false, false, true, INFORMASJON, DIGITAL, DIGITAL, DIGITAL, "digitalpost-mailbox"),
    (true, true, true, INFORMASJON, DIGITAL, DIGITAL, DIGITAL, "digitalpost-mailbox"),
    (true, false, true, INFORMASJON, DIGITAL, DIGITAL, DIGITAL, "digitalpost-mailbox"),
    (false, true, false, INFORMASJON, BOTH, DPV, DPV, "digitalpost-no-mailbox"),
    (false, false, false, INFORMASJON, BOTH, DPV, DPV, "digitalpost-no-mailbox"),
    (true, true, false, INFORMASJON, BOTH, DPV, DPV, "digitalpost-no-mailbox"),
    (true, false, false, INFORMASJON, BOTH, DPV, DPV, "digitalpost-no-mailbox"),
    (false, true, true, VEDTAK, DIGITAL, DIGITAL, DIGITAL, "digitalpost-mailbox"),
    (false, true, false, VEDTAK, BOTH, DPV, DPV, "digitalpost-no-mailbox"),
    (true, true, true, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-reserved"),
    (true, true, false, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-reserved"),
    (true, false, true, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-reserved"),
    (true, false, false, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-reserved"),
    (false, false, true, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-not-notifiable"),
    (false, false, false, VEDTAK, PRINT, NOTHING, NOTHING, "digitalpost-not-notifiable"),
];

/// A mailbox is in use when there is one and the contact data is active.
const ACTIVE_AND_MAILBOX: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

/// Runs all rows; the rules that decided.
pub(super) async fn table() -> BTreeSet<String> {
    let mut decided = BTreeSet::new();
    for (reserved, notifiable, in_use, process, paper, unwanted, secret, rule) in TABLE {
        for (active, mailbox) in ACTIVE_AND_MAILBOX {
            if (active && mailbox) != *in_use {
                continue;
            }
            for (way, outcome) in [
                (Paper::Yes, paper),
                (Paper::Unwanted, unwanted),
                (Paper::Secret, secret),
            ] {
                let mut world = World::default();
                world.outside.contact = Some(contact(*reserved, *notifiable, active, mailbox));
                if let (Paper::Secret, Some(resident)) = (way, &mut world.outside.resident) {
                    resident.address = None;
                }
                let mut query = about(CITIZEN);
                query.print = !matches!(way, Paper::Unwanted);
                let asked = world.open();
                let came = ask(&asked, &query, process).await;
                let row = format!(
                    "{process}: reserved {reserved}, notifiable {notifiable}, active {active}, mailbox {mailbox}, paper {way:?}"
                );
                assert_eq!(
                    (came.outcome.as_str(), came.rule.as_deref()),
                    (*outcome, Some(*rule)),
                    "{row}"
                );
                let asks_freg = *paper != DIGITAL && query.print;
                assert_eq!(asked.outside.asked("FREG"), if asks_freg { 2 } else { 0 }, "{row}");
                decided.extend(came.rule);
            }
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

pub(super) fn citizen(reserved: bool, notifiable: bool, active: bool, mailbox: bool) -> World {
    let mut world = World::default();
    world.outside.contact = Some(contact(reserved, notifiable, active, mailbox));
    world
}

#[tokio::test]
async fn the_decision_table_of_citizens() {
    table().await;
}

#[tokio::test]
async fn the_router_of_digital_post() {
    // Spec: service registry, 9.8: reserved, notifiable, active, mailbox, obligatory.
    for (reserved, notifiable, active, mailbox, obligatory, outcome) in [
        (false, true, true, true, true, DIGITAL),
        (false, true, false, false, true, BOTH),
        (true, true, true, true, true, PRINT),
        (true, false, true, true, false, DIGITAL),
        (true, false, false, true, false, BOTH),
    ] {
        let asked = citizen(reserved, notifiable, active, mailbox).open();
        let process = if obligatory { VEDTAK } else { INFORMASJON };
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
    let mut world = citizen(true, true, true, true);
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
