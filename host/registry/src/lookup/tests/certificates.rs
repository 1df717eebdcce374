//! `/virksert`. Spec: service registry, 3.5.

use std::collections::BTreeSet;

use super::world::{RECEIVER, World, certificate, self_signed};
use crate::data::OwnOrganisation;
use crate::lookup::LookupError;

#[tokio::test]
async fn scopes_choose_the_certificate() {
    let mut world = World::default();
    world.outside.certificates.insert("DPE", certificate("for einnsyn"));
    let asked = world.open();
    let number = RECEIVER.parse().unwrap();
    for (scopes, expected) in [
        (&["eformidling:dpo"][..], Some("receiver")),
        (&["move/dpe.read"], Some("for einnsyn")),
        (&[], Some("receiver")),
        (&["eformidling:dpi"], Some("receiver")),
        (&["eformidling:dpo", "eformidling:dpe"], None),
    ] {
        let scopes: BTreeSet<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        match (asked.directory.certificate(&number, &scopes).await, expected) {
            (Ok(found), Some(name)) => assert!(found == certificate(name), "{scopes:?}"),
            (Err(LookupError::CertificatesDiffer { uses, .. }), None) => assert_eq!(uses, "DPO and DPE"),
            (Ok(_), None) => panic!("{scopes:?}"),
            (Err(error), _) => panic!("{scopes:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_same_certificate_for_both_uses_is_one() {
    let asked = World::default().open();
    let scopes = asked.directory.rules.all_scopes();
    let found = asked
        .directory
        .certificate(&RECEIVER.parse().unwrap(), &scopes)
        .await
        .unwrap();
    assert!(found == certificate("receiver"));
}

#[tokio::test]
async fn a_certificate_that_is_kept_here_comes_first_while_it_is_valid() {
    for (until, expected) in [(2048, "own"), (2021, "outside")] {
        let mut world = World::default();
        let own = OwnOrganisation {
            certificates: [("DPO".to_owned(), self_signed("own", until))].into(),
            ..OwnOrganisation::default()
        };
        world.own.push((RECEIVER, own));
        world.outside.certificates.insert("DPO", certificate("outside"));
        let asked = world.open();
        let scopes = BTreeSet::new();
        let found = asked
            .directory
            .certificate(&RECEIVER.parse().unwrap(), &scopes)
            .await
            .unwrap();
        assert_eq!(found.subject(), format!("CN={expected}"));
    }
}

#[tokio::test]
async fn a_missing_certificate_names_use_and_organisation() {
    let mut world = World::default();
    world.outside.certificates.clear();
    let asked = world.open();
    let number = RECEIVER.parse().unwrap();
    let error = asked
        .directory
        .certificate(&number, &BTreeSet::new())
        .await
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "Unable to find DPO certificate for: 910076787");
}
