//! A file of an earlier version is taken forward with what is in it.

use super::*;
use crate::{NewSubscription, SCHEMA};

#[tokio::test]
async fn a_file_of_the_first_step_is_taken_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(SCHEMA[0]).unwrap();
    connection
        .execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO conversation (id, message_id, direction, conversation_id, sender, sender_identifier, process,
                 document_type, message_reference, service, last_update, expiry)
             VALUES (7, 'm', 'OUTGOING', 'c', 's', 's', 'p', 'd', 'c', 'S', 1, 2);
             INSERT INTO status (id, conversation, status, at) VALUES (9, 7, 'OPPRETTET', 1);",
        )
        .unwrap();
    drop(connection);

    let store = Store::open(&path).unwrap();
    store.feed_status_queue(vec!["S".into()]).await.unwrap();
    let new = NewSubscription {
        name: "a".into(),
        push_endpoint: "http://sak.example.no/".into(),
        resource: "all".into(),
        event: "all".into(),
        filter: None,
        secret: b"sealed".to_vec(),
    };
    let subscription = store.subscribe(new).await.unwrap().id;
    let sent = NewStatus::plain(Status::Sendt, NOW);
    let registered = store.register_status("m", Direction::Outgoing, sent).await;
    assert_eq!(registered.unwrap(), Some(true));
    assert_eq!(statuses(&store, "m").await, ["OPPRETTET", "SENDT"]);
    let told = store.next_delivery(subscription).await.unwrap().unwrap();
    assert_eq!(
        (told.event.message_id.as_str(), told.event.status.as_str()),
        ("m", "SENDT")
    );
    let oldest = store.peek_status().await.unwrap().unwrap();
    assert_eq!((oldest.conversation, oldest.status.as_str()), (7, "SENDT"));
    drop(store);

    let version: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, i64::try_from(SCHEMA.len()).unwrap());
}
