//! As much goes as comes: the database does not grow.

use super::schema::{self, apart};
use super::*;
use crate::database::{Connection, Dialect};

/// Bytes that a finished message with four statuses leaves, indexes included.
const LARGEST_RECORD: i64 = 4500;

/// Messages of which half were sent and half were received, with all that their lives leave.
async fn fill(store: &Store, round: usize, messages: usize) {
    for number in 0..messages {
        let id = format!("{round}-{number}");
        let mut with_file = file("first.txt", 5);
        with_file.file.blob = format!("blob-{id}");
        with_file.small = Some(vec![7; 3000]);
        store.create(new(&id), vec![with_file], RULES, created()).await.unwrap();
        store.queue(&id, NOW).await.unwrap();
        for claimed in store.claim("S", NOW, some(1)).await.unwrap() {
            store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
        }
        let status = NewStatus::plain(Status::Levert, NOW + 2).with_receipt("x".repeat(500));
        store
            .register_status(&id, Direction::Outgoing, status)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn empty(store: &Store, round: usize, messages: usize) {
    for number in 0..messages {
        assert!(
            store
                .delete_conversations_of(&format!("{round}-{number}"), NOW)
                .await
                .unwrap()
        );
    }
    while store.fold_ids(NOW + 48 * HOUR).await.unwrap() > 0 {}
    while store.tidy(NOW).await.unwrap() {}
}

/// Bytes of tables and indexes. What the memory of ids takes is meant to grow, for 400 days.
fn size(connection: &Connection) -> i64 {
    let sql = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT page_count * page_size - (SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE '%seen%') \
             FROM pragma_page_count, pragma_page_size"
        }
        Dialect::Postgres => {
            // As the server does by itself in the course of a day; pages of indexes are free after the second time.
            connection.batch("VACUUM").unwrap();
            connection.batch("VACUUM").unwrap();
            "SELECT CAST(sum(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'seen%' AND relname <> 'commit_mark'"
        }
    };
    connection.one(sql, &[], |row| row.get(0)).unwrap()
}

async fn measured(place: &Place) -> i64 {
    let ground = place.ground.place();
    let measuring = tokio::task::spawn_blocking(move || size(&Connection::new(schema::driver(&ground))));
    measuring.await.unwrap()
}

/// A message as it is in use, from its draft to LEVERT.
async fn lived(store: &Store, number: u32) {
    let id = format!("c5e7f8a0-2b1d-4e3f-9a8b-{number:012}");
    let mut message = new(&id);
    message.facts.conversation_id = format!("d5e7f8a0-2b1d-4e3f-9a8b-{number:012}");
    message.facts.process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0".into();
    message.facts.document_type = "urn:no:difi:arkivmelding:xsd::arkivmelding".into();
    message.facts.service = "DPO".into();
    let mut with_file = file("arkivmelding.xml", 5);
    with_file.file.blob = format!("blob-{id}");
    with_file.describes = Some(Description {
        title: "Svar på søknad om byggetillatelse, gnr 1 bnr 2".into(),
        reference: None,
    });
    store.create(message, vec![with_file], RULES, created()).await.unwrap();
    store.queue(&id, NOW).await.unwrap();
    for claimed in store.claim("DPO", NOW, some(1)).await.unwrap() {
        let left = Outcome::Sent {
            statuses: vec![NewStatus::plain(Status::Sendt, NOW + i64::from(number))],
            reference: Some(format!("e5e7f8a0-2b1d-4e3f-9a8b-{number:012}")),
            track_at: None,
        };
        store.finish(claimed.message.id, claimed.lease, left).await.unwrap();
    }
    for status in [Status::Mottatt, Status::Levert] {
        let status = NewStatus::plain(status, NOW + i64::from(number)).saying("Levert til mottaker");
        store.register_status(&id, Direction::Outgoing, status).await.unwrap();
    }
}

async fn a_finished_message_leaves_few_bytes(place: Place) {
    const MESSAGES: u32 = 3000;
    let empty = measured(&place).await;
    let mut lives = tokio::task::JoinSet::new();
    for first in 0..30 {
        let store = Arc::clone(&place.store);
        lives.spawn(async move {
            for number in first * MESSAGES / 30..(first + 1) * MESSAGES / 30 {
                lived(&store, number).await;
            }
        });
    }
    lives.join_all().await;
    while place.store.tidy(NOW).await.unwrap() {}
    let each = (measured(&place).await - empty) / i64::from(MESSAGES);
    println!("{each} bytes for each finished message");
    assert!(each < LARGEST_RECORD, "{each}");
}

async fn after_a_purge_the_same_again_takes_no_more_room(place: Place) {
    const MESSAGES: usize = 400;
    fill(&place.store, 0, MESSAGES).await;
    let full = measured(&place).await;
    empty(&place.store, 0, MESSAGES).await;
    let purged = measured(&place).await;
    assert!(purged < full, "{purged} bytes after the purge, {full} before");
    let mut sizes = vec![full];
    for round in 1..4 {
        fill(&place.store, round, MESSAGES).await;
        sizes.push(measured(&place).await);
        empty(&place.store, round, MESSAGES).await;
        measured(&place).await;
    }
    println!("purged: {purged}, full: {sizes:?}");
    // Rows come to stand less close the first time, by how much is the sweeper's to say; after that nothing grows.
    assert!(sizes[1] < full + full / 2, "{sizes:?}");
    assert!(
        sizes[2..].iter().all(|size| *size < sizes[1] + sizes[1] / 10),
        "{sizes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_gets_smaller_when_much_has_gone() {
    let place = Place::on_a_file().await;
    let Ground::File(folder) = &place.ground else {
        panic!("it is on a file");
    };
    let length = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
    let item = |number: i64| SetAside {
        id: 0,
        service: "S".into(),
        reference: number.to_string(),
        reason: "large".into(),
        blob: Some(format!("blob-{number}")),
        size: None,
        data_key: None,
        at: NOW + number,
    };
    for number in 0..800 {
        store_aside(&place.store, item(number)).await;
    }
    while place.store.tidy(NOW).await.unwrap() {}
    let before = length("b.db");
    assert!(before > 20 << 20, "{before}");
    assert!(length("b.db-wal") < 24 << 20, "{}", length("b.db-wal"));
    let rule = Arc::new(RetentionRule {
        removes: Removes::SetAside,
        direction: None,
        services: Vec::new(),
        processes: Vec::new(),
        statuses: Vec::new(),
        age: 0,
    });
    let mut walk = Walk::default();
    let mut removed = 0;
    for _ in 0..4 {
        let step = place.store.purge(&rule, walk, NOW + 700).await.unwrap();
        (walk, removed) = (step.walk, removed + step.removed);
    }
    assert_eq!(removed, 700);
    while place.store.tidy(NOW).await.unwrap() {}
    // What is still in the log is written to the file, which is cut then.
    drop(place.store);
    drop(Store::open(place.ground.place(), "again").await.unwrap());
    let after = length("b.db");
    assert!(after < before / 4, "{before} bytes before, {after} after");
}

async fn store_aside(store: &Store, item: SetAside) {
    store.set_aside(item, Some(vec![9; 30_000])).await.unwrap();
}

async fn tallies_of_connections_that_are_gone_are_added_up(place: Place) {
    for number in 0..10 {
        let id = number.to_string();
        place
            .store
            .create(new(&id), Vec::new(), RULES, created())
            .await
            .unwrap();
    }
    let place = place.reopened().await;
    place
        .store
        .create(new("last"), Vec::new(), RULES, created())
        .await
        .unwrap();
    while place.store.tidy(NOW).await.unwrap() {}
    let page = PageRequest {
        page: 0,
        size: 1,
        sort: Vec::new(),
    };
    let found = place.store.conversations(ConversationFilter::default(), page.clone());
    assert_eq!(found.await.unwrap().total, 11);
    let ((), statuses) = place
        .store
        .look_through_statuses(StatusFilter::default(), page, (), |(), _| ())
        .await
        .unwrap();
    assert_eq!(statuses, 11);
    let store = Arc::clone(&place.store);
    apart(place.ground, move |connection| {
        if connection.dialect() == Dialect::Postgres {
            for table in ["conversation_tally", "status_tally"] {
                let sql = format!("SELECT CAST(sum(count) AS BIGINT) FROM {table} WHERE part = 0");
                let added: i64 = connection.one(&sql, &[], |row| row.get(0)).unwrap();
                assert_eq!(added, 10, "{table}");
            }
        }
        drop(store);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_of_commits_that_nobody_asks_for_are_removed() {
    let place = Place::on_a_server().await;
    let store = Arc::clone(&place.store);
    apart(place.ground, move |connection| {
        let old = (NOW - 2 * HOUR) << 20;
        connection
            .batch(&format!(
                "INSERT INTO commit_mark SELECT {old} + number FROM generate_series(1, 12000) AS number; \
                 INSERT INTO commit_mark VALUES ({})",
                (NOW - HOUR / 2) << 20
            ))
            .unwrap();
        let runtime = tokio::runtime::Handle::current();
        let mut steps = 1;
        while runtime.block_on(store.tidy(NOW)).unwrap() {
            steps += 1;
        }
        assert_eq!(steps, 3, "5000 in each");
        let count = |condition: String| -> i64 {
            let sql = format!("SELECT count(*) FROM commit_mark WHERE {condition}");
            connection.one(&sql, &[], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(format!("id < {}", (NOW - HOUR) << 20)), 0);
        assert!(count(format!("id >= {}", (NOW - HOUR) << 20)) > 1);
    })
    .await;
}

on_every_database! {
    a_finished_message_leaves_few_bytes,
    after_a_purge_the_same_again_takes_no_more_room,
    tallies_of_connections_that_are_gone_are_added_up,
}
