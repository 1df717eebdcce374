//! Lists and their totals.

use super::*;

/// What a filter of the tally selects: both ways of each member, and not asked.
fn filters() -> Vec<ConversationFilter> {
    let mut filters = Vec::new();
    for service in [None, Some("S"), Some("T")] {
        for direction in [None, Some(Direction::Outgoing), Some(Direction::Incoming)] {
            for finished in [None, Some(true), Some(false)] {
                for pollable in [None, Some(true), Some(false)] {
                    filters.push(ConversationFilter {
                        service: service.map(ToOwned::to_owned),
                        direction,
                        finished,
                        pollable,
                        ..ConversationFilter::default()
                    });
                }
            }
        }
    }
    filters
}

fn everything() -> PageRequest {
    PageRequest {
        page: 0,
        size: 1000,
        sort: Vec::new(),
    }
}

async fn totals_are_right(store: &Store) {
    for filter in filters() {
        let found = store.conversations(filter.clone(), everything()).await.unwrap();
        assert_eq!(found.total, found.items.len() as u64, "{filter:?}");
    }
    for status in [None, Some("OPPRETTET"), Some("SENDT"), Some("LEVERT"), Some("LEST")] {
        let filter = StatusFilter {
            status: status.map(ToOwned::to_owned),
            ..StatusFilter::default()
        };
        let each = |seen: &mut u64, _| *seen += 1;
        let (seen, total) = store
            .look_through_statuses(filter, everything(), 0, each)
            .await
            .unwrap();
        assert_eq!(total, seen, "{status:?}");
    }
}

/// Conversations in every state that the tally tells apart.
async fn in_every_state(store: &Store) {
    store.create(new("draft"), Vec::new(), RULES, created()).await.unwrap();
    for id in ["tracked", "finished", "erased"] {
        queued(store, id).await;
        let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
        store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    }
    let levert = NewStatus::plain(Status::Levert, NOW + 2);
    store
        .register_status("finished", Direction::Outgoing, levert)
        .await
        .unwrap();
    store.arrive(arrival("arrived", "t1")).await.unwrap();
    let mut elsewhere = arrival("elsewhere", "t2");
    elsewhere.facts.service = "T".into();
    store.arrive(elsewhere).await.unwrap();
}

async fn totals_are_kept_through_every_change(place: Place) {
    let store = &place.store;
    totals_are_right(store).await;
    in_every_state(store).await;
    totals_are_right(store).await;
    let all = store
        .conversations(ConversationFilter::default(), everything())
        .await
        .unwrap();
    assert_eq!(all.total, 6);
    assert!(store.delete_conversations_of("erased", NOW).await.unwrap());
    totals_are_right(store).await;
    let expired = NewStatus::plain(Status::LevetidUtlopt, NOW + 2 * HOUR);
    assert!(store.expire(NOW + 2 * HOUR, expired).await.unwrap() > 0);
    totals_are_right(store).await;
}

on_every_database! {
    totals_are_kept_through_every_change,
}
