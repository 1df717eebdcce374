//! What is left of somebody after an erasure: nothing that names them.

use super::*;
use crate::tests::schema::{apart, driver};

const PERSON: &str = "17912099997";

/// The same as [`new`], to a person.
fn letter(id: &str, conversation: &str) -> NewOutgoing {
    let mut letter = new(id);
    letter.facts.conversation_id = conversation.into();
    letter.facts.receiver = Some(format!("0192:{PERSON}"));
    letter.facts.receiver_identifier = Some(PERSON.into());
    letter
}

async fn subscribed(store: &Store) {
    store
        .subscribe(NewSubscription {
            name: "all".into(),
            push_endpoint: "https://a.example".into(),
            resource: "all".into(),
            event: "all".into(),
            filter: None,
            secret: b"s".to_vec(),
        })
        .await
        .unwrap();
}

/// One sent, one given up, one draft and one received message of the person, and one of somebody else.
async fn filled(store: &Store) {
    for id in ["sent", "failed"] {
        let files = vec![file(&format!("{id}.txt"), 5)];
        store.create(letter(id, "c"), files, RULES, created()).await.unwrap();
        store.queue(id, NOW).await.unwrap();
        let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
        let outcome = if id == "sent" {
            sent()
        } else {
            Outcome::GaveUp {
                status: NewStatus::plain(Status::Feil, NOW).with_receipt(PERSON),
                discard: false,
                now: NOW,
            }
        };
        store.finish(claimed.message.id, claimed.lease, outcome).await.unwrap();
    }
    store
        .create(letter("draft", "c2"), vec![file("draft.txt", 5)], RULES, created())
        .await
        .unwrap();
    let mut came = arrival("came", "t");
    came.facts.sender = format!("0192:{PERSON}");
    came.facts.sender_identifier = PERSON.into();
    came.answer = Some(letter("came", "c3"));
    store.arrive(came).await.unwrap();
    store
        .create(new("other"), vec![file("other.txt", 5)], RULES, created())
        .await
        .unwrap();
}

async fn a_letter_to_a_persons_practitioner_is_about_the_person(place: Place) {
    let store = &place.store;
    let mut letter = letter("m", "c");
    let practitioner = format!("fastlege-for:{PERSON}");
    letter.facts.receiver = Some(practitioner.clone());
    letter.facts.receiver_identifier = Some(practitioner);
    store.create(letter, Vec::new(), RULES, created()).await.unwrap();
    let erased = store.erase(Subject::Party(PERSON.into()), NOW).await.unwrap();
    assert_eq!((erased.conversations, erased.outgoing), (1, 1));
    let left = store.kept_about(Subject::Party(PERSON.into())).await.unwrap();
    assert!(left.is_nothing());
}

/// Whether a text stands in any column of any table.
fn stands_anywhere(connection: &crate::database::Connection, text: &str) -> Vec<String> {
    let tables = match connection.dialect() {
        crate::database::Dialect::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        }
        crate::database::Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public'"
        }
    };
    let columns = connection
        .all(tables, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))
        .unwrap();
    assert!(columns.len() > 100);
    let found = columns.into_iter().filter(|(table, column)| {
        let sql = format!("SELECT 1 FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{text}%' LIMIT 1");
        connection.exists(&sql, &[]).unwrap()
    });
    found.map(|(table, column)| format!("{table}.{column}")).collect()
}

async fn of_a_party_nothing_is_left(place: Place) {
    let store = Arc::clone(&place.store);
    subscribed(&store).await;
    filled(&store).await;
    let party = || Subject::Party(PERSON.into());
    let kept = store.kept_about(party()).await.unwrap();
    assert_eq!((kept.conversations, kept.outgoing, kept.incoming), (4, 3, 1));
    assert_eq!((kept.files, kept.being_sent), (3, 0));
    assert_eq!(kept.statuses, kept.events);
    assert_eq!(store.erase(party(), NOW).await.unwrap(), kept);
    assert!(store.kept_about(party()).await.unwrap().is_nothing());
    let mut garbage = store.garbage(10).await.unwrap();
    garbage.sort();
    assert_eq!(
        garbage,
        ["blob-draft.txt", "blob-failed.txt", "blob-sent.txt", "package-t"]
    );
    assert!(store.outgoing("other").await.unwrap().is_some());
    // The same letter does not come, and does not go, twice.
    assert!(store.was_received("S", "came").await.unwrap());
    assert!(store.knows_message("sent").await.unwrap());
    assert!(store.knows_message("failed").await.unwrap());
    apart(place.ground, |connection| {
        assert_eq!(stands_anywhere(connection, PERSON), Vec::<String>::new());
        assert!(!stands_anywhere(connection, "910076787").is_empty(), "the search works");
    })
    .await;
}

async fn a_message_or_a_conversation_is_erased_alone(place: Place) {
    let store = &place.store;
    filled(store).await;
    let kept = store.erase(Subject::Message("sent".into()), NOW).await.unwrap();
    assert_eq!((kept.conversations, kept.outgoing), (1, 0));
    let kept = store.erase(Subject::Conversation("c".into()), NOW).await.unwrap();
    assert_eq!((kept.conversations, kept.outgoing), (1, 1));
    let left = store.kept_about(Subject::Party(PERSON.into())).await.unwrap();
    assert_eq!((left.conversations, left.outgoing, left.incoming), (2, 2, 1));
}

async fn what_is_in_hand_is_lost_to_its_worker(place: Place) {
    let store = &place.store;
    store
        .create(letter("m", "c"), Vec::new(), RULES, created())
        .await
        .unwrap();
    store.queue("m", NOW).await.unwrap();
    let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    let kept = store
        .erase(Subject::Party(format!("0192:{PERSON}")), NOW)
        .await
        .unwrap();
    assert_eq!((kept.outgoing, kept.being_sent), (1, 1));
    let late = store.finish(claimed.message.id, claimed.lease, sent()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)));
    assert!(store.knows_message("m").await.unwrap());
}

async fn a_visitor_erases_beside_a_node_and_takes_nothing_from_it(place: Place) {
    let store = &place.store;
    filled(store).await;
    queued(store, "in-hand").await;
    let claimed = store.claim("S", NOW, some(5)).await.unwrap();
    let mine = claimed.iter().find(|one| !one.answer).unwrap();
    let visitor = Store::visit(place.ground.place()).await.unwrap();
    let kept = visitor.erase(Subject::Party(PERSON.into()), NOW).await.unwrap();
    assert!(kept.conversations > 0);
    drop(visitor);
    store.finish(mine.message.id, mine.lease, sent()).await.unwrap();
    assert!(
        store
            .kept_about(Subject::Party(PERSON.into()))
            .await
            .unwrap()
            .is_nothing()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_was_erased_no_byte_is_left_in_the_file() {
    let place = Place::on_a_file().await;
    filled(&place.store).await;
    drop(place.store);
    let visitor = Store::visit(place.ground.place()).await.unwrap();
    visitor.erase(Subject::Party(PERSON.into()), NOW).await.unwrap();
    drop(visitor);
    let Ground::File(folder) = &place.ground else {
        panic!("it is on a file");
    };
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(PERSON.len()).any(|window| window == PERSON.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_of_another_version_changes_nothing() {
    let place = Place::on_a_file().await;
    drop(place.store);
    let ground = place.ground.place();
    let batch = move |sql: &'static str| {
        let ground = ground.clone();
        tokio::task::spawn_blocking(move || {
            crate::database::Connection::new(driver(&ground)).batch(sql).unwrap();
        })
    };
    batch("PRAGMA user_version = 0").await.unwrap();
    let visited = Store::visit(place.ground.place()).await;
    assert!(matches!(visited.map(drop), Err(StoreError::TooOld { found: 0 })));
    batch("PRAGMA user_version = 99").await.unwrap();
    let visited = Store::visit(place.ground.place()).await;
    assert!(matches!(visited.map(drop), Err(StoreError::TooNew { found: 99 })));
}

on_every_database! {
    a_letter_to_a_persons_practitioner_is_about_the_person,
    of_a_party_nothing_is_left,
    a_message_or_a_conversation_is_erased_alone,
    what_is_in_hand_is_lost_to_its_worker,
    a_visitor_erases_beside_a_node_and_takes_nothing_from_it,
}
