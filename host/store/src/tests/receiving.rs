//! The queue that the fagsystem takes from, and statuses that come back.

use super::*;
use crate::condition::Where;
use crate::database::Dialect;
use crate::incoming;

async fn an_arrival_is_taken_once_also_after_the_fagsystem_took_it(place: Place) {
    let store = &place.store;
    assert!(store.arrive(arrival("m", "t1")).await.unwrap());
    assert!(!store.arrive(arrival("m", "t2")).await.unwrap(), "still on the queue");
    assert_eq!(store.garbage(10).await.unwrap(), ["package-t2"]);
    let peeked = store
        .peek(IncomingFilter::default(), NOW, NOW + HOUR)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(peeked.0.message_id, "m");
    store
        .take("m", None, NewStatus::plain(Status::InnkommendeLevert, NOW), None)
        .await
        .unwrap();
    assert!(!store.arrive(arrival("m", "t3")).await.unwrap(), "taken long ago");
    assert!(store.was_handled("S", "t3").await.unwrap());
    assert_eq!(
        store.claim("S", NOW, some(10)).await.unwrap().len(),
        1,
        "one answer only"
    );
}

async fn a_hundred_parallel_peeks_hand_each_message_to_one(place: Place) {
    let store = &place.store;
    for index in 0..30 {
        store
            .arrive(arrival(&format!("m{index}"), &format!("t{index}")))
            .await
            .unwrap();
    }
    let peeks = (0..100).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.peek(IncomingFilter::default(), NOW, NOW + HOUR).await.unwrap() })
    });
    let mut got = Vec::new();
    for peek in peeks {
        got.extend(peek.await.unwrap().map(|(message, _)| message.message_id));
    }
    got.sort();
    let all = got.len();
    got.dedup();
    assert_eq!((all, got.len()), (30, 30));
}

async fn a_lock_ends_and_without_one_nothing_is_taken(place: Place) {
    let store = &place.store;
    store.arrive(arrival("m", "t")).await.unwrap();
    assert!(matches!(store.locked("m", None, NOW).await, Err(StoreError::NotLocked)));
    store
        .peek(IncomingFilter::default(), NOW, NOW + 1000)
        .await
        .unwrap()
        .unwrap();
    assert!(
        store
            .peek(IncomingFilter::default(), NOW + 999, NOW + HOUR)
            .await
            .unwrap()
            .is_none()
    );
    assert!(store.locked("m", None, NOW + 999).await.is_ok());
    let late = store
        .take("m", None, NewStatus::plain(Status::InnkommendeLevert, NOW + 1000), None)
        .await;
    assert!(matches!(late, Err(StoreError::NotLocked)));
    assert!(
        store
            .peek(IncomingFilter::default(), NOW + 1000, NOW + HOUR)
            .await
            .unwrap()
            .is_some()
    );
}

async fn each_filter_alone_and_together_selects_only_its_match(place: Place) {
    let store = &place.store;
    store.arrive(arrival("a", "t1")).await.unwrap();
    store.arrive(arrival("b", "t2")).await.unwrap();
    let both = IncomingFilter {
        message_id: Some("a".into()),
        conversation_id: Some("c-b".into()),
        ..IncomingFilter::default()
    };
    assert!(store.peek(both, NOW, NOW + HOUR).await.unwrap().is_none());
    let one = IncomingFilter {
        conversation_id: Some("c-b".into()),
        ..IncomingFilter::default()
    };
    assert_eq!(
        store.peek(one, NOW, NOW + HOUR).await.unwrap().unwrap().0.message_id,
        "b"
    );
}

async fn a_status_counts_once_and_an_unknown_message_is_said(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let levert = || NewStatus::plain(Status::Levert, NOW + 2);
    assert_eq!(
        store.register_status("m", Direction::Outgoing, levert()).await.unwrap(),
        Some(true)
    );
    assert_eq!(
        store.register_status("m", Direction::Outgoing, levert()).await.unwrap(),
        Some(false)
    );
    assert_eq!(
        store.register_status("x", Direction::Outgoing, levert()).await.unwrap(),
        None
    );
    let conversation = store.outgoing_conversation("m").await.unwrap().unwrap();
    assert!(conversation.finished);
    assert!(
        store
            .arrive_status("t", about("m", "910076787"), levert())
            .await
            .unwrap()
    );
    assert!(
        !store
            .arrive_status("t", about("x", "910076787"), levert())
            .await
            .unwrap()
    );
    let feil = NewStatus::plain(Status::Feil, NOW);
    assert!(
        !store
            .arrive_status("t", about("m", "987464291"), feil.clone())
            .await
            .unwrap(),
        "not the receiver"
    );
    let elsewhere = About {
        service: "T".into(),
        ..about("m", "910076787")
    };
    assert!(
        !store.arrive_status("t", elsewhere, feil).await.unwrap(),
        "another service"
    );
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "LEVERT"]);
}

async fn a_status_that_overtakes_the_end_of_its_sending_stands_behind_sendt(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    store
        .arrive_status("t", about("m", "910076787"), NewStatus::plain(Status::Mottatt, NOW))
        .await
        .unwrap();
    store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "SENDT", "MOTTATT"]);
}

async fn a_receipt_sets_the_status_of_the_message_it_is_about(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let receipt = Arrival {
        related: Some((
            about("m", "910076787"),
            NewStatus::plain(Status::Lest, NOW).saying("read"),
        )),
        ..arrival("r", "t")
    };
    store.arrive(receipt).await.unwrap();
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "LEST"]);
}

async fn a_client_that_names_its_lock_cannot_take_what_another_one_has_locked_since(place: Place) {
    let store = &place.store;
    store.arrive(arrival("m", "t")).await.unwrap();
    let all = IncomingFilter::default;
    let (_, first) = store.peek(all(), NOW, NOW + 1000).await.unwrap().unwrap();
    let (_, second) = store.peek(all(), NOW + 1000, NOW + HOUR).await.unwrap().unwrap();
    assert_ne!(first, second);
    let taken = NewStatus::plain(Status::InnkommendeLevert, NOW + 1001);
    for token in [first.clone(), LockToken::given(""), LockToken::given("nonsense")] {
        assert!(matches!(
            store.locked("m", Some(token.clone()), NOW + 1001).await,
            Err(StoreError::LockedByAnother)
        ));
        assert!(matches!(
            store.take("m", Some(token.clone()), taken.clone(), None).await,
            Err(StoreError::LockedByAnother)
        ));
        assert!(matches!(
            store.unlock("m", token, NOW + 1001).await,
            Err(StoreError::LockedByAnother)
        ));
    }
    assert!(store.locked("m", None, NOW + 1001).await.is_ok());
    assert!(store.take("m", Some(second), taken, None).await.is_ok());
}

async fn a_lock_that_is_given_back_leaves_the_message_in_its_place(place: Place) {
    let store = &place.store;
    for (number, id) in ["a", "b"].into_iter().enumerate() {
        let mut arrival = arrival(id, id);
        arrival.now = NOW + i64::try_from(number).unwrap();
        store.arrive(arrival).await.unwrap();
    }
    let peek = || store.peek(IncomingFilter::default(), NOW + 5, NOW + HOUR);
    let (message, token) = peek().await.unwrap().unwrap();
    assert_eq!(message.message_id, "a");
    store.unlock("a", token.clone(), NOW + 5).await.unwrap();
    assert!(matches!(
        store.unlock("a", token, NOW + 5).await,
        Err(StoreError::NotLocked)
    ));
    assert_eq!(peek().await.unwrap().unwrap().0.message_id, "a");
    assert_eq!(peek().await.unwrap().unwrap().0.message_id, "b");
    assert!(matches!(
        store.unlock("x", LockToken::given("x"), NOW).await,
        Err(StoreError::NotFound)
    ));
}

/// How the database means to carry out a query.
async fn plan(store: &Store, query: String, condition: Where) -> String {
    store
        .read(move |connection| {
            let (explain, column) = match connection.dialect() {
                Dialect::Sqlite => ("EXPLAIN QUERY PLAN", 3),
                Dialect::Postgres => {
                    // An empty table is read as a whole, whatever it has.
                    connection.batch("SET enable_seqscan = off")?;
                    ("EXPLAIN", 0)
                }
            };
            let query = format!("{explain} {query}");
            let steps: Vec<String> = connection.all(&query, condition.params(), |row| row.get(column))?;
            Ok(steps.join("; "))
        })
        .await
        .unwrap()
}

async fn the_oldest_is_found_without_sorting_the_queue(place: Place) {
    let store = &place.store;
    for filter in [
        IncomingFilter::default(),
        IncomingFilter {
            service: Some("S".into()),
            ..IncomingFilter::default()
        },
    ] {
        let mut free = filter.clone().condition();
        free.compare("coalesce(locked_until, 0)", "<=", Some(NOW));
        let peek = plan(store, incoming::oldest(&free), free).await;
        let page = PageRequest {
            page: 0,
            size: 10,
            sort: Vec::new(),
        };
        let all = filter.condition();
        let query = format!(
            "SELECT message_id FROM incoming{}{}",
            all.sql(),
            incoming::in_order(&page)
        );
        let list = plan(store, query, all).await;
        for steps in [peek, list] {
            assert!(
                steps.contains("incoming_by_age") && !steps.contains("TEMP B-TREE") && !steps.contains("Sort"),
                "{steps}"
            );
        }
    }
}

on_every_database! {
    an_arrival_is_taken_once_also_after_the_fagsystem_took_it,
    a_hundred_parallel_peeks_hand_each_message_to_one,
    a_lock_ends_and_without_one_nothing_is_taken,
    each_filter_alone_and_together_selects_only_its_match,
    a_status_counts_once_and_an_unknown_message_is_said,
    a_status_that_overtakes_the_end_of_its_sending_stands_behind_sendt,
    a_receipt_sets_the_status_of_the_message_it_is_about,
    a_client_that_names_its_lock_cannot_take_what_another_one_has_locked_since,
    a_lock_that_is_given_back_leaves_the_message_in_its_place,
    the_oldest_is_found_without_sorting_the_queue,
}
