//! What the address service said last, and why a message went where it went.

use super::*;

const PERSON: &str = "17912099997";

async fn the_last_answer_takes_the_place_of_the_one_before(place: Place) {
    let store = &place.store;
    store
        .keep_answer("910076787", "q", b"first".to_vec(), NOW)
        .await
        .unwrap();
    store
        .keep_answer("910076787", "q", b"second".to_vec(), NOW + 1)
        .await
        .unwrap();
    // Two nodes asked at the same time, and the slower one kept its answer last.
    store
        .keep_answer("910076787", "q", b"first".to_vec(), NOW)
        .await
        .unwrap();
    let last = LastAnswer {
        sealed: b"second".to_vec(),
        at: NOW + 1,
    };
    assert_eq!(store.last_answer("910076787", "q", NOW).await.unwrap(), Some(last));
    assert_eq!(store.last_answer("910076787", "q", NOW + 2).await.unwrap(), None);
    assert_eq!(store.last_answer("910076787", "other", NOW).await.unwrap(), None);
    store.forget_answer("910076787", "q").await.unwrap();
    assert_eq!(store.last_answer("910076787", "q", NOW).await.unwrap(), None);
}

async fn answers_that_are_too_old_go(place: Place) {
    let store = &place.store;
    store
        .keep_answer("910076787", "old", b"1".to_vec(), NOW - HOUR)
        .await
        .unwrap();
    store.keep_answer("910076787", "new", b"2".to_vec(), NOW).await.unwrap();
    assert!(!store.forget_old_answers(NOW).await.unwrap());
    assert_eq!(store.last_answer("910076787", "old", 0).await.unwrap(), None);
    assert!(store.last_answer("910076787", "new", 0).await.unwrap().is_some());
}

async fn what_was_said_about_a_person_is_erased_with_the_person(place: Place) {
    let store = &place.store;
    store.keep_answer(PERSON, "q", b"1".to_vec(), NOW).await.unwrap();
    store.keep_answer("910076787", "q", b"2".to_vec(), NOW).await.unwrap();
    let practitioner = format!("fastlege-for:{PERSON}");
    let qualified = format!("0192:{PERSON}:part");
    for receiver in [&practitioner, &qualified] {
        store.keep_answer(receiver, "q", b"3".to_vec(), NOW).await.unwrap();
    }
    let kept = store.erase(Subject::Party(PERSON.into()), NOW).await.unwrap();
    assert_eq!((kept.answers, kept.conversations), (3, 0));
    for receiver in [PERSON, &practitioner, &qualified] {
        assert_eq!(store.last_answer(receiver, "q", 0).await.unwrap(), None);
    }
    let kept = store.kept_about(Subject::Party("0192:910076787".into())).await.unwrap();
    assert_eq!(kept.answers, 1);
}

async fn the_way_of_a_message_is_kept_with_its_conversation(place: Place) {
    let store = &place.store;
    let mut routed = new("m");
    routed.route = Some(r#"{"service":"S"}"#.into());
    store.create(routed, Vec::new(), RULES, created()).await.unwrap();
    store
        .create(new("unrouted"), Vec::new(), RULES, created())
        .await
        .unwrap();
    let kept = store.route_of_message("m").await.unwrap().unwrap();
    assert_eq!(kept.decision.as_deref(), Some(r#"{"service":"S"}"#));
    assert_eq!(store.route(kept.conversation).await.unwrap(), Some(kept));
    let without = store.route_of_message("unrouted").await.unwrap().unwrap();
    assert_eq!(without.decision, None);
    assert_eq!(store.route_of_message("nobody").await.unwrap(), None);
}

on_every_database! {
    the_last_answer_takes_the_place_of_the_one_before,
    answers_that_are_too_old_go,
    what_was_said_about_a_person_is_erased_with_the_person,
    the_way_of_a_message_is_kept_with_its_conversation,
}
