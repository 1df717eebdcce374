//! A copy of everything, made under load, and the way back from it.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::backup::{self, About, BackupError, InHand, Made, Restored};
use crate::files::{Files, MessageKey, StoreKey, StoredFiles};
use crate::tests::schema::connection;

const LARGE: usize = 50_000;

/// A store with its files, and somewhere to put backups.
struct House {
    place: Place,
    vault: Vault,
    files: StoredFiles,
    folder: tempfile::TempDir,
    key: MessageKey,
    store_key: StoreKey,
}

impl House {
    fn new(place: Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store_key = StoreKey::generate().unwrap();
        let files = Files::folder(&folder.path().join("files"), store_key.clone()).unwrap();
        Self {
            files: StoredFiles::from(&files),
            vault: Vault::new(files, Arc::clone(&place.store)),
            place,
            folder,
            key: MessageKey::generate().unwrap(),
            store_key,
        }
    }

    /// A message with a large file and a small one.
    async fn send(&self, id: &str, queue: bool) {
        let files = [LARGE, 100].map(|size| written(&self.vault, &self.key, id, size));
        let rules = AttachmentRules { limit: 1 << 30 };
        self.place
            .store
            .create(new(id), files.into(), rules, created())
            .await
            .unwrap();
        if queue {
            self.place.store.queue(id, NOW).await.unwrap();
        }
    }

    /// As housekeeping does.
    async fn remove_garbage(&self) {
        let garbage = self.place.store.garbage(500).await.unwrap();
        if !self.place.store.files_are_held().await.unwrap() {
            self.vault.remove(&garbage).unwrap();
            self.place.store.garbage_removed(garbage).await.unwrap();
        }
    }

    fn backup_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("backup")
    }

    async fn backup(&self) -> Result<Made, BackupError> {
        let (place, files, to) = (self.place.ground.place(), self.files.clone(), self.backup_folder());
        apart_from_tasks(move || backup::make(&place, &files, &to, about_it(), &|_| ())).await
    }

    async fn restore(&self, ground: &Ground, in_hand: InHand) -> Result<Restored, BackupError> {
        let from = self.backup_folder();
        let (place, files) = (ground.place(), self.folder.path().join("restored"));
        apart_from_tasks(move || {
            let files = StoredFiles::folder(&files).unwrap();
            backup::restore(&from, &place, &files, in_hand, NOW + HOUR, &|_| ())
        })
        .await
    }

    /// The store and the files that a backup was restored to.
    async fn restored(&self, in_hand: InHand) -> (Place, Vault, Restored) {
        let ground = empty_ground(&self.place.ground).await;
        let restored = self.restore(&ground, in_hand).await.unwrap();
        let place = Place::on(ground).await;
        let files = Files::folder(&self.folder.path().join("restored"), self.store_key.clone()).unwrap();
        let vault = Vault::new(files, Arc::clone(&place.store));
        (place, vault, restored)
    }
}

fn written(vault: &Vault, key: &MessageKey, id: &str, size: usize) -> NewAttachment {
    let mut writer = vault.create(key).unwrap();
    writer.write_all(&content(id, size)).unwrap();
    let file = writer.finish().unwrap();
    file.claim();
    let mut attachment = super::file(&format!("{size}.txt"), size as u64);
    attachment.file.blob = file.name().to_owned();
    attachment.small = file.small().map(<[u8]>::to_vec);
    attachment
}

fn content(id: &str, size: usize) -> Vec<u8> {
    id.bytes().cycle().take(size).collect()
}

fn about_it() -> About {
    About {
        program: "budstikke 0".into(),
        organisation: "991825827".into(),
        made: "2026-03-02T09:15:00Z".into(),
    }
}

async fn apart_from_tasks<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn empty_ground(like: &Ground) -> Ground {
    match like {
        Ground::File(_) => Ground::File(tempfile::tempdir().unwrap()),
        Ground::Server(_) => {
            let database = apart_from_tasks(|| budstikke_test_postgres::Server::shared().unwrap().database().unwrap());
            Ground::Server(database.await)
        }
    }
}

async fn all(store: &Store) -> Vec<Conversation> {
    let page = PageRequest {
        page: 0,
        size: 2000,
        sort: Vec::new(),
    };
    let found = store.conversations(ConversationFilter::default(), page).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64);
    found.items
}

async fn a_backup_under_load_is_one_moment_with_every_file(place: Place) {
    let house = Arc::new(House::new(place));
    let (stop, sent_count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = tokio::spawn({
        let (house, stop, sent_count) = (house.clone(), stop.clone(), sent_count.clone());
        async move {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                house.send(&format!("m{number}"), true).await;
                number += 1;
                // Some stay behind, so that there is always something on its way.
                if number % 3 > 0 {
                    for claimed in house.place.store.claim("S", NOW, some(1)).await.unwrap() {
                        let (id, lease) = (claimed.message.id, claimed.lease);
                        house.place.store.finish(id, lease, sent()).await.unwrap();
                        sent_count.fetch_add(1, Ordering::Relaxed);
                    }
                }
                house.remove_garbage().await;
            }
            number
        }
    });
    while sent_count.load(Ordering::Relaxed) < 20 {
        tokio::task::yield_now().await;
    }
    let made = house.backup().await.unwrap();
    let after = sent_count.load(Ordering::Relaxed);
    while sent_count.load(Ordering::Relaxed) < after + 5 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let created = load.await.unwrap();
    assert_eq!(made.unreadable, []);
    assert!(made.files > 5, "{made:?}");

    let (place, vault, restored) = house.restored(InHand::HeldBack).await;
    let found = all(&place.store).await;
    assert!(
        found.len() >= 20 && found.len() < created,
        "{} of {created}",
        found.len()
    );
    let given_up = place.store.given_up(1000).await.unwrap();
    assert_eq!(restored.in_hand, given_up.len() as u64);
    let mut on_their_way = 0;
    for conversation in &found {
        let id = conversation.facts.message_id.as_str();
        let left = conversation.statuses.iter().any(|status| status.status == "SENDT");
        let held = given_up.iter().any(|message| message.message_id == id);
        let draft = place.store.outgoing(id).await.unwrap().is_some();
        // One moment: it is gone, or it is there with all its files.
        assert_eq!(u8::from(left) + u8::from(held) + u8::from(draft), 1, "{id}");
        if held {
            on_their_way += 1;
            assert!(place.store.resend(id, NOW + HOUR, NOW).await.unwrap());
        }
    }
    assert!(on_their_way > 0);
    let claimed = place.store.claim("S", NOW + HOUR, some(1000)).await.unwrap();
    assert_eq!(claimed.len(), on_their_way);
    for one in claimed {
        assert!(one.uncertain, "it may have left before the restore");
        let id = one.message.facts.message_id.clone();
        assert_eq!(one.files.len(), 2);
        for file in &one.files {
            let mut read = Vec::new();
            let key = house.key.clone();
            let (vault, blob) = (vault.clone(), file.blob.clone());
            let mut reader = apart_from_tasks(move || vault.read(&key, &blob)).await.unwrap();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, content(&id, usize::try_from(file.size).unwrap()));
        }
        place.store.finish(one.message.id, one.lease, sent()).await.unwrap();
    }
    // Everything goes on.
    place
        .store
        .create(new("next"), Vec::new(), RULES, super::created())
        .await
        .unwrap();
    place.store.queue("next", NOW).await.unwrap();
    assert_eq!(place.store.claim("S", NOW, some(10)).await.unwrap().len(), 1);
}

async fn what_was_on_its_way_is_held_back_or_sent_as_you_say(place: Place) {
    let house = House::new(place);
    for (id, queue) in [("draft", false), ("ready", true), ("in-hand", true), ("waiting", true)] {
        house.send(id, queue).await;
    }
    let store = &house.place.store;
    for claimed in store.claim("S", NOW, some(3)).await.unwrap() {
        let due = match claimed.message.facts.message_id.as_str() {
            "in-hand" => continue,
            "ready" => NOW,
            _ => NOW + HOUR,
        };
        let retry = Outcome::Retry {
            due,
            error: "no answer".into(),
            uncertain: false,
        };
        store.finish(claimed.message.id, claimed.lease, retry).await.unwrap();
    }
    store.arrive(arrival_of("came", "t")).await.unwrap();
    house.backup().await.unwrap();

    let (place, _, restored) = house.restored(InHand::HeldBack).await;
    assert_eq!(restored.in_hand, 3);
    let held = place.store.given_up(10).await.unwrap();
    let mut ids: Vec<&str> = held.iter().map(|message| message.message_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["in-hand", "ready", "waiting"]);
    for message in &held {
        assert!(message.uncertain);
        let error = message.error.as_deref().unwrap();
        assert!(
            error.starts_with("restored from a backup of 2026-03-02T09:15:00Z"),
            "{error}"
        );
    }
    assert!(place.store.outgoing("draft").await.unwrap().is_some());
    assert_eq!(place.store.incoming_length().await.unwrap(), 1);
    assert!(place.store.was_received("S", "came").await.unwrap());
    let answers = place.store.claim("S", NOW + 2 * HOUR, some(10)).await.unwrap();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].answer && answers[0].uncertain);

    let (place, _, restored) = house.restored(InHand::Sent).await;
    assert_eq!(restored.in_hand, 3);
    assert!(place.store.given_up(10).await.unwrap().is_empty());
    let claimed = place.store.claim("S", NOW + 2 * HOUR, some(10)).await.unwrap();
    assert_eq!(claimed.len(), 4);
    assert!(claimed.iter().all(|message| message.uncertain));
}

/// Without a package: its file would not be there.
fn arrival_of(message_id: &str, reference: &str) -> Arrival {
    Arrival {
        package: None,
        ..arrival(message_id, reference)
    }
}

async fn ids_that_were_given_out_after_the_backup_are_not_given_out_again(place: Place) {
    let house = House::new(place);
    house.send("before", false).await;
    house.backup().await.unwrap();
    house.send("after", false).await;
    let after = house.place.store.outgoing_conversation("after").await.unwrap().unwrap();
    let (place, ..) = house.restored(InHand::HeldBack).await;
    assert!(place.store.outgoing_conversation("after").await.unwrap().is_none());
    place
        .store
        .create(new("other"), Vec::new(), RULES, created())
        .await
        .unwrap();
    let other = place.store.outgoing_conversation("other").await.unwrap().unwrap();
    assert!(other.id > after.id && other.statuses[0].id > after.statuses[0].id);
}

async fn a_restore_needs_an_empty_place_and_a_backup_an_empty_folder(place: Place) {
    let house = House::new(place);
    house.send("m", true).await;
    house.backup().await.unwrap();
    assert!(matches!(house.backup().await, Err(BackupError::NotEmpty(_))));
    let occupied = house.restore(&house.place.ground, InHand::HeldBack).await;
    assert!(matches!(occupied, Err(BackupError::Occupied(_))), "{occupied:?}");
    assert_eq!(all(&house.place.store).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_another_database_is_no_empty_place() {
    let house = House::new(Place::on_a_file().await);
    house.send("m", true).await;
    house.backup().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.db-wal"), b"left").unwrap();
    let occupied = house
        .restore(&Ground::File(folder), InHand::HeldBack)
        .await
        .unwrap_err();
    assert!(occupied.to_string().contains("b.db-wal"), "{occupied}");
}

/// Any file of the backup that lies below a name that begins so.
fn some_file(folder: &Path) -> std::path::PathBuf {
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    folders
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .next()
        .unwrap()
}

async fn a_damaged_backup_is_refused_and_nothing_is_restored(place: Place) {
    let house = House::new(place);
    house.send("m", true).await;
    house.backup().await.unwrap();
    let ground = empty_ground(&house.place.ground).await;
    let file = some_file(&house.backup_folder().join("files"));
    let whole = std::fs::read(&file).unwrap();
    let mut changed = whole.clone();
    changed[LARGE / 2] ^= 1;
    for (bytes, said) in [(changed, "was changed"), (whole[..100].to_vec(), "has 100 bytes")] {
        std::fs::write(&file, bytes).unwrap();
        let error = house.restore(&ground, InHand::HeldBack).await.unwrap_err().to_string();
        assert!(
            error.contains(said) && error.contains(file.to_str().unwrap()),
            "{error}"
        );
    }
    std::fs::write(&file, &whole).unwrap();
    let manifest = house.backup_folder().join("manifest.json");
    let text = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    let cut = house.restore(&ground, InHand::HeldBack).await;
    assert!(matches!(cut, Err(BackupError::NoBackup { .. })), "{cut:?}");
    std::fs::write(&manifest, &text).unwrap();
    house.restore(&ground, InHand::HeldBack).await.unwrap();
}

async fn a_file_that_is_lost_already_is_named_and_the_rest_is_saved(place: Place) {
    let house = House::new(place);
    house.send("m", true).await;
    house.send("n", true).await;
    let lost = some_file(&house.folder.path().join("files"));
    std::fs::remove_file(&lost).unwrap();
    let made = house.backup().await.unwrap();
    assert_eq!((made.files, made.unreadable.len()), (1, 1));
    assert!(lost.ends_with(&made.unreadable[0].0));
    let (.., restored) = house.restored(InHand::HeldBack).await;
    assert_eq!((restored.files, restored.unreadable), (1, 1));
}

async fn while_a_backup_is_made_no_file_is_removed(place: Place) {
    let house = House::new(place);
    let ground = house.place.ground.place();
    assert!(!house.place.store.files_are_held().await.unwrap());
    let hold = apart_from_tasks(move || backup::hold::Hold::take(&ground).unwrap()).await;
    assert!(house.place.store.files_are_held().await.unwrap());
    apart_from_tasks(move || drop(hold)).await;
    // The server lets go when it sees the connection end.
    while house.place.store.files_are_held().await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_cut_off_lets_no_node_start_and_can_be_begun_again() {
    let house = House::new(Place::on_a_server().await);
    house.send("m", true).await;
    house.backup().await.unwrap();
    let ground = empty_ground(&house.place.ground).await;
    house.restore(&ground, InHand::HeldBack).await.unwrap();
    let ground = apart_from_tasks(move || {
        // As if it had ended before its last transaction.
        connection(&ground).batch("CREATE TABLE restore_under_way ()").unwrap();
        ground
    })
    .await;
    let opened = Store::open(ground.place(), "too early").await;
    assert!(matches!(opened.map(drop), Err(StoreError::Restoring)));
    let restored = house.restore(&ground, InHand::HeldBack).await.unwrap();
    assert_eq!(restored.in_hand, 1);
    let place = Place::on(ground).await;
    assert_eq!(place.store.given_up(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_another_kind_of_database_is_refused() {
    let house = House::new(Place::on_a_file().await);
    house.send("m", true).await;
    house.backup().await.unwrap();
    let ground = Place::on_a_server().await.ground;
    let refused = house.restore(&ground, InHand::HeldBack).await.unwrap_err();
    assert!(refused.to_string().contains("is of a sqlite database"), "{refused}");
}

on_every_database! {
    a_backup_under_load_is_one_moment_with_every_file,
    what_was_on_its_way_is_held_back_or_sent_as_you_say,
    ids_that_were_given_out_after_the_backup_are_not_given_out_again,
    a_restore_needs_an_empty_place_and_a_backup_an_empty_folder,
    a_damaged_backup_is_refused_and_nothing_is_restored,
    a_file_that_is_lost_already_is_named_and_the_rest_is_saved,
    while_a_backup_is_made_no_file_is_removed,
}
