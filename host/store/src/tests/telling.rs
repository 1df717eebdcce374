//! What subscribers are to be told.

use super::*;
use crate::{Delivery, NewSubscription, Replay, SubscriptionChange};

async fn subscribed(store: &Store, name: &str, filter: Option<&str>) -> i64 {
    let new = NewSubscription {
        name: name.into(),
        push_endpoint: "http://sak.example.no/".into(),
        resource: "messages".into(),
        event: "status".into(),
        filter: filter.map(|text| text.parse().unwrap()),
        secret: b"sealed".to_vec(),
    };
    store.subscribe(new).await.unwrap().id
}

async fn pending(store: &Store, subscription: i64) -> u64 {
    let reports = store.webhook_reports().await.unwrap();
    reports.iter().find(|report| report.id == subscription).unwrap().pending
}

async fn told(store: &Store, subscription: i64) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(next) = store.next_delivery(subscription).await.unwrap() {
        store.delivered(next.id).await.unwrap();
        told.push(format!("{} {}", next.event.message_id, next.event.status));
    }
    told
}

async fn next(store: &Store, subscription: i64) -> Delivery {
    store.next_delivery(subscription).await.unwrap().unwrap()
}

async fn each_subscriber_gets_what_it_asks_for(place: Place) {
    let store = &place.store;
    let mut subscriptions = Vec::new();
    for (filter, expected) in [
        (
            None,
            vec!["m OPPRETTET", "m SENDT", "n OPPRETTET", "n INNKOMMENDE_MOTTATT"],
        ),
        (Some("status=Sendt,levert"), vec!["m SENDT"]),
        (Some("direction=incoming"), vec!["n OPPRETTET", "n INNKOMMENDE_MOTTATT"]),
        (
            Some("serviceIdentifier=s&direction=OUTGOING"),
            vec!["m OPPRETTET", "m SENDT"],
        ),
        (Some("serviceIdentifier=other,more"), vec![]),
        (Some("status=SENDT&status=OPPRETTET"), vec![]),
        (Some("status=MOTTATT"), vec![]),
    ] {
        let name = filter.unwrap_or("everything");
        subscriptions.push((subscribed(store, name, filter).await, name, expected));
    }
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(10)).await.unwrap().remove(0);
    store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    store.arrive(arrival("n", "r")).await.unwrap();
    for (subscription, name, expected) in subscriptions {
        assert_eq!(told(store, subscription).await, expected, "{name}");
    }
}

async fn an_event_is_stored_with_its_status_or_not_at_all(place: Place) {
    let store = &place.store;
    let subscription = subscribed(store, "a", None).await;
    store.feed_status_queue(vec!["S".into()]).await.unwrap();
    let too_large = store
        .create(new("m"), vec![file("a", 900), file("b", 900)], RULES, created())
        .await;
    assert!(too_large.is_err());
    assert_eq!(pending(store, subscription).await, 0);
    assert!(store.peek_status().await.unwrap().is_none());
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let again = store.register_status("m", Direction::Outgoing, created()).await;
    assert_eq!(again.unwrap(), Some(false));
    assert_eq!(told(store, subscription).await, ["m OPPRETTET"]);
}

async fn what_waits_survives_a_restart_with_its_name_and_its_attempts(place: Place) {
    let subscription = subscribed(&place.store, "a", None).await;
    place
        .store
        .create(new("m"), Vec::new(), RULES, created())
        .await
        .unwrap();
    let before = next(&place.store, subscription).await;
    assert_eq!(place.store.due_webhooks(NOW).await.unwrap(), [subscription]);
    place
        .store
        .not_delivered(&before, NOW + HOUR, "answered 500".into(), NOW)
        .await
        .unwrap();
    let place = place.reopened().await;
    let after = next(&place.store, subscription).await;
    assert_eq!((after.key, after.attempts, after.due), (before.key, 1, NOW + HOUR));
    assert_eq!(after.key.get_version_num(), 4);
    assert_eq!(place.store.due_webhooks(NOW).await.unwrap(), Vec::<i64>::new());
    assert_eq!(place.store.due_webhooks(NOW + HOUR).await.unwrap(), [subscription]);
    let change = SubscriptionChange {
        push_endpoint: Some("http://arkiv.example.no/".into()),
        ..SubscriptionChange::default()
    };
    let changed = place
        .store
        .change_subscription(subscription, change)
        .await
        .unwrap()
        .unwrap();
    assert!(changed.moved);
    assert_eq!(place.store.due_webhooks(NOW).await.unwrap(), [subscription]);
}

async fn of_too_much_the_oldest_goes_and_is_counted(place: Place) {
    let store = &place.store;
    let (one, other) = (
        subscribed(store, "a", None).await,
        subscribed(store, "b", Some("status=LEVERT")).await,
    );
    for id in ["1", "2", "3"] {
        store.create(new(id), Vec::new(), RULES, created()).await.unwrap();
    }
    assert_eq!(store.trim_deliveries(3).await.unwrap(), []);
    assert_eq!(store.trim_deliveries(2).await.unwrap(), [(one, 1)]);
    assert_eq!(
        store.replay(one, NOW, NOW, 4).await.unwrap(),
        Replay::TooMany { room: 2 }
    );
    assert_eq!(store.replay(one, NOW + 1, NOW + 2, 2).await.unwrap(), Replay::Queued(0));
    assert_eq!(store.replay(other, NOW, NOW, 2).await.unwrap(), Replay::Queued(0));
    assert_eq!(store.replay(77, NOW, NOW, 2).await.unwrap(), Replay::Unknown);
    let reports = store.webhook_reports().await.unwrap();
    assert_eq!((reports[0].pending, reports[0].dropped, reports[1].dropped), (2, 1, 0));
    assert_eq!(told(store, one).await, ["2 OPPRETTET", "3 OPPRETTET"]);
    assert_eq!(store.replay(one, NOW, NOW, 3).await.unwrap(), Replay::Queued(3));
    assert_eq!(store.give_up_deliveries(one, i64::MAX).await.unwrap(), 3);
    assert_eq!(store.webhook_reports().await.unwrap()[0].dropped, 4);
}

async fn events_go_with_their_conversation_and_with_their_subscription(place: Place) {
    let store = &place.store;
    let subscription = subscribed(store, "a", None).await;
    for id in ["1", "2"] {
        store.create(new(id), Vec::new(), RULES, created()).await.unwrap();
    }
    let in_hand = next(store, subscription).await;
    store.delete_conversations_of("1", NOW).await.unwrap();
    assert_eq!(told(store, subscription).await, ["2 OPPRETTET"]);
    // The attempt that was under way ends without harm.
    store.not_delivered(&in_hand, NOW, "late".into(), NOW).await.unwrap();
    store.delivered(in_hand.id).await.unwrap();

    store.replay(subscription, NOW, NOW, 10).await.unwrap();
    assert!(store.unsubscribe(subscription).await.unwrap());
    let again = subscribed(store, "a", None).await;
    assert_ne!(again, subscription);
    assert_eq!(pending(store, again).await, 0);
}

async fn a_failure_at_the_old_endpoint_does_not_hold_up_the_new_one(place: Place) {
    let store = &place.store;
    let subscription = subscribed(store, "a", None).await;
    store.create(new("m"), Vec::new(), RULES, created()).await.unwrap();
    let in_hand = next(store, subscription).await;
    let change = SubscriptionChange {
        push_endpoint: Some("http://arkiv.example.no/".into()),
        ..SubscriptionChange::default()
    };
    store.change_subscription(subscription, change).await.unwrap().unwrap();
    store
        .not_delivered(&in_hand, NOW + HOUR, "refused".into(), NOW)
        .await
        .unwrap();
    let after = next(store, subscription).await;
    assert_eq!((after.attempts, after.due), (0, 0));
    assert_eq!(store.webhook_reports().await.unwrap()[0].last_error, None);
    store
        .not_delivered(&after, NOW + HOUR, "refused".into(), NOW)
        .await
        .unwrap();
    assert_eq!(
        store.webhook_reports().await.unwrap()[0].last_error.as_deref(),
        Some("refused")
    );
}

on_every_database! {
    each_subscriber_gets_what_it_asks_for,
    an_event_is_stored_with_its_status_or_not_at_all,
    what_waits_survives_a_restart_with_its_name_and_its_attempts,
    of_too_much_the_oldest_goes_and_is_counted,
    events_go_with_their_conversation_and_with_their_subscription,
    a_failure_at_the_old_endpoint_does_not_hold_up_the_new_one,
}
