//! What outlives messages, and what can happen to the file.

use super::*;

async fn a_message_is_remembered_for_four_hundred_days(place: Place) {
    let store = &place.store;
    store.arrive(arrival("m", "t1")).await.unwrap();
    let day = 24 * HOUR;
    assert_eq!(store.forget_ids(NOW + 400 * day).await.unwrap(), 0);
    assert!(store.was_received("S", "m").await.unwrap());
    assert_eq!(store.forget_ids(NOW + 402 * day).await.unwrap(), 2);
    assert!(!store.was_received("S", "m").await.unwrap());
}

async fn a_life_that_ended_is_registered_and_nothing_is_left_to_take(place: Place) {
    let store = &place.store;
    store.arrive(arrival("in", "t")).await.unwrap();
    store
        .create(new("draft"), vec![file("f", 1)], RULES, created())
        .await
        .unwrap();
    let later = NOW + HOUR + 1;
    assert_eq!(
        store
            .expire(later, NewStatus::plain(Status::LevetidUtlopt, later))
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        store
            .expire(later, NewStatus::plain(Status::LevetidUtlopt, later))
            .await
            .unwrap(),
        0
    );
    assert!(
        store
            .peek(IncomingFilter::default(), later, later + HOUR)
            .await
            .unwrap()
            .is_none()
    );
    assert!(store.outgoing("draft").await.unwrap().is_none());
    assert_eq!(store.garbage(10).await.unwrap().len(), 2);
}

async fn adapter_state_ends_with_its_life_and_is_each_adapters_own(place: Place) {
    let store = &place.store;
    store.set_state("a", "k", b"1".to_vec(), Some(NOW + 10)).await.unwrap();
    assert_eq!(store.state("a", "k", NOW + 10).await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.state("a", "k", NOW + 11).await.unwrap(), None);
    assert_eq!(store.state("b", "k", NOW).await.unwrap(), None);
    store.remove_state("a", "k").await.unwrap();
    assert_eq!(store.state("a", "k", NOW).await.unwrap(), None);
}

async fn a_thing_set_aside_twice_is_kept_once(place: Place) {
    let store = &place.store;
    let item = |blob: &str| SetAside {
        id: 0,
        service: "S".into(),
        reference: "t".into(),
        reason: "no zip".into(),
        blob: Some(blob.into()),
        size: Some(3),
        data_key: Some(b"key".to_vec()),
        at: NOW,
    };
    store.set_aside(item("b1"), None).await.unwrap();
    store.set_aside(item("b2"), None).await.unwrap();
    let kept = store.things_set_aside(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].blob.as_deref(), Some("b1"));
    assert_eq!(store.garbage(10).await.unwrap(), ["b2"]);
    assert!(store.was_handled("S", "t").await.unwrap());
    assert!(store.remove_set_aside(kept[0].id).await.unwrap());
    assert!(!store.remove_set_aside(kept[0].id).await.unwrap());
    assert_eq!(store.garbage(10).await.unwrap().len(), 2);
    assert!(store.was_handled("S", "t").await.unwrap(), "it does not come back");
}

async fn a_status_after_the_end_of_a_life_is_registered_too(place: Place) {
    let store = &place.store;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    for status in [Status::LevetidUtlopt, Status::Levert] {
        let registered = store
            .register_status("m", Direction::Outgoing, NewStatus::plain(status, NOW))
            .await;
        assert_eq!(registered.unwrap(), Some(true));
    }
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "LEVETID_UTLOPT", "LEVERT"]);
}

async fn the_id_of_an_erased_conversation_is_never_used_again(place: Place) {
    let store = &place.store;
    store.create(new("first"), Vec::new(), RULES, created()).await.unwrap();
    let first = store.outgoing_conversation("first").await.unwrap().unwrap();
    assert!(store.delete_conversation(first.id, NOW).await.unwrap());
    store.create(new("second"), Vec::new(), RULES, created()).await.unwrap();
    let second = store.outgoing_conversation("second").await.unwrap().unwrap();
    assert!(second.id > first.id);
    assert!(second.statuses[0].id > first.statuses[0].id);
}

async fn a_draft_without_a_conversation_goes_when_its_life_ends(place: Place) {
    let store = &place.store;
    let files = vec![file("f", 1)];
    store.create(new("draft"), files, RULES, created()).await.unwrap();
    assert!(store.delete_conversations_of("draft", NOW).await.unwrap());
    let expired = NewStatus::plain(Status::LevetidUtlopt, NOW);
    assert_eq!(store.expire(NOW + HOUR, expired.clone()).await.unwrap(), 0);
    assert!(store.knows_message("draft").await.unwrap());
    assert_eq!(store.expire(NOW + HOUR + 1, expired).await.unwrap(), 1);
    assert!(store.outgoing("draft").await.unwrap().is_none());
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-f"]);
}

on_every_database! {
    a_message_is_remembered_for_four_hundred_days,
    a_life_that_ended_is_registered_and_nothing_is_left_to_take,
    adapter_state_ends_with_its_life_and_is_each_adapters_own,
    a_thing_set_aside_twice_is_kept_once,
    a_status_after_the_end_of_a_life_is_registered_too,
    the_id_of_an_erased_conversation_is_never_used_again,
    a_draft_without_a_conversation_goes_when_its_life_ends,
}
