//! Who comes next, and who does the work.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

const ALIVE: Duration = Duration::from_mins(10);

async fn queued_to(store: &Store, id: &str, receiver: &str) {
    let mut new = new(id);
    new.facts.receiver_identifier = Some(receiver.into());
    store.create(new, Vec::new(), RULES, created()).await.unwrap();
    store.queue(id, NOW).await.unwrap();
}

async fn claimed(store: &Store, turn: Turn) -> Vec<String> {
    let claimed = store.claim("S", NOW, turn).await.unwrap();
    claimed.into_iter().map(|one| one.message.facts.message_id).collect()
}

/// Another node on the same database.
async fn another(place: &Place) -> Store {
    Store::open(place.ground.place(), "another").await.unwrap()
}

async fn a_long_queue_of_one_receiver_does_not_hold_up_the_others(place: Place) {
    let store = &place.store;
    for number in 0..20 {
        queued_to(store, &format!("a{number:02}"), "a").await;
    }
    queued_to(store, "b00", "b").await;
    queued_to(store, "c00", "c").await;
    assert_eq!(claimed(store, some(4)).await, ["a00", "a01", "b00", "c00"]);
    assert_eq!(claimed(store, some(2)).await, ["a02", "a03"]);
}

async fn receivers_take_turns_from_where_the_last_claim_ended(place: Place) {
    let store = &place.store;
    for receiver in ["a", "b", "c"] {
        for number in 0..2 {
            queued_to(store, &format!("{receiver}{number}"), receiver).await;
        }
    }
    let after = |lane: &str| Turn {
        after: lane.into(),
        ..some(2)
    };
    assert_eq!(claimed(store, after("a")).await, ["b0", "c0"]);
    assert_eq!(claimed(store, after("c")).await, ["a0", "b1"]);
    assert_eq!(claimed(store, after("b")).await, ["c1", "a1"]);
}

async fn a_receiver_with_enough_in_hand_waits(place: Place) {
    let store = &place.store;
    for id in ["a0", "a1", "a2"] {
        queued_to(store, id, "a").await;
    }
    queued_to(store, "b0", "b").await;
    let turn = |room| Turn {
        rooms: vec![("a".to_owned(), room)],
        ..some(10)
    };
    assert_eq!(claimed(store, turn(0)).await, ["b0"]);
    assert_eq!(
        claimed(store, turn(1)).await,
        ["a0"],
        "one, to see whether it works again"
    );
    let limited = Turn {
        lane_limit: 1,
        ..some(10)
    };
    assert_eq!(claimed(store, limited).await, ["a1"]);
}

async fn two_nodes_never_have_the_same_message(place: Place) {
    for number in 0..60 {
        queued_to(&place.store, &format!("m{number:02}"), &format!("r{}", number % 7)).await;
    }
    let nodes = [another(&place).await, another(&place).await, another(&place).await];
    let claims = nodes.iter().map(|node| async move {
        let mut had = Vec::new();
        loop {
            let more = claimed(node, some(3)).await;
            if more.is_empty() {
                return had;
            }
            had.extend(more);
        }
    });
    let mut times = BTreeMap::new();
    for id in futures::future::join_all(claims).await.concat() {
        *times.entry(id).or_insert(0) += 1;
    }
    assert_eq!((times.len(), times.values().max()), (60, Some(&1)));
}

async fn what_a_dead_node_had_is_taken_over_and_its_late_words_change_nothing(place: Place) {
    queued(&place.store, "m").await;
    let other = another(&place).await;
    let old = place.store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    other.beat(ALIVE).await.unwrap();
    assert!(other.bury_the_dead().await.unwrap().is_empty(), "it is alive");
    place.store.beat(Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(other.bury_the_dead().await.unwrap(), [("test".to_owned(), 1)]);
    let new = other.claim("S", NOW, some(1)).await.unwrap().remove(0);
    assert!(new.uncertain, "the dead node may have sent it");
    assert_eq!((new.lease, new.attempt), (old.lease + 1, 2));
    let late = place.store.finish(old.message.id, old.lease, sent()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)));
    assert!(
        !place.store.beat(ALIVE).await.unwrap(),
        "it learns that it was given up"
    );
    assert!(place.store.beat(ALIVE).await.unwrap(), "and has begun anew");
    other.finish(new.message.id, new.lease, sent()).await.unwrap();
}

async fn a_node_that_was_given_up_takes_nothing_until_it_begins_anew(place: Place) {
    queued(&place.store, "m").await;
    let other = another(&place).await;
    place.store.beat(Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    other.bury_the_dead().await.unwrap();
    // Nobody would ever give it back.
    assert!(claimed(&place.store, some(1)).await.is_empty());
    assert!(!place.store.beat(ALIVE).await.unwrap());
    assert_eq!(claimed(&place.store, some(1)).await, ["m"]);
}

async fn a_duty_is_one_nodes_until_that_node_is_gone(place: Place) {
    let store = &place.store;
    let first = store.hold_duty("receive").await.unwrap().unwrap();
    assert_eq!(store.hold_duty("receive").await.unwrap(), Some(first), "it keeps it");
    let Ground::Server(_) = &place.ground else {
        // The only node keeps it.
        let place = place.reopened().await;
        assert!(place.store.hold_duty("receive").await.unwrap() > Some(first));
        return;
    };
    let other = another(&place).await;
    assert_eq!(other.hold_duty("receive").await.unwrap(), None);
    assert_eq!(other.hold_duty("track").await.unwrap(), Some(1));
    store.leave().await.unwrap();
    assert_eq!(other.hold_duty("receive").await.unwrap(), Some(first + 1));
    assert_eq!(
        store.hold_duty("receive").await.unwrap(),
        None,
        "one that has left holds nothing"
    );
    let present = other.present().await.unwrap();
    assert_eq!(present.len(), 1);
    assert_eq!(
        (present[0].name.as_str(), &present[0].duties[..]),
        ("another", &["receive".to_owned(), "track".to_owned()][..])
    );
}

async fn other_nodes_hear_that_there_is_work(place: Place) {
    let Ground::Server(_) = &place.ground else {
        assert!(place.store.hints().await.unwrap().is_none());
        return;
    };
    let other = another(&place).await;
    let mut hints = other.hints().await.unwrap().unwrap();
    queued(&place.store, "m").await;
    let heard = tokio::time::timeout(Duration::from_mins(1), hints.next()).await;
    heard.expect("a hint").unwrap();
}

async fn a_message_that_waits_for_its_time_is_ready_then(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let one = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    let retry = Outcome::Retry {
        due: NOW + 1000,
        error: "no answer".into(),
        uncertain: true,
    };
    store.finish(one.message.id, one.lease, retry).await.unwrap();
    assert_eq!(store.next_due("S").await.unwrap(), Some(NOW + 1000));
    assert!(claimed(store, some(1)).await.is_empty());
    let again = store.claim("S", NOW + 1000, some(1)).await.unwrap().remove(0);
    assert!(again.uncertain);
}

async fn small_files_come_and_go_with_their_message(place: Place) {
    let store = Arc::clone(&place.store);
    let small = NewAttachment {
        small: Some(b"few bytes".to_vec()),
        ..file("first.txt", 5)
    };
    store
        .create(new("m"), vec![small, file("large", 6)], RULES, created())
        .await
        .unwrap();
    let look = |store: &Arc<Store>, name: &'static str| {
        let store = Arc::clone(store);
        async move {
            tokio::task::spawn_blocking(move || store.small_file(name))
                .await
                .unwrap()
                .unwrap()
        }
    };
    assert_eq!(look(&store, "blob-first.txt").await.as_deref(), Some(&b"few bytes"[..]));
    assert_eq!(look(&store, "blob-large").await, None);
    assert!(store.delete_outgoing("m", NOW).await.unwrap());
    assert_eq!(look(&store, "blob-first.txt").await, None);
    assert_eq!(
        store.garbage(10).await.unwrap(),
        ["blob-large"],
        "only that one is in the file store"
    );
}

on_every_database! {
    a_long_queue_of_one_receiver_does_not_hold_up_the_others,
    receivers_take_turns_from_where_the_last_claim_ended,
    a_receiver_with_enough_in_hand_waits,
    a_duty_is_one_nodes_until_that_node_is_gone,
    other_nodes_hear_that_there_is_work,
    a_message_that_waits_for_its_time_is_ready_then,
    small_files_come_and_go_with_their_message,
}

on_a_server! {
    two_nodes_never_have_the_same_message,
    what_a_dead_node_had_is_taken_over_and_its_late_words_change_nothing,
    a_node_that_was_given_up_takes_nothing_until_it_begins_anew,
}
