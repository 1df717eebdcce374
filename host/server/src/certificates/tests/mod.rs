//! Certificates of a real authority, made and judged by `openssl`.

mod authority;

use std::sync::Arc;

use authority::{List, Responder, TestAuthority};
use jiff::SignedDuration;

use super::revocation::Standing;
use super::*;
use crate::config::Revocation;
use crate::registry::{Addresses, DigitalAddress};

const RECEIVER: &str = "910076787";

fn checks(authority: &TestAuthority, revocation: Revocation) -> Checks {
    let settings = config::Certificates {
        trust_anchors: vec![authority.path("ca.pem")],
        revocation,
        private_networks: true,
        ..config::Certificates::default()
    };
    Checks::new(&settings).unwrap()
}

fn of(organisation: &str) -> Whose {
    Whose::of(&Capability::default(), Some(organisation))
}

async fn checked(checks: &Checks, certificate: &Certificate) -> Result<(), Fault> {
    checks.check(certificate.der(), &of(RECEIVER)).await
}

#[tokio::test]
async fn a_certificate_that_its_authority_stands_by_is_taken_and_asked_about_once() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    let checks = checks(&authority, Revocation::Require);
    let all = futures::future::join_all((0..10).map(|_| checked(&checks, &leaf))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(authority.asked(), (1, 0));
}

#[tokio::test]
async fn a_certificate_that_was_called_back_is_refused() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    authority.revoke("leaf");
    for policy in [Revocation::Prefer, Revocation::Require] {
        let checks = checks(&authority, policy);
        assert_eq!(checked(&checks, &leaf).await, Err(Fault::Revoked));
    }
    assert_eq!(authority.asked(), (2, 0));
    let off = checks(&authority, Revocation::Off);
    assert_eq!(checked(&off, &leaf).await, Ok(()), "nobody is asked");
    assert_eq!(authority.asked(), (2, 0));
}

#[tokio::test]
async fn where_the_responder_cannot_tell_the_list_does() {
    let authority = TestAuthority::new().await;
    let (good, bad) = (
        authority.issue("good", "leaf", RECEIVER),
        authority.issue("bad", "leaf", RECEIVER),
    );
    authority.revoke("bad");
    for responder in [Responder::Away, Responder::Strange] {
        authority.responds(responder);
        let (_, before) = authority.asked();
        let checks = checks(&authority, Revocation::Require);
        assert_eq!(checked(&checks, &good).await, Ok(()), "{responder:?}");
        assert_eq!(checked(&checks, &bad).await, Err(Fault::Revoked), "{responder:?}");
        assert_eq!(authority.asked().1, before + 1, "one list answers for both");
    }
}

/// Many certificates that are checked at the same time.
async fn all_checked(checks: &Checks, certificates: &[Certificate]) -> Vec<Result<(), Fault>> {
    futures::future::join_all(certificates.iter().map(|one| checked(checks, one))).await
}

#[tokio::test]
async fn one_list_is_fetched_for_all_who_wait_for_it() {
    let authority = TestAuthority::new().await;
    let leaves: Vec<Certificate> = (0..4)
        .map(|number| authority.issue(&format!("leaf{number}"), "leaf", RECEIVER))
        .collect();
    authority.responds(Responder::Away);
    let good = checks(&authority, Revocation::Require);
    assert!(all_checked(&good, &leaves).await.iter().all(Result::is_ok));
    assert_eq!(authority.asked().1, 1);
    authority.lists(List::Away);
    let bad = checks(&authority, Revocation::Require);
    assert!(all_checked(&bad, &leaves).await.iter().all(Result::is_err));
    assert_eq!(authority.asked().1, 2, "one failure is the failure of all of them");
}

#[tokio::test]
async fn a_list_that_the_authority_did_not_sign_is_not_kept() {
    let (authority, other) = (TestAuthority::new().await, TestAuthority::new().await);
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    authority.responds(Responder::Away);
    authority.lists(List::Of(other.path("")));
    let pem = std::fs::read(authority.path("ca.pem")).unwrap();
    let anchors = Anchors::new(Certificate::all_from_pem(&pem).unwrap()).unwrap();
    let now = Timestamp::now();
    let issuer = anchors.vouching(leaf.der(), now).unwrap();
    let asked = Arc::new(super::authority::Authority::new(true).unwrap());
    let lists = crl::Lists::default();
    let url = Extensions::of(leaf.der()).unwrap().lists.remove(0);
    let look = async |now: Timestamp| lists.look(&asked, &url, &leaf, issuer, now).await;
    assert!(look(now).await.is_err());
    authority.lists(List::There);
    assert!(look(now).await.is_err(), "it is not asked again at once");
    // A list that was kept would stand in the way for its thirty days.
    let soon = now + SignedDuration::from_mins(2);
    let told = look(soon).await.unwrap();
    assert_eq!(told.standing, Standing::Good);
    let days = (told.until - soon).get_seconds() / 86_400;
    assert_eq!(days, 7, "no list is kept for longer, this one says thirty days");
    assert_eq!(authority.asked().1, 2);
}

#[tokio::test]
async fn an_authority_that_hangs_does_not_hold_a_message_for_long() {
    let authority = TestAuthority::new().await;
    let leaves = [
        authority.issue("leaf", "leaf", RECEIVER),
        authority.issue("other", "leaf", RECEIVER),
    ];
    authority.responds(Responder::Hangs);
    authority.lists(List::Hangs);
    let mut require = checks(&authority, Revocation::Require);
    let patience = std::time::Duration::from_millis(500);
    require.revocations.as_mut().unwrap().patient_for(patience);
    let began = std::time::Instant::now();
    for fault in all_checked(&require, &leaves).await {
        let fault = fault.unwrap_err();
        assert!(fault.to_string().contains("nobody answered within 0.5 s"), "{fault}");
    }
    assert!(
        began.elapsed() < std::time::Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    let asked = authority.asked();
    assert!(checked(&require, &leaves[0]).await.is_err());
    assert_eq!(authority.asked(), asked, "it is not asked again at once");
}

#[tokio::test]
async fn a_check_that_went_well_is_not_made_again_until_its_answer_is_old() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    let mut checks = checks(&authority, Revocation::Require);
    assert_eq!(checked(&checks, &leaf).await, Ok(()));
    // Whoever looks at the chain again finds nobody who vouches for it.
    let other = std::fs::read(TestAuthority::new().await.path("ca.pem")).unwrap();
    checks.anchors = Anchors::new(Certificate::all_from_pem(&other).unwrap()).unwrap();
    assert_eq!(checked(&checks, &leaf).await, Ok(()));
    let belongs = checks.check(leaf.der(), &of("974720760")).await;
    assert!(matches!(belongs, Err(Fault::OtherOrganisation { .. })), "{belongs:?}");

    let key = Checked::new(leaf.der(), &of(RECEIVER));
    let now = Timestamp::now();
    assert!(checks.remembered.holds(&key, now + SignedDuration::from_mins(3)));
    assert!(
        !checks.remembered.holds(&key, now + SignedDuration::from_mins(6)),
        "the responder said five minutes"
    );
}

#[tokio::test]
async fn what_it_means_that_nobody_can_tell_is_a_setting() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    authority.responds(Responder::Away);
    authority.lists(List::Away);
    assert_eq!(checked(&checks(&authority, Revocation::Prefer), &leaf).await, Ok(()));
    let require = checks(&authority, Revocation::Require);
    let fault = checked(&require, &leaf).await.unwrap_err();
    assert!(
        matches!(&fault, Fault::CannotTell(why) if why.contains("503") && why.contains("404")),
        "{fault}"
    );
    assert!(fault.may_pass());
    let asked = authority.asked();
    assert!(checked(&require, &leaf).await.is_err());
    assert_eq!(authority.asked(), asked, "it is not asked again at once");

    let silent = authority.issue("silent", "bare", RECEIVER);
    let fault = checked(&require, &silent).await.unwrap_err();
    assert!(fault.to_string().contains("names nobody to ask"), "{fault}");
}

#[tokio::test]
async fn only_the_authority_and_whom_it_appoints_can_tell() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    authority.issue("appointed", "responder", RECEIVER);
    authority.issue("stranger", "signing", RECEIVER);
    authority.lists(List::Away);
    authority.responds(Responder::By("appointed"));
    assert_eq!(checked(&checks(&authority, Revocation::Require), &leaf).await, Ok(()));
    authority.responds(Responder::By("stranger"));
    let fault = checked(&checks(&authority, Revocation::Require), &leaf)
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("signature"), "{fault}");
}

#[tokio::test]
async fn an_answer_holds_for_its_certificate_and_its_time() {
    let authority = TestAuthority::new().await;
    let (leaf, other) = (
        authority.issue("leaf", "leaf", RECEIVER),
        authority.issue("other", "leaf", RECEIVER),
    );
    let pem = std::fs::read(authority.path("ca.pem")).unwrap();
    let anchors = Anchors::new(Certificate::all_from_pem(&pem).unwrap()).unwrap();
    let now = Timestamp::now();
    let issuer = anchors.vouching(leaf.der(), now).unwrap();
    let question = ocsp::Question::about(&leaf, &issuer.certificate).unwrap();
    let answer = authority.answer("ca", &question.to_der().unwrap());
    let told = question.answered(&answer, issuer, now).unwrap();
    assert_eq!(told.standing, Standing::Good);
    let until = (told.until - now).get_seconds();
    assert!(
        (200..=330).contains(&until),
        "five minutes, as the responder says: {until}"
    );
    let later = now + SignedDuration::from_hours(1);
    assert_eq!(question.answered(&answer, issuer, later), Err(ocsp::OcspError::NotNow));
    let earlier = now - SignedDuration::from_mins(10);
    assert_eq!(
        question.answered(&answer, issuer, earlier),
        Err(ocsp::OcspError::NotNow)
    );
    let about_other = ocsp::Question::about(&other, &issuer.certificate).unwrap();
    assert_eq!(
        about_other.answered(&answer, issuer, now),
        Err(ocsp::OcspError::Another)
    );
    let mut broken = answer.clone();
    // In the name of the responder, which is signed.
    broken[80] ^= 1;
    assert!(question.answered(&broken, issuer, now).is_err());
}

#[tokio::test]
async fn nobody_vouches_for_a_certificate_of_another_authority() {
    let (authority, other) = (TestAuthority::new().await, TestAuthority::new().await);
    let leaf = other.issue("leaf", "leaf", RECEIVER);
    let fault = checked(&checks(&authority, Revocation::Require), &leaf)
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
    assert_eq!(
        (authority.asked(), other.asked()),
        ((0, 0), (0, 0)),
        "who is not believed is not asked"
    );
    assert_eq!(
        checked(&Checks::default(), &leaf).await,
        Ok(()),
        "without anchors the chain is not checked"
    );
}

#[tokio::test]
async fn a_key_for_signing_is_not_for_sealing() {
    let authority = TestAuthority::new().await;
    let signing = authority.issue("signing", "signing", RECEIVER);
    let checks = checks(&authority, Revocation::Off);
    assert_eq!(checked(&checks, &signing).await, Err(Fault::NotForSealing));
    let data = authority.issue("data", "bare", RECEIVER);
    assert_eq!(checked(&checks, &data).await, Ok(()));
}

#[tokio::test]
async fn a_certificate_is_the_receivers_or_its_suppliers() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", "974720760");
    let checks = checks(&authority, Revocation::Off);
    let fault = checked(&checks, &leaf).await.unwrap_err();
    assert!(
        fault.to_string().contains("belongs to 974720760, not to 910076787"),
        "{fault}"
    );
    let mut capability = Capability {
        addresses: Addresses {
            digital: Some(DigitalAddress {
                supplier: Some("974720760".into()),
                address: None,
            }),
            ..Addresses::default()
        },
        ..Capability::default()
    };
    let person = Some("05839012391");
    assert_eq!(checks.check(leaf.der(), &Whose::of(&capability, person)).await, Ok(()));
    capability.addresses.digital = None;
    assert_eq!(
        Whose::of(&capability, person),
        Whose::default(),
        "a person has no certificate of its own"
    );
    assert_eq!(checks.check(leaf.der(), &Whose::of(&capability, person)).await, Ok(()));

    let settings = config::Certificates {
        suppliers: vec!["974720760".into()],
        ..config::Certificates::default()
    };
    assert_eq!(checked(&Checks::new(&settings).unwrap(), &leaf).await, Ok(()));
}

/// As KS's own: self-signed, and without an organisation number.
#[tokio::test]
async fn a_pinned_certificate_needs_nobody_to_vouch_for_it() {
    let authority = TestAuthority::new().await;
    let own = |from, to| {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = rcgen::date_time_ymd(from, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(to, 1, 1);
        parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
    };
    let (pinned, ended, other) = (own(2020, 2288), own(2020, 2021), own(2020, 2288));
    let file = authority.path("pinned.pem");
    std::fs::write(&file, pinned.pem() + &ended.pem()).unwrap();
    let settings = config::Certificates {
        trust_anchors: vec![authority.path("ca.pem")],
        pinned: vec![file],
        revocation: Revocation::Require,
        ..config::Certificates::default()
    };
    let checks = Checks::new(&settings).unwrap();
    assert_eq!(checks.check(pinned.der(), &of(RECEIVER)).await, Ok(()));
    let fault = checks.check(ended.der(), &of(RECEIVER)).await;
    assert!(matches!(fault, Err(Fault::NotValidNow { .. })), "{fault:?}");
    let fault = checks.check(other.der(), &of(RECEIVER)).await;
    assert!(
        matches!(fault, Err(Fault::OtherOrganisation { found: None, .. })),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_certificate_holds_in_its_time_only() {
    let key = rcgen::KeyPair::generate().unwrap();
    for (from, to) in [(2020, 2021), (2048, 2049)] {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = rcgen::date_time_ymd(from, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(to, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        let fault = Checks::default()
            .check(certificate.der(), &Whose::default())
            .await
            .unwrap_err();
        assert!(
            fault.to_string().starts_with(&format!("it is valid from {from}-01-01")),
            "{fault}"
        );
    }
    let fault = Checks::default().check(b"abc", &Whose::default()).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreadable(_)));
}

#[tokio::test]
async fn an_authority_inside_the_network_is_not_asked_unless_the_settings_say_so() {
    let authority = TestAuthority::new().await;
    let leaf = authority.issue("leaf", "leaf", RECEIVER);
    let settings = config::Certificates {
        trust_anchors: vec![authority.path("ca.pem")],
        revocation: Revocation::Require,
        ..config::Certificates::default()
    };
    let fault = checked(&Checks::new(&settings).unwrap(), &leaf).await.unwrap_err();
    assert!(fault.to_string().contains("must not be asked"), "{fault}");
    assert_eq!(authority.asked(), (0, 0));
}

#[test]
fn a_trust_anchor_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pem");
    std::fs::write(&path, "no certificate").unwrap();
    let settings = config::Certificates {
        trust_anchors: vec![path],
        ..config::Certificates::default()
    };
    let error = Checks::new(&settings).err().unwrap();
    assert!(
        format!("{error:#}").contains("empty.pem: holds no certificate"),
        "{error:#}"
    );
}
