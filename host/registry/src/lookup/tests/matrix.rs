//! Each process of the mission with each kind of receiver: who is reached, and how.
//!
//! The tables beside this one have a row for each rule; this one shows what comes of the rules, and that no process and no kind of
//! receiver was forgotten.

use std::collections::BTreeSet;

use budstikke_message::identifier::ProcessId;

use super::ask_in;
use super::world::{ACCOUNT, CITIZEN, RECEIVER, World, about, contact, process};
use crate::data::Snapshot;

/// A mission of eFormidling with its processes, as they are called between `urn:no:difi:profile:` and `:ver1.0`.
type Mission = (&'static str, &'static [&'static str]);

const SAKSBEHANDLING: Mission = ("Saksbehandling", super::organisations::SAKSBEHANDLING);
const RECEIPTS: Mission = ("Kvittering på saksbehandling", &["arkivmelding:response"]);
const TAUSHETSBELAGT: Mission = ("Taushetsbelagt saksbehandling", &["arkivmelding:taushetsbelagt"]);
const INNSYNSKRAV: Mission = ("Innsynskrav", &["einnsyn:innsynskrav", "einnsyn:response"]);
const POSTJOURNAL: Mission = ("Postjournal", &["einnsyn:journalpost"]);
const MOETEKALENDER: Mission = ("Møtekalender", &["einnsyn:meeting"]);
const INFORMASJON: Mission = ("Informasjon til innbygger", &["digitalpost:info"]);
const VEDTAK: Mission = ("Vedtak til innbygger", &["digitalpost:vedtak"]);
const AVTALT: Mission = ("Avtalt", &["avtalt:avtalt", "avtalt:response"]);
const HELSE: Mission = ("Dialogmelding", &["helse:helse", "helse:response"]);
/// The process is the name of a protocol, and stands in no table.
const FIKS_IO: Mission = ("FIKS IO", &[]);
const PROTOCOL: &str = "no.ks.fiks.arkiv.v1";

const MISSIONS: [Mission; 11] = [
    SAKSBEHANDLING,
    RECEIPTS,
    TAUSHETSBELAGT,
    INNSYNSKRAV,
    POSTJOURNAL,
    MOETEKALENDER,
    INFORMASJON,
    VEDTAK,
    AVTALT,
    HELSE,
    FIKS_IO,
];

/// A kind of receiver.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A public body with an integrasjonspunkt, registered for letters and avtalt.
    PublicWithDpo,
    /// A public body that fetches its letters from SvarUt.
    PublicWithDpf,
    /// Takes requests and publications of eInnsyn, and letters only in its mailbox.
    EInnsyn,
    /// A private business: registered nowhere.
    Business,
    /// With a digital mailbox in use, and not reserved.
    CitizenWithMailbox,
    /// Known in KRR, without a mailbox.
    CitizenWithoutMailbox,
    /// With a mailbox, but reserved against digital decisions.
    CitizenReserved,
    /// Not in KRR.
    CitizenUnknownInKrr,
    /// An account of FIKS IO that takes messages.
    FiksAccount,
    /// An office of the health service.
    HealthUnit,
    /// Somebody's general practitioner.
    Fastlege,
    /// A number that nobody has.
    Nobody,
}
use Kind::{
    Business, CitizenReserved, CitizenUnknownInKrr, CitizenWithMailbox, CitizenWithoutMailbox, EInnsyn, Fastlege,
    FiksAccount, HealthUnit, Nobody, PublicWithDpf, PublicWithDpo,
};

/// The receiver does not take it.
const NO: &str = "not accepted";
/// No such process.
const NONE: &str = "unknown process";
const NOBODY: &str = "unknown receiver";
const DIGITAL: &str = "DPI digital";
const PAPER: &str = "DPI print";
const BOTH: &str = "DPI print + DPV digital_dpv";

/// What comes of each mission, in the order of [`MISSIONS`].
#[rustfmt::skip]
const TABLE: [(Kind, [&str; 11]); 12] = [
    //                      Saksb.   Kvitt.   Taush.   Innsyn  Journal Møte    Info     Vedtak   Avtalt   Helse    FIKS IO
    (PublicWithDpo,         ["DPO",   "DPO",   "DPO",   NO,     NO,     NO,     NO,      NO,      "DPO",   NO,      NONE]),
    (PublicWithDpf,         ["DPF 3", "DPF 3", "DPF 3", NO,     NO,     NO,     NO,      NO,      NO,      NO,      NONE]),
    (EInnsyn,               ["DPV",   NO,      "DPV",   "DPE",  "DPE",  "DPE",  NO,      NO,      NO,      NO,      NONE]),
    (Business,              ["DPV",   NO,      "DPV",   NO,     NO,     NO,     NO,      NO,      NO,      NO,      NONE]),
    (CitizenWithMailbox,    [NO,      NO,      NO,      NO,     NO,     NO,     DIGITAL, DIGITAL, NO,      NO,      NONE]),
    (CitizenWithoutMailbox, [NO,      NO,      NO,      NO,     NO,     NO,     BOTH,    BOTH,    NO,      NO,      NONE]),
    (CitizenReserved,       [NO,      NO,      NO,      NO,     NO,     NO,     DIGITAL, PAPER,   NO,      NO,      NONE]),
    (CitizenUnknownInKrr,   [NO,      NO,      NO,      NO,     NO,     NO,     BOTH,    PAPER,   NO,      NO,      NONE]),
    (FiksAccount,           ["DPFIO"; 11]),
    (HealthUnit,            ["DPH",   "DPH",   "DPH",   "DPH",  "DPH",  "DPH",  "DPH",   "DPH",   "DPH",   "DPH",   NONE]),
    (Fastlege,              ["DPH",   "DPH",   "DPH",   "DPH",  "DPH",  "DPH",  "DPH",   "DPH",   "DPH",   "DPH",   NONE]),
    (Nobody,                [NOBODY; 11]),
];

impl Kind {
    fn identifier(self) -> &'static str {
        match self {
            PublicWithDpo | PublicWithDpf | EInnsyn | Business => RECEIVER,
            CitizenWithMailbox | CitizenWithoutMailbox | CitizenReserved | CitizenUnknownInKrr => CITIZEN,
            FiksAccount => ACCOUNT,
            HealthUnit => "her-id:1234567",
            Fastlege => "fastlege-for:05839012391",
            Nobody => "974760673",
        }
    }

    fn world(self) -> World {
        let mut world = World::default();
        let outside = &mut world.outside;
        let mut registered = |missions: &[Mission]| {
            let processes = missions.iter().flat_map(|(_, processes)| *processes);
            processes.for_each(|short| outside.register(short));
        };
        match self {
            PublicWithDpo => registered(&[SAKSBEHANDLING, RECEIPTS, TAUSHETSBELAGT, AVTALT]),
            EInnsyn => registered(&[INNSYNSKRAV, POSTJOURNAL, MOETEKALENDER]),
            PublicWithDpf => outside.levels = vec![3],
            CitizenWithMailbox => outside.contact = Some(contact(&["notifiable", "active", "mailbox"])),
            CitizenWithoutMailbox => outside.contact = Some(contact(&["notifiable", "active"])),
            CitizenReserved => outside.contact = Some(contact(&["reserved", "notifiable", "active", "mailbox"])),
            Business | CitizenUnknownInKrr | FiksAccount | HealthUnit | Fastlege | Nobody => {}
        }
        world
    }
}

fn processes((name, listed): Mission) -> Vec<ProcessId> {
    if name == FIKS_IO.0 {
        return vec![PROTOCOL.parse().unwrap()];
    }
    listed.iter().map(|short| process(short)).collect()
}

#[tokio::test]
async fn each_process_of_the_mission_with_each_kind_of_receiver() {
    for (kind, outcomes) in TABLE {
        let asked = kind.world().open();
        let mut query = about(kind.identifier());
        query.beta = true;
        for (mission, outcome) in MISSIONS.into_iter().zip(outcomes) {
            for name in processes(mission) {
                let came = ask_in(&asked, &query, &name).await;
                assert_eq!(came.outcome, outcome, "{} ({name}) to {kind:?}", mission.0);
            }
        }
    }
}

#[test]
fn no_documented_process_is_forgotten() {
    let documented: BTreeSet<ProcessId> = Snapshot::with_default_processes()
        .unwrap()
        .processes
        .into_keys()
        .collect();
    let listed = MISSIONS.into_iter().filter(|(name, _)| *name != FIKS_IO.0);
    let listed: BTreeSet<ProcessId> = listed.flat_map(processes).collect();
    assert_eq!(listed, documented);
}
