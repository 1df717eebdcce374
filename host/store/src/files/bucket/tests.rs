//! A bucket that does not answer as it should.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use budstikke_test_bucket::{Bucket as TestBucket, Fault};

use object_store::signer::{Method, Signer};

use super::super::tests::{RUNTIME, is_whole, key, sample, settings};
use super::super::{Files, MessageKey, NewFile, StoreKey};
use super::*;

/// As [`WORK`], with waits that a test does not notice.
const QUICK: Patience = Patience {
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(5),
    retries: 3,
    ..WORK
};
const ALWAYS: usize = usize::MAX;

struct Scene {
    bucket: TestBucket,
    spool: tempfile::TempDir,
    files: Files,
    key: MessageKey,
}

impl Scene {
    fn new() -> Self {
        Self::with(QUICK, |_| {})
    }

    fn with(patience: Patience, change: impl FnOnce(&mut BucketSettings)) -> Self {
        let bucket = TestBucket::start().unwrap();
        let mut settings = settings(&bucket);
        change(&mut settings);
        let spool = tempfile::tempdir().unwrap();
        let place = Bucket::open_with(&settings, spool.path(), RUNTIME.handle().clone(), patience).unwrap();
        Self {
            files: Files {
                place: Arc::new(place),
                key: StoreKey::generate().unwrap(),
            },
            bucket,
            spool,
            key: key(),
        }
    }

    fn write(&self, content: &[u8]) -> io::Result<NewFile> {
        let mut writer = self.files.create(&self.key)?;
        writer.write_all(content)?;
        writer.finish()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.files.read(&self.key, name)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn requests(&self, matching: &str) -> usize {
        let requests = self.bucket.requests();
        requests.iter().filter(|line| line.contains(matching)).count()
    }

    /// Every way to the bucket, and what it says.
    fn errors(&self) -> Vec<io::Error> {
        let name = "a".repeat(64);
        vec![
            self.write(&sample(100_000)).err().unwrap(),
            self.read(&name).unwrap_err(),
            self.files.remove(std::slice::from_ref(&name)).unwrap_err(),
            self.files.sweep(&|_| Ok([].into()), Duration::ZERO).unwrap_err(),
            self.files.probe().unwrap_err(),
        ]
    }
}

#[test]
fn a_bucket_that_is_not_there_is_told_by_name() {
    let scene = Scene::with(QUICK, |settings| settings.bucket = "elsewhere".to_owned());
    for error in scene.errors() {
        let text = error.to_string();
        assert!(text.contains("the bucket \"elsewhere\" at http://127.0.0.1:"), "{text}");
        assert!(text.contains("NoSuchBucket"), "{text}");
        // Nobody may conclude that a file is gone.
        assert_ne!(error.kind(), ErrorKind::NotFound, "{text}");
    }
}

#[test]
fn wrong_credentials_are_told_without_showing_them() {
    let scene = Scene::with(QUICK, |settings| settings.secret = Some("guessed-secret".to_owned()));
    for error in scene.errors() {
        let text = format!("{error} {error:?}");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{text}");
        assert!(text.contains("SignatureDoesNotMatch"), "{text}");
        assert!(
            !text.contains("guessed-secret") && !text.contains(&scene.bucket.access_key),
            "{text}"
        );
    }
    assert_eq!(scene.requests("PUT"), 1, "what is forbidden is not tried again");
}

#[test]
fn a_service_that_is_away_is_told() {
    let mut scene = Scene::new();
    scene.bucket.stop();
    for error in scene.errors() {
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
        assert!(
            error.to_string().contains("no connection (Connection refused"),
            "{error}"
        );
    }
}

#[test]
fn a_service_that_does_not_answer_is_given_up() {
    let patience = Patience {
        request: Duration::from_millis(200),
        retries: 0,
        uploads: 1,
        ..QUICK
    };
    let scene = Scene::with(patience, |_| {});
    scene.bucket.fail("", Fault::Delay(Duration::from_hours(1)), ALWAYS);
    let error = scene.write(&sample(100_000)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[test]
fn a_service_that_is_overloaded_for_a_while_is_not_noticed() {
    let scene = Scene::new();
    let content = sample(3_000_000);
    scene.bucket.fail("PUT", Fault::Refuse(503), 2);
    let file = scene.write(&content).unwrap();
    scene.bucket.fail("GET", Fault::Refuse(503), 2);
    assert!(scene.read(file.name()).unwrap() == content);
    assert_eq!(scene.requests("PUT"), 3);
}

#[test]
fn an_upload_begins_anew_when_its_requests_have_failed_too_often() {
    let scene = Scene::new();
    let content = sample(3_000_000);
    // The first upload makes four requests, the second fails once more.
    scene.bucket.fail("PUT", Fault::Refuse(503), 5);
    let file = scene.write(&content).unwrap();
    assert!(scene.read(file.name()).unwrap() == content);
    assert_eq!(scene.requests("PUT"), 6);
}

#[test]
fn a_service_that_stays_overloaded_is_told_in_the_end() {
    let scene = Scene::new();
    scene.bucket.fail("PUT", Fault::Refuse(503), ALWAYS);
    let error = scene.write(&sample(100_000)).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("503 Service Unavailable, Ordered, The test ordered this answer."),
        "{text}"
    );
    assert_eq!(scene.requests("PUT"), 12, "three uploads of four requests");
    assert!(scene.bucket.objects().unwrap().is_empty());
}

#[test]
fn a_full_service_is_a_full_disk() {
    let scene = Scene::new();
    scene.bucket.fail("PUT", Fault::Refuse(507), ALWAYS);
    let error = scene.write(&sample(100_000)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
}

#[test]
fn a_large_file_goes_up_in_parts() {
    let scene = Scene::new();
    let content = sample(20 * 1024 * 1024);
    let file = scene.write(&content).unwrap();
    assert_eq!(scene.requests("?uploads"), 1);
    assert_eq!(scene.requests("partNumber="), 3);
    assert!(is_whole(&scene.files, file.name()));
    assert!(scene.read(file.name()).unwrap() == content);
    assert_eq!(scene.bucket.unfinished_parts().unwrap(), 0);
}

#[test]
fn an_upload_in_parts_that_fails_leaves_no_parts() {
    for refused in ["partNumber=2", "POST /budstikke/some/files/"] {
        let scene = Scene::new();
        // The upload's start is a POST as well: that is let through.
        scene.bucket.fail("?uploads", Fault::Delay(Duration::ZERO), 1);
        scene.bucket.fail(refused, Fault::Refuse(400), ALWAYS);
        let error = scene.write(&sample(20 * 1024 * 1024)).err().unwrap();
        assert!(error.to_string().contains("400 Bad Request"), "{error}");
        assert_eq!(scene.requests("DELETE"), 1);
        assert_eq!(scene.bucket.unfinished_parts().unwrap(), 0);
        assert!(scene.bucket.objects().unwrap().is_empty());
    }
}

#[test]
fn an_upload_in_parts_begins_anew_and_leaves_no_parts_of_the_first() {
    let scene = Scene::new();
    let content = sample(20 * 1024 * 1024);
    scene.bucket.fail("partNumber=3", Fault::Refuse(503), 4);
    let file = scene.write(&content).unwrap();
    assert_eq!(scene.requests("?uploads"), 2);
    assert!(scene.read(file.name()).unwrap() == content);
    assert_eq!(scene.bucket.unfinished_parts().unwrap(), 0);
    assert_eq!(scene.bucket.objects().unwrap(), [format!("some/files/{}", file.name())]);
}

#[test]
fn an_upload_whose_last_answer_is_lost_is_made_again() {
    let scene = Scene::new();
    let content = sample(20 * 1024 * 1024);
    // The upload's start is a POST as well.
    scene.bucket.fail("?uploads", Fault::Delay(Duration::ZERO), 1);
    scene.bucket.fail("POST /budstikke/some/files/", Fault::BreakOff, 1);
    let file = scene.write(&content).unwrap();
    assert_eq!(scene.requests("?uploads"), 2);
    assert!(scene.read(file.name()).unwrap() == content);
    assert_eq!(scene.bucket.unfinished_parts().unwrap(), 0);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let scene = Scene::new();
    let content = sample(3_000_000);
    let file = scene.write(&content).unwrap();
    scene.bucket.fail("GET", Fault::BreakOff, 2);
    assert!(scene.read(file.name()).unwrap() == content);
}

#[test]
fn an_object_that_shrinks_while_it_is_read_is_an_error() {
    let scene = Scene::new();
    let content = sample(3_000_000);
    let file = scene.write(&content).unwrap();
    let mut reader = scene.files.read(&scene.key, file.name()).unwrap();
    let object = scene.bucket.object(&format!("some/files/{}", file.name()));
    let stored = fs::read(&object).unwrap();
    fs::write(&object, &stored[..1_500_000]).unwrap();
    let mut back = Vec::new();
    assert!(reader.read_to_end(&mut back).is_err());
    assert!(content.starts_with(&back));
}

#[test]
fn what_is_gathered_has_no_name_on_disk_and_is_encrypted() {
    let scene = Scene::new();
    let mut writer = scene.files.create(&scene.key).unwrap();
    writer.write_all(&vec![b'x'; 3_000_000]).unwrap();
    assert_eq!(fs::read_dir(scene.spool.path()).unwrap().count(), 0);
    let file = writer.finish().unwrap();
    let stored = fs::read(scene.bucket.object(&format!("some/files/{}", file.name()))).unwrap();
    assert!(!stored.windows(16).any(|bytes| bytes == [b'x'; 16]));
}

#[test]
fn files_may_stand_at_the_top_of_a_bucket() {
    let scene = Scene::with(QUICK, |settings| settings.prefix = String::new());
    let file = scene.write(&sample(100_000)).unwrap();
    file.claim();
    assert_eq!(scene.bucket.objects().unwrap(), [file.name()]);
    scene.files.probe().unwrap();
    // What stands deeper belongs to somebody else.
    let deeper = scene.bucket.object(&format!("other/{}", "a".repeat(64)));
    fs::create_dir_all(deeper.parent().unwrap()).unwrap();
    fs::write(&deeper, b"other").unwrap();
    assert_eq!(scene.files.sweep(&|_| Ok([].into()), Duration::ZERO).unwrap(), 1);
    assert!(deeper.exists());
}

#[test]
fn a_runtime_that_is_going_down_is_an_error_and_no_panic() {
    let bucket = TestBucket::start().unwrap();
    let spool = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = StoreKey::generate().unwrap();
    let files = Files::bucket(&settings(&bucket), spool.path(), key, runtime.handle().clone()).unwrap();
    files.probe().unwrap();
    runtime.shutdown_background();
    let error = files.probe().unwrap_err();
    assert!(error.to_string().contains("the program is stopping"), "{error}");
}

fn read_settings(toml: &str) -> BucketSettings {
    toml::from_str(toml).unwrap()
}

fn refused(toml: &str) -> String {
    read_settings(toml).connect(&QUICK, |_| None).unwrap_err().to_string()
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let tells = [
        ("bucket = 'b'\nendpoint = 'http://s3.example.no'", "allow-http"),
        ("bucket = 'b'\nendpoint = 's3.example.no'", "https://"),
        ("bucket = 'b'\nendpoint = 'https://me:pass@s3.example.no'", "host alone"),
        ("bucket = 'b'\nendpoint = 'https://s3.example.no/b'", "host alone"),
        ("bucket = ''", "name of a bucket"),
        ("bucket = 'a/b'", "name of a bucket"),
        ("bucket = 'b'\naccess-key = 'k'", "belong together"),
        ("bucket = 'b'\nsecret = 'k'", "belong together"),
    ];
    for (toml, why) in tells {
        let text = refused(toml);
        assert!(text.contains(why), "{toml}: {text}");
        assert!(!text.contains("pass@"), "{text}");
    }
    assert!(read_settings("bucket = 'b'\nprefix = 'a//b'").path().is_err());
    assert!(toml::from_str::<BucketSettings>("bucket = 'b'\nacces-key = 'k'").is_err());
}

#[test]
fn the_secret_is_not_shown() {
    let settings = read_settings("bucket = 'b'\naccess-key = 'the-key'\nsecret = 'the-secret'");
    let shown = format!("{settings:?}");
    assert!(shown.contains("bucket: \"b\"") && !shown.contains("the-"), "{shown}");
}

#[test]
fn credentials_come_from_the_environment_when_the_settings_have_none() {
    let store = read_settings("bucket = 'b'")
        .connect(&QUICK, |name| match name {
            "AWS_ACCESS_KEY_ID" => Some("from-environment".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("secret".to_owned()),
            _ => None,
        })
        .unwrap();
    let credential = RUNTIME.block_on(store.credentials().get_credential()).unwrap();
    assert_eq!(credential.key_id, "from-environment");
}

#[test]
fn a_bucket_can_be_part_of_the_host_name() {
    let address = |toml: &str| {
        let store = read_settings(toml).connect(&QUICK, |_| None).unwrap();
        let file = Key::from("file");
        let signed = store.signed_url(Method::GET, &file, Duration::from_secs(1));
        let address = RUNTIME.block_on(signed).unwrap();
        (address.host_str().unwrap().to_owned(), address.path().to_owned())
    };
    let keys = "bucket = 'b'\nendpoint = 'https://s3.example.no/'\naccess-key = 'k'\nsecret = 's'";
    assert_eq!(address(keys), ("s3.example.no".to_owned(), "/b/file".to_owned()));
    let keys = format!("{keys}\npath-style = false");
    assert_eq!(address(&keys), ("b.s3.example.no".to_owned(), "/file".to_owned()));
}
