//! What a rule of retention removes, and what it leaves alone.

use super::schema::apart;
use super::*;
use crate::database::Dialect;
use crate::retention;

const DAY: i64 = 24 * HOUR;

fn rule(removes: Removes) -> RetentionRule {
    RetentionRule {
        removes,
        direction: None,
        services: Vec::new(),
        processes: Vec::new(),
        statuses: Vec::new(),
        age: 30 * DAY,
    }
}

/// Walks to the end; returns how many were removed.
async fn purge(store: &Store, rule: RetentionRule, now: i64) -> usize {
    let rule = Arc::new(rule);
    let (mut walk, mut removed) = (Walk::default(), 0);
    loop {
        let step = store.purge(&rule, walk, now).await.unwrap();
        removed += step.removed;
        walk = step.walk;
        if !step.more {
            return removed;
        }
    }
}

async fn finished(store: &Store, id: &str, change: impl FnOnce(&mut ConversationFacts), status: Status) {
    let mut message = new(id);
    change(&mut message.facts);
    let service = message.facts.service.clone();
    store.create(message, Vec::new(), RULES, created()).await.unwrap();
    store.queue(id, NOW).await.unwrap();
    let claimed = store.claim(&service, NOW, some(1)).await.unwrap().remove(0);
    store.finish(claimed.message.id, claimed.lease, sent()).await.unwrap();
    let status = NewStatus::plain(status, NOW + 2);
    store.register_status(id, Direction::Outgoing, status).await.unwrap();
}

async fn given_up(store: &Store, id: &str) {
    queued(store, id).await;
    let claimed = store.claim("S", NOW, some(1)).await.unwrap().remove(0);
    let gave_up = Outcome::GaveUp {
        status: NewStatus::plain(Status::Feil, NOW).with_receipt("http-400"),
        discard: false,
        now: NOW,
    };
    store.finish(claimed.message.id, claimed.lease, gave_up).await.unwrap();
}

async fn ids(store: &Store) -> Vec<String> {
    let page = PageRequest {
        page: 0,
        size: 2000,
        sort: vec![("message_id", false)],
    };
    let found = store.conversations(ConversationFilter::default(), page).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64, "the tally");
    found.items.into_iter().map(|one| one.facts.message_id).collect()
}

async fn a_rule_removes_what_it_means_and_nothing_else(place: Place) {
    let store = &place.store;
    finished(store, "a-levert", |_| (), Status::Levert).await;
    finished(store, "b-feil", |_| (), Status::Feil).await;
    finished(store, "c-other", |facts| facts.service = "T".into(), Status::Levert).await;
    finished(store, "d-process", |facts| facts.process = "q".into(), Status::Levert).await;
    store
        .create(new("e-draft"), Vec::new(), RULES, created())
        .await
        .unwrap();
    store.arrive(arrival("f-in", "t")).await.unwrap();
    let meant = |change: fn(&mut RetentionRule)| {
        let mut rule = rule(Removes::Conversations);
        change(&mut rule);
        rule
    };
    let later = NOW + 30 * DAY;
    assert_eq!(
        purge(store, rule(Removes::Conversations), later).await,
        0,
        "not old enough"
    );
    let later = later + 3;
    assert_eq!(
        purge(store, meant(|rule| rule.direction = Some(Direction::Incoming)), later).await,
        0
    );
    assert_eq!(
        purge(store, meant(|rule| rule.services = vec!["T".into()]), later).await,
        1
    );
    assert_eq!(
        purge(store, meant(|rule| rule.processes = vec!["q".into()]), later).await,
        1
    );
    assert_eq!(
        purge(store, meant(|rule| rule.statuses = vec![Status::Feil]), later).await,
        1
    );
    assert_eq!(ids(store).await, ["a-levert", "e-draft", "f-in"]);
    assert_eq!(purge(store, rule(Removes::Conversations), later).await, 1);
    assert_eq!(ids(store).await, ["e-draft", "f-in"], "what is not finished stays");
    assert!(store.knows_message("a-levert").await.unwrap());
}

async fn the_status_that_ended_a_conversation_counts(place: Place) {
    let store = &place.store;
    finished(store, "m", |_| (), Status::Levert).await;
    for status in [Status::Lest, Status::Annet] {
        let status = NewStatus::plain(status, NOW + 3);
        store.register_status("m", Direction::Outgoing, status).await.unwrap();
    }
    let with = |status| RetentionRule {
        statuses: vec![status],
        ..rule(Removes::Conversations)
    };
    let later = NOW + 31 * DAY;
    assert_eq!(purge(store, with(Status::Levert), later).await, 0);
    assert_eq!(purge(store, with(Status::Lest), later).await, 1);
}

async fn a_finished_conversation_whose_message_is_still_in_hand_stays(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    store.claim("S", NOW, some(1)).await.unwrap();
    let status = NewStatus::plain(Status::Levert, NOW);
    store.register_status("m", Direction::Outgoing, status).await.unwrap();
    assert_eq!(purge(store, rule(Removes::Conversations), NOW + 31 * DAY).await, 0);
    assert_eq!(ids(store).await, ["m"]);
}

async fn a_conversation_takes_along_what_was_given_up_of_it(place: Place) {
    let store = &place.store;
    given_up(store, "m").await;
    assert_eq!(purge(store, rule(Removes::Conversations), NOW + 31 * DAY).await, 1);
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-first.txt"]);
    assert!(ids(store).await.is_empty());
    assert!(store.knows_message("m").await.unwrap());
}

async fn what_was_given_up_loses_its_content_and_keeps_its_conversation(place: Place) {
    let store = &place.store;
    given_up(store, "m").await;
    queued(store, "waiting").await;
    assert_eq!(purge(store, rule(Removes::GivenUp), NOW + 30 * DAY).await, 0);
    assert_eq!(purge(store, rule(Removes::GivenUp), NOW + 30 * DAY + 1).await, 1);
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-first.txt"]);
    assert_eq!(statuses(store, "m").await, ["OPPRETTET", "FEIL"]);
    assert!(store.outgoing("waiting").await.unwrap().is_some());
}

async fn what_nobody_took_is_removed_and_its_conversation_says_so(place: Place) {
    let store = &place.store;
    store.arrive(arrival("m", "t")).await.unwrap();
    let later = NOW + 31 * DAY;
    let (_, token) = store
        .peek(IncomingFilter::default(), later, later + HOUR)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        purge(store, rule(Removes::NotTaken), later).await,
        0,
        "somebody takes it"
    );
    store.unlock("m", token, later).await.unwrap();
    assert_eq!(purge(store, rule(Removes::NotTaken), later).await, 1);
    assert_eq!(store.incoming_length().await.unwrap(), 0);
    assert_eq!(store.garbage(10).await.unwrap(), ["package-t"]);
    let said = statuses(store, "m").await;
    assert_eq!(said, ["OPPRETTET", "INNKOMMENDE_MOTTATT", "LEVETID_UTLOPT"]);
    assert!(store.was_received("S", "m").await.unwrap());
}

async fn things_set_aside_go_with_their_files(place: Place) {
    let store = &place.store;
    for (reference, service) in [("1", "S"), ("2", "T")] {
        let item = SetAside {
            id: 0,
            service: service.into(),
            reference: reference.into(),
            reason: "no zip".into(),
            blob: Some(format!("blob-{reference}")),
            size: Some(3),
            data_key: None,
            at: NOW,
        };
        store.set_aside(item, None).await.unwrap();
    }
    let only = RetentionRule {
        services: vec!["T".into()],
        ..rule(Removes::SetAside)
    };
    assert_eq!(purge(store, only, NOW + 31 * DAY).await, 1);
    assert_eq!(store.garbage(10).await.unwrap(), ["blob-2"]);
    assert_eq!(purge(store, rule(Removes::SetAside), NOW + 31 * DAY).await, 1);
}

async fn what_stays_is_looked_at_once(place: Place) {
    let store = &place.store;
    for number in 0..450 {
        store
            .create(new(&format!("{number:03}")), Vec::new(), RULES, created())
            .await
            .unwrap();
    }
    let rule = Arc::new(rule(Removes::Conversations));
    let later = NOW + 31 * DAY;
    let (mut walk, mut steps) = (Walk::default(), 0);
    loop {
        let step = store.purge(&rule, walk, later).await.unwrap();
        (walk, steps) = (step.walk, steps + 1);
        if !step.more {
            break;
        }
    }
    assert_eq!(steps, 3);
    let again = store.purge(&rule, walk, later).await.unwrap();
    assert_eq!((again.walk, again.more), (walk, false));
    // A change makes it younger, and it comes by again.
    let status = NewStatus::plain(Status::LevetidUtlopt, NOW + DAY);
    store.register_status("007", Direction::Outgoing, status).await.unwrap();
    store.delete_outgoing("007", NOW).await.unwrap();
    let step = store.purge(&rule, walk, later + DAY).await.unwrap();
    assert_eq!(step.removed, 1);
    assert_eq!(ids(store).await.len(), 449);
}

async fn no_purge_reads_a_whole_table(place: Place) {
    drop(place.store);
    apart(place.ground, |connection| {
        for (removes, index) in [
            (Removes::Conversations, "conversation_by_update"),
            (Removes::GivenUp, "sending_given_up"),
            (Removes::NotTaken, "incoming_by_age"),
            (Removes::SetAside, "set_aside_by_time"),
        ] {
            let select = retention::select(removes);
            let plan = match connection.dialect() {
                Dialect::Sqlite => {
                    let sql = format!("EXPLAIN QUERY PLAN {select}");
                    let zeros = [NOW, 0, 0].map(|number| crate::database::Value::Integer(Some(number)));
                    connection.all(&sql, &zeros, |row| row.get::<String>(3))
                }
                Dialect::Postgres => {
                    // Empty tables are quicker to read than their indexes.
                    connection.batch("SET enable_seqscan = off").unwrap();
                    let select = ["?1", "?2", "?3"]
                        .iter()
                        .fold(select, |sql, value| sql.replace(value, "1"));
                    connection.all(&format!("EXPLAIN {select}"), &[], |row| row.get::<String>(0))
                }
            };
            let plan = plan.unwrap().join("\n");
            assert!(plan.contains(index), "{removes:?}: {plan}");
            assert!(!plan.contains("SCAN "), "{removes:?}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{removes:?}: {plan}");
            assert!(!plan.contains("USE TEMP B-TREE FOR ORDER BY\n"), "{removes:?}: {plan}");
        }
    })
    .await;
}

on_every_database! {
    a_rule_removes_what_it_means_and_nothing_else,
    the_status_that_ended_a_conversation_counts,
    a_finished_conversation_whose_message_is_still_in_hand_stays,
    a_conversation_takes_along_what_was_given_up_of_it,
    what_was_given_up_loses_its_content_and_keeps_its_conversation,
    what_nobody_took_is_removed_and_its_conversation_says_so,
    things_set_aside_go_with_their_files,
    what_stays_is_looked_at_once,
    no_purge_reads_a_whole_table,
}
