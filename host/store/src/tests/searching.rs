//! Looking for conversations by words.

use super::*;
use crate::database::Dialect;

async fn three(place: &Place) {
    for (id, title) in [
        ("first", "Svar på søknad"),
        ("second", "100% sikker_het"),
        ("third", "Nabovarsel"),
    ] {
        place.store.create(new(id), Vec::new(), RULES, created()).await.unwrap();
        let described = NewAttachment {
            describes: Some(Description {
                title: title.into(),
                reference: None,
            }),
            ..file("arkivmelding.xml", 5)
        };
        place.store.attach(id, described, RULES, NOW).await.unwrap();
    }
    place.store.arrive(arrival("fourth", "t")).await.unwrap();
}

fn any(words: &[&[&str]]) -> ConversationSearch {
    let list = |all: &&[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    ConversationSearch {
        any: words.iter().map(list).collect(),
        ..ConversationSearch::default()
    }
}

async fn found(place: &Place, search: ConversationSearch) -> Vec<String> {
    let found = place.store.search_conversations(search, 0, 10).await.unwrap();
    assert!(!found.more && !found.cut);
    found.items.into_iter().map(|row| row.facts.message_id).collect()
}

async fn words_are_found_in_ids_parties_titles_and_processes(place: Place) {
    three(&place).await;
    assert_eq!(found(&place, any(&[])).await, ["fourth", "third", "second", "first"]);
    assert_eq!(found(&place, any(&[&["SVAR"]])).await, ["first"]);
    assert_eq!(found(&place, any(&[&["c-third"]])).await, ["third"]);
    assert_eq!(found(&place, any(&[&["910076787", "nabo"]])).await, ["third"]);
    assert_eq!(found(&place, any(&[&["nabo", "svar"], &["second"]])).await, ["second"]);
    assert_eq!(found(&place, any(&[&["nabo"], &["svar"]])).await, ["third", "first"]);
}

async fn signs_that_mean_something_to_the_database_mean_themselves(place: Place) {
    three(&place).await;
    assert_eq!(found(&place, any(&[&["100%"]])).await, ["second"]);
    assert_eq!(found(&place, any(&[&["r_h"]])).await, ["second"]);
    assert_eq!(found(&place, any(&[&["o_a"]])).await, Vec::<String>::new());
    assert_eq!(found(&place, any(&[&["\\"]])).await, Vec::<String>::new());
    assert_eq!(found(&place, any(&[&["' OR 1=1 --"]])).await, Vec::<String>::new());
}

async fn direction_and_day_narrow_what_is_looked_through(place: Place) {
    three(&place).await;
    let incoming = ConversationSearch {
        direction: Some(Direction::Incoming),
        ..any(&[&["c-"]])
    };
    assert_eq!(found(&place, incoming).await, ["fourth"]);
    let later = ConversationSearch {
        created_from: Some(NOW + 1),
        ..any(&[])
    };
    assert_eq!(found(&place, later).await, Vec::<String>::new());
    let then = ConversationSearch {
        created_from: Some(NOW),
        created_before: Some(NOW + 1),
        ..any(&[&["nabo"]])
    };
    assert_eq!(found(&place, then).await, ["third"]);
}

async fn pages_follow_one_another(place: Place) {
    three(&place).await;
    let mut seen = Vec::new();
    for page in 0..2 {
        let found = place.store.search_conversations(any(&[]), page, 3).await.unwrap();
        assert_eq!(found.more, page == 0);
        seen.extend(found.items.into_iter().map(|row| row.facts.message_id));
    }
    assert_eq!(seen, ["fourth", "third", "second", "first"]);
    assert!(
        place
            .store
            .search_conversations(any(&[]), u64::MAX, 3)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

async fn without_words_the_oldest_is_found_behind_any_number(place: Place) {
    let store = &place.store;
    let many = format!(
        "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < {SEARCHED}) \
         INSERT INTO conversation (message_id, direction, conversation_id, sender, sender_identifier, process, \
         document_type, message_reference, service, last_update, expiry) \
         SELECT 'm' || n, 'OUTGOING', 'c', 's', 's', 'p', 'd', 'c', 'S', 1, 2 FROM number"
    );
    store
        .write(move |connection| {
            if connection.dialect() == Dialect::Postgres {
                // So many changes of one row in one transaction are slow, and none that a store makes.
                connection.batch("ALTER TABLE conversation DISABLE TRIGGER USER")?;
            }
            Ok(connection.batch(&many)?)
        })
        .await
        .unwrap();
    let oldest = store.search_conversations(any(&[]), SEARCHED, 1).await.unwrap();
    assert_eq!(oldest.items[0].facts.message_id, "m0");
    assert!(!oldest.more && !oldest.cut);
    let searched = store.search_conversations(any(&[&["m0"]]), 0, 1).await.unwrap();
    assert!(searched.items.is_empty() && searched.cut);
}

on_every_database! {
    words_are_found_in_ids_parties_titles_and_processes,
    signs_that_mean_something_to_the_database_mean_themselves,
    direction_and_day_narrow_what_is_looked_through,
    pages_follow_one_another,
    without_words_the_oldest_is_found_behind_any_number,
}
