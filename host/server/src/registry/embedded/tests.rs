//! An address service in this process, with registers that can be away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use budstikke_message::identifier::{DocumentType, Iso6523, OrganisationNumber, Person};
use budstikke_message::keystore::{Identity, Keystore};
use budstikke_registry::caller::CallerToken;
use budstikke_registry::data::{OwnOrganisation, Snapshot};
use budstikke_registry::lookup::{ServiceSettings, Settings};
use budstikke_registry::registers::{
    Contact, Contacts, Organisation, Organisations, Printer, RegisterError, Registered, Registers, Registrations,
};
use budstikke_registry::rules::Rules;
use budstikke_store::files::Files;
use budstikke_store::registry::Author;
use budstikke_store::{Place, Store, Vault};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::abilities::tokens::Tokens;
use crate::registry::remote::LastAnswers;
use crate::registry::remote::tests::stand_in::{Says, StandIn};
use crate::registry::{OwnListFirst, TomlRegistry};

const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
const INFORMATION: &str = "urn:no:difi:profile:digitalpost:info:ver1.0";
/// In own data, and registered there.
const OWN: &str = "974720760";
/// In the registers only, and not registered.
const OUTSIDE: &str = "910076787";
const NOBODY: &str = "938801363";
const PERSON: &str = "05839012391";

/// The registers. All of them are away together.
#[derive(Default)]
struct Outside {
    down: AtomicBool,
    closed: AtomicBool,
    /// Tokens that KRR does not take.
    refused: Mutex<BTreeSet<String>>,
    /// Tokens that KRR was shown.
    shown: Mutex<Vec<String>>,
}

impl Outside {
    fn ask(&self, register: &'static str) -> Result<(), RegisterError> {
        if self.down.load(Ordering::SeqCst) {
            let detail = format!("no answer about {PERSON}");
            return Err(RegisterError::Unavailable { register, detail });
        }
        Ok(())
    }
}

#[async_trait]
impl Organisations for Outside {
    async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, RegisterError> {
        self.ask("BRREG")?;
        let known = number.as_str() == OUTSIDE && !self.closed.load(Ordering::SeqCst);
        Ok(known.then(|| Organisation {
            number: number.clone(),
            name: "EKSEMPELETATEN".into(),
            form: Some("ORGL".into()),
            address: None,
        }))
    }
}

#[async_trait]
impl Registrations for Outside {
    async fn by_document_type(&self, _: &OrganisationNumber, _: &[DocumentType]) -> Result<Registered, RegisterError> {
        self.ask("ELMA")?;
        Ok(Registered::default())
    }
}

#[async_trait]
impl Contacts for Outside {
    async fn contact(&self, _: &Person, token: &CallerToken) -> Result<Option<Contact>, RegisterError> {
        self.ask("KRR")?;
        self.shown.lock().unwrap().push(token.secret().to_owned());
        if self.refused.lock().unwrap().remove(token.secret()) {
            let detail = "status 401".to_owned();
            return Err(RegisterError::Denied {
                register: "KRR",
                detail,
                asker: budstikke_registry::registers::Asker::Caller,
            });
        }
        Ok(None)
    }

    async fn printer(&self) -> Result<Printer, RegisterError> {
        unreachable!("nothing is printed here")
    }
}

static PEM: LazyLock<String> = LazyLock::new(|| {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    format!("{}{certificate}", key.serialize_pem())
});

fn identity() -> Identity {
    Keystore::from_pem(PEM.as_bytes()).unwrap()
}

/// What is there before and after a restart.
struct Ground {
    outside: Arc<Outside>,
    own: Arc<OwnData>,
    store: Arc<Store>,
    vault: Vault,
    _folder: TempDir,
}

fn author() -> Author {
    Author {
        who: "test".into(),
        at: 0,
    }
}

fn registered() -> OwnOrganisation {
    OwnOrganisation {
        name: Some("EGEN ETAT".into()),
        registrations: Some(BTreeSet::from([PROCESS.parse().unwrap()])),
        certificates: BTreeMap::from([("POST".to_owned(), identity().certificate().clone())]),
        ..OwnOrganisation::default()
    }
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnData::open(Place::File(folder.path().join("r.db"))).await.unwrap();
        let documented = Snapshot::with_default_processes().unwrap();
        for process in documented.processes.values() {
            own.add_process(process, author()).await.unwrap();
        }
        own.put_organisation(&OWN.parse().unwrap(), &registered(), author())
            .await
            .unwrap();
        let store = Arc::new(Store::open(Place::File(folder.path().join("b.db")), "n").await.unwrap());
        let key = store.key(&identity(), &[]).await.unwrap();
        let vault = Vault::new(Files::folder(&folder.path().join("files"), key).unwrap(), store.clone());
        Self {
            outside: Arc::default(),
            own,
            store,
            vault,
            _folder: folder,
        }
    }

    fn registry(&self) -> EmbeddedRegistry {
        self.registry_with(None, |_| {})
    }

    fn registry_with(&self, token: Option<ShownToken>, change: impl FnOnce(&mut config::Registry)) -> EmbeddedRegistry {
        let mut settings = config::Registry {
            print: false,
            ..config::Registry::default()
        };
        change(&mut settings);
        let rules = Rules::read(include_str!("test_rules.toml")).unwrap();
        let of_one = |name: &_| {
            let settings = ServiceSettings {
                endpoint_url: Some("https://altinn.example".into()),
                resource: Some("letters".into()),
                ..ServiceSettings::default()
            };
            (Clone::clone(name), settings)
        };
        let asker = Asker {
            organisation: Iso6523::from(&"991825827".parse::<OrganisationNumber>().unwrap()),
            scopes: rules.all_scopes(),
            token,
        };
        let directory = Directory {
            data: self.own.shared(),
            registers: Registers {
                organisations: Some(self.outside.clone()),
                registrations: Some(self.outside.clone()),
                contacts: Some(self.outside.clone()),
                ..Registers::default()
            },
            services: rules.services_with_settings().into_iter().map(of_one).collect(),
            settings: Settings::documented().unwrap(),
            rules,
        };
        let life = Duration::from_hours(72);
        let answers = LastAnswers::new(self.store.clone(), &self.vault, life);
        EmbeddedRegistry::new(
            Arc::new(directory),
            self.own.clone(),
            asker,
            &settings,
            Some(Fallback::new(answers)),
            CancellationToken::new().drop_guard(),
        )
        .unwrap()
    }

    fn goes_down(&self) {
        self.outside.down.store(true, Ordering::SeqCst);
    }
}

fn letter(receiver: &str) -> Question<'_> {
    Question::about(receiver).in_process(PROCESS)
}

async fn services(registry: &impl Registry, question: Question<'_>) -> Result<Vec<String>, RegistryError> {
    let answer = registry.capabilities(question).await?;
    Ok(answer.capabilities.into_iter().map(|one| one.service).collect())
}

#[tokio::test]
async fn own_data_and_rules_answer_like_the_address_service_behind_http() {
    let ground = Ground::new().await;
    let registry = ground.registry();
    let answer = registry.capabilities(letter(OWN)).await.unwrap();
    assert_eq!(answer.source, Source::AddressService);
    let [way] = answer.capabilities.as_slice() else {
        panic!()
    };
    assert_eq!((way.service.as_str(), way.process.as_str()), ("POST", PROCESS));
    assert_eq!(way.certificate.as_deref(), Some(identity().certificate().der()));
    assert_eq!(way.address["endpointUrl"], "https://altinn.example");
    assert_eq!(services(&registry, letter(OUTSIDE)).await.unwrap(), ["BOX"]);
    let all = services(&registry, Question::about(OWN)).await.unwrap();
    assert!(
        all.contains(&"POST".to_owned()) && all.contains(&"BOX".to_owned()),
        "{all:?}"
    );
    let record = registry.record(OWN).await.unwrap();
    assert_eq!(record.info["organizationName"], "EGEN ETAT");
    assert_eq!(record.primary["service"]["identifier"], "POST");
    assert_eq!(record.all.len(), all.len());
    assert_eq!(
        registry.without_receiver(PROCESS).await.err(),
        Some(RegistryError::NeedsReceiver(PROCESS.into()))
    );
}

#[tokio::test]
async fn what_the_receiver_does_not_take_is_told_apart_from_faults() {
    let ground = Ground::new().await;
    let registry = ground.registry();
    let refusal = async |question| services(&registry, question).await.unwrap_err();
    for nobody in [NOBODY, "", "adresse"] {
        let error = refusal(letter(nobody)).await;
        assert!(matches!(error, RegistryError::UnknownReceiver(_)), "{error}");
    }
    let error = refusal(letter(NOBODY)).await;
    assert_eq!(
        error.to_string(),
        "the registry does not know the receiver: Entity with identifier '0192:938801363' not found."
    );
    for process in [
        "urn:no:difi:profile:arkivmelding:ukjent:ver1.0",
        "",
        "urn:no:difi:profile:avtalt:avtalt:ver1.0",
    ] {
        let error = refusal(Question::about(OWN).in_process(process)).await;
        assert!(matches!(error, RegistryError::NotAccepted { .. }), "{error}");
    }
    let at_four = Question {
        security_level: Some(4),
        ..letter(OUTSIDE)
    };
    let error = refusal(at_four).await;
    let at_that_level = RegistryError::NotAccepted {
        process: PROCESS.into(),
        level: Some(4),
    };
    assert_eq!(error, at_that_level);
    assert!(!error.is_fault());
    ground.goes_down();
    let error = refusal(letter(OUTSIDE)).await;
    assert!(error.is_fault() && error.to_string().contains("BRREG"), "{error}");
    assert!(!error.to_string().contains(PERSON), "{error}");
}

#[tokio::test]
async fn a_register_that_is_away_fails_no_receiver_that_was_asked_for_before() {
    let ground = Ground::new().await;
    services(&ground.registry(), letter(OUTSIDE)).await.unwrap();
    ground.goes_down();
    // Also after a restart.
    let registry = ground.registry();
    let answer = registry.capabilities(letter(OUTSIDE)).await.unwrap();
    assert_eq!(answer.capabilities[0].service, "BOX");
    assert!(matches!(answer.source, Source::LastAnswer(_)), "{:?}", answer.source);
    // Another question, and one that needs no register.
    let at_three = Question {
        security_level: Some(3),
        ..letter(OUTSIDE)
    };
    assert!(registry.capabilities(at_three).await.unwrap_err().is_fault());
    assert_eq!(
        registry.capabilities(letter(OWN)).await.unwrap().source,
        Source::AddressService
    );
    let report = registry.report().unwrap();
    assert_eq!(
        (&report["lastAnswersUsed"], &report["ownDataReachable"]),
        (&json!(1), &json!(true))
    );
}

#[tokio::test]
async fn an_answer_that_was_taken_back_is_not_fallen_back_on() {
    let ground = Ground::new().await;
    let registry = ground.registry();
    services(&registry, letter(OUTSIDE)).await.unwrap();
    ground.outside.closed.store(true, Ordering::SeqCst);
    services(&registry, letter(OUTSIDE)).await.unwrap_err();
    ground.goes_down();
    assert!(services(&registry, letter(OUTSIDE)).await.unwrap_err().is_fault());
    // What comes back is kept again.
    ground.outside.closed.store(false, Ordering::SeqCst);
    ground.outside.down.store(false, Ordering::SeqCst);
    services(&registry, letter(OUTSIDE)).await.unwrap();
    ground.goes_down();
    assert_eq!(services(&registry, letter(OUTSIDE)).await.unwrap(), ["BOX"]);
}

#[tokio::test]
async fn the_same_answer_is_written_once() {
    let ground = Ground::new().await;
    let registry = ground.registry();
    services(&registry, letter(OUTSIDE)).await.unwrap();
    ground.store.forget_answer(OUTSIDE, &kept_as(&registry)).await.unwrap();
    services(&registry, letter(OUTSIDE)).await.unwrap();
    assert!(!is_kept(&ground, &registry).await);
    // Another node of the same organisation knows nothing of that.
    services(&ground.registry(), letter(OUTSIDE)).await.unwrap();
    assert!(is_kept(&ground, &registry).await);
}

fn kept_as(registry: &EmbeddedRegistry) -> String {
    registry.kept_as(&registry.asked(letter(OUTSIDE)).unwrap())
}

async fn is_kept(ground: &Ground, registry: &EmbeddedRegistry) -> bool {
    let found = ground.store.last_answer(OUTSIDE, &kept_as(registry), 0).await;
    found.unwrap().is_some()
}

#[tokio::test]
async fn each_step_is_told_without_the_receiver() {
    let ground = Ground::new().await;
    let registry = ground.registry();
    let steps = registry.steps(letter(OUTSIDE)).await.unwrap();
    for step in [
        "  registered-for-process: no, says ELMA",
        "rule everybody-else decides",
        "record box: made, service BOX",
    ] {
        assert!(steps.contains(&step.to_owned()), "{step}: {steps:#?}");
    }
    let of_person = registry.steps(Question::about(PERSON).in_process(INFORMATION)).await;
    assert!(!of_person.unwrap().concat().contains(PERSON));
    assert_eq!(registry.steps(letter(NOBODY)).await, None);
    let list = format!(
        "[[receivers]]\nidentifier = \"{OUTSIDE}\"\n[[receivers.capabilities]]\nprocesses = [\"{PROCESS}\"]\n\
         service = \"OWN\"\ndocument-types = [\"urn:x::brev\"]"
    );
    let list = TomlRegistry::new(&toml::from_str(&list).unwrap()).unwrap();
    let both = OwnListFirst::new(list, Box::new(registry));
    assert_eq!(services(&both, letter(OUTSIDE)).await.unwrap(), ["OWN"]);
    assert_eq!(both.steps(letter(OUTSIDE)).await, None);
    assert!(both.steps(letter(OWN)).await.is_some());
}

#[tokio::test]
async fn registers_of_persons_are_shown_a_token_and_another_one_when_it_was_called_back() {
    let ground = Ground::new().await;
    let issuer = StandIn::new(Says::Hang);
    let profile = format!(
        "url = \"{}/token\"\naudience = \"a\"\nclient-id = \"c\"\nscopes = [\"s\"]",
        issuer.url()
    );
    let profiles = BTreeMap::from([("p".to_owned(), toml::from_str(&profile).unwrap())]);
    let token = ShownToken {
        tokens: Arc::new(Tokens::new(&profiles, &Arc::new(identity()), "0192:991825827").unwrap()),
        profile: "p".into(),
        scopes: vec!["s".into()],
    };
    let registry = ground.registry_with(Some(token), |_| {});
    services(&registry, letter(OUTSIDE)).await.unwrap();
    assert_eq!(issuer.count("token"), 0, "no register of organisations wants one");
    ground.outside.refused.lock().unwrap().insert("abc".into());
    let citizen = Question::about(PERSON).in_process(INFORMATION);
    assert_eq!(services(&registry, citizen).await.unwrap(), ["BOX"]);
    assert_eq!(*ground.outside.shown.lock().unwrap(), ["abc", "abc"]);
    assert_eq!(issuer.count("token"), 2, "the refused one is not used again");
}
