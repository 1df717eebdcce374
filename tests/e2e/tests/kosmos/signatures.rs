//! The attacks of `anchors`, on a jar with an OpenPGP signature: none of them starts anything, and what runs goes on.

use std::path::PathBuf;

use budstikke_kosmos::trust::openpgp::{Keys, Occasion};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::gpg::{Gpg, key_file};
use crate::publisher::Fault;
use crate::scene::{NEW, OLD, Scene};

fn good() -> Value {
    json!({ "kind": "good" })
}

/// The old version runs, and the new one is offered.
async fn attacked() -> Scene {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene
}

/// Nothing happened but a clear word.
async fn nothing_happens(scene: &Scene, word: &str) {
    let before = scene.processes();
    scene.run().await.bad(word);
    assert_eq!(scene.processes(), before);
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    assert!(!scene.has("integrasjonspunkt-2.2.1.jar") && !scene.has("integrasjonspunkt-2.2.1.allowlisted"));
    scene.nothing_is_left();
}

#[tokio::test]
async fn another_content_under_a_good_signature() {
    let scene = attacked().await;
    let path = Scene::path(NEW);
    let other = scene.jar(NEW, json!({ "kind": "good", "evil": true }));
    let signature = Gpg::usual().sign(&scene.jar(NEW, good()));
    scene.publish_signed(NEW, &other, Gpg::usual());
    scene.publisher.put(&format!("{path}.asc"), signature);
    nothing_happens(&scene, "Invalid artifact signature").await;
    assert!(
        scene.has("integrasjonspunkt-2.2.1.blocklisted"),
        "as the Java KOSMOS does"
    );
    std::fs::remove_file(scene.file("integrasjonspunkt-2.2.1.blocklisted")).unwrap();
    scene
        .publisher
        .put(&format!("{path}.sha1"), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    nothing_happens(&scene, "SHA-1 verification failed").await;
    scene.publish(NEW, good());
    scene.publisher.put(&format!("{path}.asc"), "no signature");
    nothing_happens(&scene, "the signature cannot be read").await;
}

#[tokio::test]
async fn an_old_release_under_a_new_name() {
    let scene = attacked().await;
    scene.publish_signed(NEW, &scene.jar(OLD, good()), Gpg::usual());
    nothing_happens(&scene, "the file is version 1.7.92-SNAPSHOT under the name of 2.2.1").await;
    scene.publish_signed(NEW, b"no zip at all", Gpg::usual());
    nothing_happens(&scene, "is no jar").await;
}

#[tokio::test]
async fn a_download_that_is_cut_off_endless_slow_or_refused() {
    let mut scene = attacked().await;
    scene.set("kosmos.java-archive-repository-read-timeout-in-ms=500\n");
    for fault in [Fault::Truncated, Fault::Silent, Fault::Status(500)] {
        for end in [".jar", ".jar.sha1", ".jar.asc"] {
            scene.publisher.fault(end, Some(fault));
            nothing_happens(&scene, "2.2.1").await;
            scene.publisher.fault(end, None);
        }
    }
    for end in [".jar.sha1", ".jar.asc", "latest-versions.yml"] {
        scene.publisher.fault(end, Some(Fault::Endless));
        nothing_happens(&scene, "is longer than").await;
        scene.publisher.fault(end, None);
    }
    scene.run().await.good();
    scene.answers(NEW).await;
}

#[tokio::test]
async fn a_list_that_leads_out_of_the_folder() {
    let scene = attacked().await;
    scene.lists("../../../../tmp/evil", "../x");
    nothing_happens(&scene, "names a version that is none").await;
    scene.publisher.put("/latest-versions.yml", "<html>not found</html>");
    nothing_happens(&scene, "the list of versions").await;
}

/// What is on disk is verified at every start, whoever put it there.
#[tokio::test]
async fn a_file_that_was_changed_on_disk_is_never_started() {
    let scene = Scene::new(NEW).await;
    scene.place(NEW, good());
    let jar = scene.file("integrasjonspunkt-2.2.1.jar");
    let changed = scene.jar(NEW, json!({ "kind": "good", "evil": true }));
    std::fs::write(&jar, changed).unwrap();
    scene.run().await.bad("Invalid artifact signature");
    assert_eq!(scene.processes(), Vec::<i32>::new());
    // Without a signature beside it, the vendor's is fetched; where there is none it says where to put one.
    std::fs::remove_file(scene.file("integrasjonspunkt-2.2.1.jar.asc")).unwrap();
    scene.run().await.bad("put the vendor's signature at");
    assert_eq!(scene.processes(), Vec::<i32>::new());
    scene.publish(NEW, good());
    scene.run().await.bad("Invalid artifact signature");
    std::fs::write(&jar, scene.jar(NEW, good())).unwrap();
    scene.run().await.good();
    scene.answers(NEW).await;
    assert!(
        scene.has("integrasjonspunkt-2.2.1.jar.asc"),
        "the vendor's was fetched and kept"
    );
}

/// The rollback too.
#[tokio::test]
async fn a_changed_old_version_is_not_gone_back_to() {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "failing" }));
    scene.place(OLD, good());
    scene.runs(OLD).await;
    std::fs::write(
        scene.file("integrasjonspunkt-1.7.92-SNAPSHOT.jar"),
        scene.jar(OLD, json!({ "evil": true })),
    )
    .unwrap();
    scene.run().await.bad("does not come back: Invalid artifact signature");
    assert_eq!(scene.processes(), Vec::<i32>::new());
}

struct Signed {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Signed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "content").unwrap();
        Self { folder, file }
    }

    fn verify(&self, signers: &[&Gpg], signature: &[u8], occasion: Occasion) -> Result<String, String> {
        let keys = [key_file(self.folder.path(), "keys.asc", signers)];
        let keys = Keys::read(&keys).map_err(|error| error.to_string())?;
        keys.verify(signature, &self.file, Timestamp::now(), occasion)
            .map_err(|error| error.to_string())
    }
}

#[test]
fn signatures_of_gnupg_by_every_usual_kind_of_key() {
    let signed = Signed::new();
    let usual = Gpg::usual();
    for kind in ["rsa2048", "ed25519", "nistp256"] {
        let signer = Gpg::new(kind, "never", None);
        let signature = signer.sign(b"content");
        for occasion in [Occasion::New, Occasion::Again] {
            assert_eq!(
                signed.verify(&[usual, &signer], &signature, occasion),
                Ok(signer.fingerprint()),
                "{kind}"
            );
        }
        assert_eq!(
            signed.verify(&[usual], &signature, Occasion::New),
            Err("Signer public key not found in keyring".into())
        );
        let other = signer.sign(b"another content");
        assert_eq!(
            signed.verify(&[&signer], &other, Occasion::New),
            Err("Invalid artifact signature".into())
        );
    }
}

#[test]
fn a_subkey_signs_for_its_key() {
    let signed = Signed::new();
    let signer = Gpg::new("rsa2048", "never", None);
    signer.run(&["--quick-add-key", &signer.fingerprint(), "ed25519", "sign", "never"]);
    let signature = signer.sign(b"content");
    let by = signed.verify(&[&signer], &signature, Occasion::New).unwrap();
    assert_ne!(by, signer.fingerprint(), "gpg takes the newest subkey");
}

#[test]
fn a_key_that_expired_signs_nothing_new_and_what_it_signed_can_still_be_started() {
    let signed = Signed::new();
    let expired = Gpg::new("rsa2048", "1y", Some("20200101T000000"));
    let signature = expired.sign(b"content");
    let told = signed.verify(&[&expired], &signature, Occasion::New).unwrap_err();
    assert!(told.contains("Signer public key is expired"), "{told}");
    assert!(signed.verify(&[&expired], &signature, Occasion::Again).is_ok());
    // A newer export of the same key, good for longer, makes it good again.
    let exported = expired.public();
    std::fs::write(signed.folder.path().join("old.asc"), exported).unwrap();
    expired.run(&["--quick-set-expire", &expired.fingerprint(), "20y"]);
    std::fs::write(signed.folder.path().join("new.asc"), expired.public()).unwrap();
    let keys = Keys::read(&["old.asc", "new.asc"].map(|name| signed.folder.path().join(name))).unwrap();
    assert!(
        keys.verify(&signature, &signed.file, Timestamp::now(), Occasion::New)
            .is_ok()
    );
}

#[test]
fn a_key_that_was_taken_back_is_not_trusted() {
    let signed = Signed::new();
    let lost = Gpg::new("rsa2048", "never", None);
    let signature = lost.sign(b"content");
    assert!(signed.verify(&[&lost], &signature, Occasion::Again).is_ok());
    lost.revoke(1);
    for occasion in [Occasion::New, Occasion::Again] {
        let told = signed.verify(&[&lost], &signature, occasion).unwrap_err();
        assert_eq!(told, "Signer public key is revoked");
    }
}

#[test]
fn weak_digests_and_signatures_of_another_time_are_refused() {
    let signed = Signed::new();
    let usual = Gpg::usual();
    let weak = usual.sign_with(b"content", &["--digest-algo", "SHA1", "--allow-weak-digest-algos"]);
    assert_eq!(
        signed.verify(&[usual], &weak, Occasion::New),
        Err("the signature uses a digest that is too weak".into())
    );
    let text = usual.sign_with(b"content", &["--textmode"]);
    assert!(
        signed
            .verify(&[usual], &text, Occasion::New)
            .unwrap_err()
            .contains("not one over a file")
    );
    let future = Gpg::new("ed25519", "never", Some("20990101T000000"));
    let signature = future.sign(b"content");
    let told = signed.verify(&[&future], &signature, Occasion::New).unwrap_err();
    assert!(told.contains("is the clock of this machine right?"), "{told}");
    let short = usual.sign_with(b"content", &["--faked-system-time", "20990101T000000"]);
    assert!(signed.verify(&[usual], &short, Occasion::New).is_err());
    let expired = Gpg::new("ed25519", "never", Some("20200101T000000"));
    let signature = expired.sign_with(b"content", &["--default-sig-expire", "1d"]);
    assert_eq!(
        signed.verify(&[&expired], &signature, Occasion::Again),
        Err("the signature is expired".into())
    );
}

#[test]
fn files_that_are_no_keys_are_told_of_and_one_good_key_is_enough() {
    let signed = Signed::new();
    let bad = signed.folder.path().join("bad.asc");
    std::fs::write(&bad, "no key").unwrap();
    let none = signed.folder.path().join("none.asc");
    assert!(
        Keys::read(&[bad.clone(), none.clone()])
            .unwrap_err()
            .to_string()
            .contains("there is no public key")
    );
    let good = key_file(signed.folder.path(), "good.asc", &[Gpg::usual()]);
    let keys = Keys::read(&[bad, none, good]).unwrap();
    let signature = Gpg::usual().sign(b"content");
    assert!(
        keys.verify(&signature, &signed.file, Timestamp::now(), Occasion::New)
            .is_ok()
    );
}
