//! The queue that the fagsystem takes from, and statuses that come back.

use super::*;

#[tokio::test]
async fn an_arrival_is_taken_once_also_after_the_fagsystem_took_it() {
    let Place { store, folder: _folder } = Place::new();
    assert!(store.arrive(arrival("m", "t1")).await.unwrap());
    assert!(!store.arrive(arrival("m", "t2")).await.unwrap(), "still on the queue");
    assert_eq!(store.garbage(10).await.unwrap(), ["package-t2"]);
    let peeked = store
        .peek(IncomingFilter::default(), NOW, NOW + HOUR)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(peeked.message_id, "m");
    store
        .take("m", NewStatus::plain(Status::InnkommendeLevert, NOW), None)
        .await
        .unwrap();
    assert!(!store.arrive(arrival("m", "t3")).await.unwrap(), "taken long ago");
    assert!(store.was_handled("S", "t3").await.unwrap());
    assert_eq!(store.claim("S", NOW, 10).await.unwrap().len(), 1, "one answer only");
}

#[tokio::test]
async fn a_hundred_parallel_peeks_hand_each_message_to_one() {
    let Place { store, folder: _folder } = Place::new();
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
        got.extend(peek.await.unwrap().map(|message| message.message_id));
    }
    got.sort();
    let all = got.len();
    got.dedup();
    assert_eq!((all, got.len()), (30, 30));
}

#[tokio::test]
async fn a_lock_ends_and_without_one_nothing_is_taken() {
    let Place { store, folder: _folder } = Place::new();
    store.arrive(arrival("m", "t")).await.unwrap();
    assert!(matches!(store.locked("m", NOW).await, Err(StoreError::NotLocked)));
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
    assert!(store.locked("m", NOW + 999).await.is_ok());
    let late = store
        .take("m", NewStatus::plain(Status::InnkommendeLevert, NOW + 1000), None)
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

#[tokio::test]
async fn each_filter_alone_and_together_selects_only_its_match() {
    let Place { store, folder: _folder } = Place::new();
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
    assert_eq!(store.peek(one, NOW, NOW + HOUR).await.unwrap().unwrap().message_id, "b");
}

#[tokio::test]
async fn a_status_counts_once_and_an_unknown_message_is_said() {
    let Place { store, folder: _folder } = Place::new();
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
    assert_eq!(statuses(&store, "m").await, ["OPPRETTET", "LEVERT"]);
}

#[tokio::test]
async fn a_status_that_overtakes_the_end_of_its_sending_stands_behind_sendt() {
    let Place { store, folder: _folder } = Place::new();
    queued(&store, "m").await;
    let claimed = store.claim("S", NOW, 1).await.unwrap().remove(0);
    store
        .arrive_status("t", about("m", "910076787"), NewStatus::plain(Status::Mottatt, NOW))
        .await
        .unwrap();
    store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    assert_eq!(statuses(&store, "m").await, ["OPPRETTET", "SENDT", "MOTTATT"]);
}

#[tokio::test]
async fn a_receipt_sets_the_status_of_the_message_it_is_about() {
    let Place { store, folder: _folder } = Place::new();
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let receipt = Arrival {
        related: Some((
            about("m", "910076787"),
            NewStatus::plain(Status::Lest, NOW).saying("read"),
        )),
        ..arrival("r", "t")
    };
    store.arrive(receipt).await.unwrap();
    assert_eq!(statuses(&store, "m").await, ["OPPRETTET", "LEST"]);
}
