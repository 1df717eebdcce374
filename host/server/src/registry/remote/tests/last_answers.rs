//! The time when it cannot be asked.

use std::sync::LazyLock;

use budstikke_message::keystore::{Identity, Keystore};
use budstikke_store::files::Files;
use budstikke_store::{Place, Store, Vault};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::*;

const PERSON: &str = "05839012391";

static PEM: LazyLock<String> = LazyLock::new(|| {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    format!("{}{certificate}", key.serialize_pem())
});

pub(crate) fn identity() -> Identity {
    Keystore::from_pem(PEM.as_bytes()).unwrap()
}

pub(super) struct Ground {
    store: Arc<Store>,
    vault: Vault,
    folder: tempfile::TempDir,
}

impl Ground {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(Place::File(folder.path().join("b.db")), "n").await.unwrap());
        let key = store.key(&identity(), &[]).await.unwrap();
        let vault = Vault::new(Files::folder(&folder.path().join("files"), key).unwrap(), store.clone());
        Self { store, vault, folder }
    }

    fn living(&self, life: Duration) -> LastAnswers {
        LastAnswers::new(self.store.clone(), &self.vault, life)
    }

    /// A client that keeps nothing in memory.
    pub(super) fn client(&self, stand_in: &StandIn) -> RemoteRegistry {
        client_with(stand_in, Some(self.living(Duration::from_hours(72))), |settings| {
            settings.cache_seconds = 0;
            settings.read_time = Duration::from_millis(500);
        })
    }
}

#[tokio::test]
async fn the_last_answer_is_used_while_it_cannot_be_asked_and_says_so() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    services(&ground.client(&stand_in), in_process()).await.unwrap();
    stand_in.kill();
    // Also after a restart.
    let client = ground.client(&stand_in);
    let answer = client.capabilities(in_process()).await.unwrap();
    assert_eq!(answer.capabilities[0].service, "DPO");
    let Source::LastAnswer(at) = answer.source else {
        panic!("{:?}", answer.source);
    };
    assert!((jiff::Timestamp::now().as_millisecond() - at) < 60_000);
    let report = client.report().unwrap();
    assert_eq!(report["lastAnswersUsed"], 1);
    assert!(report["silentSince"].is_string());

    let error = services(&client, Question::about("974720760")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable(_)), "{error}");
    let level = Question {
        security_level: Some(4),
        ..in_process()
    };
    assert!(
        services(&client, level).await.is_err(),
        "another question has another answer"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_not_used() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    services(&ground.client(&stand_in), in_process()).await.unwrap();
    stand_in.kill();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let client = client_with(&stand_in, Some(ground.living(Duration::from_millis(10))), |settings| {
        settings.cache_seconds = 0;
    });
    assert!(services(&client, in_process()).await.is_err());
    client.tidy().await;
    assert!(
        services(&ground.client(&stand_in), in_process()).await.is_err(),
        "it is gone"
    );
}

#[tokio::test]
async fn what_the_registry_takes_back_is_forgotten() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    services(&client, in_process()).await.unwrap();
    stand_in.says(Says::NotThere);
    assert!(services(&client, in_process()).await.is_err());
    stand_in.kill();
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn who_only_looks_at_them_uses_them_and_changes_none() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    services(&ground.client(&stand_in), in_process()).await.unwrap();
    let key = ground.vault.store_key().clone();
    let last = LastAnswers::looked_at(ground.store.clone(), key, Duration::from_hours(72));
    let looking = client_with(&stand_in, Some(last), |settings| settings.cache_seconds = 0);
    let other = Question::about("974720760");
    services(&looking, other).await.unwrap();
    stand_in.says(Says::NotThere);
    assert!(services(&looking, in_process()).await.is_err());
    looking.tidy().await;
    stand_in.kill();
    let answer = looking.capabilities(in_process()).await.unwrap();
    assert!(
        matches!(answer.source, Source::LastAnswer(_)),
        "what was taken back is still kept"
    );
    assert!(services(&looking, other).await.is_err(), "what was found is not kept");
}

#[tokio::test]
async fn a_proxy_that_finds_no_page_takes_nothing_back() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    services(&client, in_process()).await.unwrap();
    let without_certificate = json!({ "error_code": "certificate_not_found", "error_description": "none" });
    for body in [json!({}), json!({ "message": "not found" }), without_certificate] {
        stand_in.says(Says::Error(404, body));
        let answer = ground.client(&stand_in).capabilities(in_process()).await.unwrap();
        assert!(matches!(answer.source, Source::LastAnswer(_)));
    }
    stand_in.kill();
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
}

#[tokio::test]
async fn an_answer_about_another_receiver_does_not_take_the_place_of_the_last_one() {
    let ground = Ground::new().await;
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    let question = Question::about("974720760").in_process(PROCESS);
    services(&client, question).await.unwrap();
    stand_in.says(Says::About(organisation("DPV")));
    assert_eq!(services(&client, question).await.unwrap(), ["DPO"]);
    assert_eq!(
        services(&client, in_process()).await.unwrap(),
        ["DPV"],
        "others are asked for"
    );
    assert_eq!(client.report().unwrap()["silentSince"], Value::Null);
}

#[tokio::test]
async fn that_a_receiver_took_nothing_long_ago_says_nothing_about_now() {
    let ground = Ground::new().await;
    let empty = json!({ "infoRecord": { "identifier": RECEIVER }, "serviceRecords": [] });
    let mut stand_in = StandIn::new(Says::Good(empty));
    let client = ground.client(&stand_in);
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotAccepted { .. }), "{error}");
    stand_in.kill();
    let error = services(&client, in_process()).await.unwrap_err();
    assert!(error.is_fault(), "{error}");
}

#[tokio::test]
async fn after_a_while_one_question_finds_out_whether_it_can_be_asked_again() {
    let ground = Ground::new().await;
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    let processes: Vec<String> = (0..10).map(|number| format!("urn:p:{number}")).collect();
    let questions = || {
        processes
            .iter()
            .map(|process| Question::about(RECEIVER).in_process(process))
    };
    for question in questions() {
        services(&client, question).await.unwrap();
    }
    stand_in.says(Says::Hang);
    services(&client, questions().next().unwrap()).await.unwrap();
    let before = stand_in.asked().len();
    tokio::time::sleep(PAUSE + Duration::from_millis(50)).await;
    let answers = futures::future::join_all(questions().map(|question| services(&client, question))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(stand_in.asked().len(), before + 1);
    stand_in.says(Says::Good(organisation("DPO")));
    tokio::time::sleep(PAUSE + Duration::from_millis(50)).await;
    services(&client, questions().next().unwrap()).await.unwrap();
    assert_eq!(client.report().unwrap()["silentSince"], Value::Null);
}

#[tokio::test]
async fn only_silence_is_a_reason_for_the_last_answer() {
    let ground = Ground::new().await;
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    services(&client, in_process()).await.unwrap();
    for says in [
        Says::Error(400, json!({})),
        Says::Error(403, json!({})),
        Says::Unsigned(organisation("DPV")),
    ] {
        stand_in.says(says);
        assert!(services(&client, in_process()).await.is_err());
    }
    stand_in.says(Says::Error(503, json!({})));
    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
}

#[tokio::test]
async fn a_registry_that_hangs_costs_one_time_out() {
    let ground = Ground::new().await;
    let stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = ground.client(&stand_in);
    services(&client, in_process()).await.unwrap();
    stand_in.says(Says::Hang);
    let began = std::time::Instant::now();
    for _ in 0..20 {
        services(&client, in_process()).await.unwrap();
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(500) && took < Duration::from_secs(5),
        "{took:?}"
    );
    assert_eq!(stand_in.asked().len(), 2);
}

#[tokio::test]
async fn what_is_kept_about_a_person_cannot_be_read_in_the_database() {
    let ground = Ground::new().await;
    let answer = json!({ "infoRecord": { "identifier": PERSON }, "serviceRecords": [{
        "organisationNumber": PERSON, "process": PROCESS, "documentTypes": ["urn:x::print"], "orgnrPostkasse": null,
        "service": { "identifier": "DPI" }, "postAddress": { "name": "Kari Hemmelig", "street": "Skjultveien 1" } }] });
    let mut stand_in = StandIn::new(Says::Good(answer));
    let client = ground.client(&stand_in);
    services(&client, Question::about(PERSON)).await.unwrap();
    for file in std::fs::read_dir(ground.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in ["Kari Hemmelig", "Skjultveien"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", path.display());
        }
    }
    stand_in.kill();
    let answer = client.capabilities(Question::about(PERSON)).await.unwrap();
    assert_eq!(
        answer.capabilities[0].addresses.post.as_ref().unwrap().name,
        "Kari Hemmelig"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_fails_no_question_whose_answer_is_known() {
    let ground = Ground::new().await;
    let mut stand_in = StandIn::new(Says::Good(organisation("DPO")));
    let client = Arc::new(ground.client(&stand_in));
    services(&client, in_process()).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    assert_eq!(services(&client, in_process()).await.unwrap(), ["DPO"]);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stand_in.kill();
    for task in tasks {
        task.await.unwrap();
    }
}
