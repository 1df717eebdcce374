//! Virksert. Spec: service registry, 6.3.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use budstikke_doubles::{Content, Fault, Route, TestOrganisation};
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;
use budstikke_registry::registers::RegisterError;
use budstikke_registry::registers::certificate::{CertificateCheck, Checked};

use crate::world::{BARE, DPO_PROCESS, ORGANISATION, World, certificate, organisation, pem};

/// Accepts certificates that name their owner.
struct NamesOwner;

#[async_trait]
impl CertificateCheck for NamesOwner {
    async fn check(&self, certificate: &Certificate, owner: &OrganisationNumber) -> Result<Checked, RegisterError> {
        Ok(if certificate.organisation_number() == Some(owner.as_str()) {
            Checked::Good
        } else {
            Checked::Refused("another organisation".to_owned())
        })
    }
}

/// Cannot tell about any.
struct CannotTell;

#[async_trait]
impl CertificateCheck for CannotTell {
    async fn check(&self, _: &Certificate, _: &OrganisationNumber) -> Result<Checked, RegisterError> {
        Err(nobody_can_tell())
    }
}

/// Says the next of these each time, then that all is good.
struct Says(Mutex<Vec<Result<Checked, RegisterError>>>);

impl Says {
    fn these(answers: impl IntoIterator<Item = Result<Checked, RegisterError>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into_iter().collect())))
    }
}

#[async_trait]
impl CertificateCheck for Says {
    async fn check(&self, _: &Certificate, _: &OrganisationNumber) -> Result<Checked, RegisterError> {
        let mut left = self.0.lock().unwrap();
        if left.is_empty() {
            Ok(Checked::Good)
        } else {
            left.remove(0)
        }
    }
}

fn refused() -> Checked {
    Checked::Refused("called back".to_owned())
}

fn nobody_can_tell() -> RegisterError {
    RegisterError::Unavailable {
        register: "OCSP",
        detail: "down".to_owned(),
    }
}

async fn ask(world: &World) -> Result<Option<Certificate>, RegisterError> {
    let certificates = world.registers(BARE).certificates.unwrap();
    certificates.certificate(&organisation(), "DPO").await
}

fn expired() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2010, 1, 1);
    params.not_after = rcgen::date_time_ymd(2011, 1, 1);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

#[tokio::test]
async fn the_first_certificate_that_is_valid_and_accepted_is_used() {
    let mut world = World::start().await;
    world.check = Arc::new(NamesOwner);
    let dir = tempfile::tempdir().unwrap();
    let stranger = TestOrganisation::create(dir.path(), "991825827").unwrap();
    for pem in ["bm8=", &expired(), stranger.certificate_pem(), pem()] {
        world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem));
    }
    assert_eq!(ask(&world).await, Ok(Some(certificate())));
    let path = &world.doubles.requests()[0].path;
    let process = "cenbii-procid-ubl%3A%3Aurn%3Ano%3Adifi%3Aprofile%3Adpo%3Aver1.0";
    assert_eq!(
        path,
        &format!("/virksert/api/v1/iso6523-actorid-upis%3A%3A0192%3A{ORGANISATION}/{process}")
    );
}

#[tokio::test]
async fn without_a_certificate_that_will_do_there_is_none() {
    let mut world = World::start().await;
    assert_eq!(ask(&world).await, Ok(None));
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, &expired()));
    assert_eq!(ask(&world).await, Ok(None));
    world.check = Arc::new(NamesOwner);
    let dir = tempfile::tempdir().unwrap();
    let stranger = TestOrganisation::create(dir.path(), "991825827").unwrap();
    world.put(Content::certificate(
        ORGANISATION,
        DPO_PROCESS,
        stranger.certificate_pem(),
    ));
    assert_eq!(ask(&world).await, Ok(None));
}

#[tokio::test]
async fn a_check_that_cannot_tell_is_not_a_missing_certificate() {
    let mut world = World::start().await;
    world.check = Arc::new(CannotTell);
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    assert!(matches!(
        ask(&world).await,
        Err(RegisterError::Unavailable { register: "OCSP", .. })
    ));
}

#[tokio::test]
async fn a_use_that_the_settings_do_not_know_is_an_error_and_asks_nobody() {
    let world = World::start().await;
    let certificates = world.registers(BARE).certificates.unwrap();
    let error = certificates.certificate(&organisation(), "DPX").await.unwrap_err();
    assert!(
        matches!(error, RegisterError::NotSetUp { .. }) && error.to_string().contains("DPX"),
        "{error}"
    );
    assert!(world.doubles.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_is_checked_each_time_that_it_is_used_and_asked_for_once() {
    let mut world = World::start().await;
    world.check = Says::these([Ok(Checked::Good), Ok(refused()), Err(nobody_can_tell())]);
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    let certificates = world.registers("").certificates.unwrap();
    for expected in [
        Ok(Some(certificate())),
        Ok(None),
        Err(nobody_can_tell()),
        Ok(Some(certificate())),
    ] {
        assert_eq!(certificates.certificate(&organisation(), "DPO").await, expected);
    }
    assert_eq!(world.doubles.count(Route::Certificates), 1);
}

#[tokio::test]
async fn an_old_answer_of_virksert_is_checked_as_a_new_one_is() {
    let mut world = World::start().await;
    world.check = Says::these([Ok(Checked::Good), Ok(refused()), Err(nobody_can_tell())]);
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    let certificates = world.registers("kept-ms = 0").certificates.unwrap();
    let number = organisation();
    let ask = || certificates.certificate(&number, "DPO");
    assert_eq!(ask().await, Ok(Some(certificate())));
    world.doubles.faults().always(Route::Certificates, Fault::Status(503));
    assert_eq!(ask().await, Ok(None));
    assert_eq!(ask().await, Err(nobody_can_tell()));
    assert_eq!(ask().await, Ok(Some(certificate())));
}

#[tokio::test]
async fn a_check_that_cannot_tell_is_not_held_against_virksert() {
    let mut world = World::start().await;
    world.check = Says::these((0..3).map(|_| Err(nobody_can_tell())));
    world.put(Content::certificate(ORGANISATION, DPO_PROCESS, pem()));
    let certificates = world
        .registers("kept-ms = 0, failures = 2, retries = 2, retry-pause-ms = 1")
        .certificates
        .unwrap();
    for _ in 0..3 {
        assert_eq!(
            certificates.certificate(&organisation(), "DPO").await,
            Err(nobody_can_tell())
        );
    }
    assert_eq!(
        certificates.certificate(&organisation(), "DPO").await,
        Ok(Some(certificate()))
    );
    assert_eq!(world.doubles.count(Route::Certificates), 4);
}
