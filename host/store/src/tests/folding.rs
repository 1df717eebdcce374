//! The memory of ids: nothing in it is lost while it is made smaller, and what it weighs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::schema::{self, apart};
use super::*;
use crate::database::{Connection, DatabaseError, Dialect, Driver, EachRow, Value};
use crate::seen::{self, SeenKey};

const DAY: i64 = 24 * HOUR;

/// Remembers transfers, `from` to `to`, on one day.
fn remember(connection: &Connection, from: u32, to: u32, at: i64) {
    connection.batch("BEGIN").unwrap();
    for number in from..to {
        let key = SeenKey::reference("S", &number.to_string());
        seen::remember(connection, &key, at).unwrap();
    }
    connection.batch("COMMIT").unwrap();
}

fn is_known(connection: &Connection, number: u32) -> bool {
    seen::seen(connection, &SeenKey::reference("S", &number.to_string())).unwrap()
}

fn fold_all(connection: &Connection, now: i64) {
    while {
        connection.batch("BEGIN").unwrap();
        let folded = seen::fold(connection, now).unwrap();
        connection.batch("COMMIT").unwrap();
        folded > 0
    } {}
}

fn count(connection: &Connection, of: &str) -> i64 {
    connection
        .one(&format!("SELECT count(*) FROM {of}"), &[], |row| row.get(0))
        .unwrap()
}

async fn ids_of_days_that_are_over_stand_in_pages_and_are_known(place: Place) {
    drop(place.store);
    apart(place.ground, |connection| {
        for day in 0..3 {
            let first = u32::try_from(day).unwrap() * 1000;
            remember(connection, first, first + 1000, NOW + day * DAY);
        }
        fold_all(connection, NOW + 3 * DAY);
        assert_eq!(
            count(connection, "seen"),
            1000,
            "the last day can still go on at another node"
        );
        fold_all(connection, NOW + 4 * DAY);
        assert_eq!(count(connection, "seen"), 0);
        assert!(count(connection, "seen_page") >= 3000 / 112);
        assert!((0..3000).all(|number| is_known(connection, number)));
        assert!(!(3000..6000).any(|number| is_known(connection, number)));
    })
    .await;
}

async fn an_id_that_comes_again_is_folded_again_and_stands_there_once(place: Place) {
    drop(place.store);
    apart(place.ground, |connection| {
        for _ in 0..2 {
            remember(connection, 0, 50, NOW);
            fold_all(connection, NOW + 2 * DAY);
        }
        let bytes = connection.one("SELECT CAST(sum(length(keys)) AS BIGINT) FROM seen_page", &[], |row| {
            row.get::<i64>(0)
        });
        assert_eq!(bytes.unwrap(), 50 * 16);
    })
    .await;
}

async fn what_only_looks_like_an_id_inside_a_page_is_none(place: Place) {
    drop(place.store);
    apart(place.ground, |connection| {
        remember(connection, 0, 20, NOW);
        fold_all(connection, NOW + 2 * DAY);
        let page: Vec<u8> = connection
            .one("SELECT keys FROM seen_page", &[], |row| row.get(0))
            .unwrap();
        let shifted: [u8; 16] = page[8..24].try_into().unwrap();
        assert!(!seen::seen(connection, &SeenKey::raw(shifted)).unwrap());
        assert!(seen::seen(connection, &SeenKey::raw(page[16..32].try_into().unwrap())).unwrap());
    })
    .await;
}

/// A connection whose database is away after so many statements.
struct Breaking {
    inner: Box<dyn Driver>,
    left: usize,
}

impl Breaking {
    fn statement(&mut self) -> Result<(), DatabaseError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| DatabaseError::Away("cut".into()))?;
        Ok(())
    }
}

impl Driver for Breaking {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        self.statement()?;
        self.inner.execute(sql, values)
    }
    fn query(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), DatabaseError> {
        self.statement()?;
        self.inner.query(sql, values, each)
    }
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.statement()?;
        self.inner.batch(sql)
    }
    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.inner.begin()
    }
    fn commit(&mut self) -> Result<(), crate::database::Commit> {
        self.inner.commit()
    }
    fn rollback(&mut self) {
        self.inner.rollback();
    }
    fn is_usable(&self) -> bool {
        self.inner.is_usable()
    }
}

async fn a_fold_that_is_cut_at_any_statement_loses_nothing(place: Place) {
    drop(place.store);
    let second = place.ground.place();
    apart(place.ground, move |connection| {
        remember(connection, 0, 400, NOW);
        fold_all(connection, NOW + 2 * DAY);
        remember(connection, 400, 800, NOW + DAY);
        let mut whole = false;
        for statements in 0..200 {
            let inner = schema::driver(&second);
            let broken = Connection::new(Box::new(Breaking {
                inner,
                left: statements,
            }));
            // What is not committed is taken back when the connection goes.
            let folded = broken
                .batch("BEGIN")
                .map_err(StoreError::from)
                .and_then(|()| seen::fold(&broken, NOW + 3 * DAY))
                .and_then(|folded| Ok(broken.batch("COMMIT").map(|()| folded)?));
            drop(broken);
            assert!((0..800).all(|number| is_known(connection, number)), "{statements}");
            if folded.is_ok_and(|folded| folded > 0) {
                assert!(statements > 5);
                whole = true;
                break;
            }
        }
        assert!(whole);
    })
    .await;
}

async fn an_id_is_found_at_every_moment_of_its_fold(place: Place) {
    let store = Arc::clone(&place.store);
    apart(place.ground, move |connection| {
        remember(connection, 0, 3000, NOW);
        let runtime = tokio::runtime::Handle::current();
        let folded = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut rounds = 0;
                while rounds < 2 || !folded.load(Ordering::Relaxed) {
                    for number in (0..3000).step_by(7) {
                        let known = runtime.block_on(store.was_handled("S", &number.to_string())).unwrap();
                        assert!(known, "{number} in round {rounds}");
                    }
                    rounds += 1;
                }
            });
            // Two nodes that both believe that it is their turn.
            let turns: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| while runtime.block_on(store.fold_ids(NOW + 2 * DAY)).unwrap() > 0 {}))
                .collect();
            let turned: Vec<_> = turns.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            folded.store(true, Ordering::Relaxed);
            assert!(turned.iter().all(Result::is_ok));
            looking.join().unwrap();
        });
        assert_eq!(count(connection, "seen"), 0);
    })
    .await;
}

async fn a_generation_is_forgotten_when_its_last_day_is_400_days_ago(place: Place) {
    let store = Arc::clone(&place.store);
    apart(place.ground, move |connection| {
        let runtime = tokio::runtime::Handle::current();
        remember(connection, 0, 1000, NOW);
        remember(connection, 1000, 2000, NOW + 100 * DAY);
        fold_all(connection, NOW + 102 * DAY);
        let forget = |now| {
            let mut all = 0;
            loop {
                match runtime.block_on(store.forget_ids(now)).unwrap() {
                    0 => return all,
                    some => all += some,
                }
            }
        };
        assert_eq!(forget(NOW + 400 * DAY), 0);
        assert!((0..2000).all(|number| is_known(connection, number)));
        assert!(forget(NOW + 457 * DAY) > 0);
        assert!(!(0..1000).any(|number| is_known(connection, number)));
        assert!((1000..2000).all(|number| is_known(connection, number)));
        assert_eq!(count(connection, "seen_generation"), 1);
    })
    .await;
}

async fn an_id_costs_at_most_64_bytes(place: Place) {
    const DAYS: u32 = 400;
    const OF_A_DAY: u32 = 500;
    drop(place.store);
    apart(place.ground, |connection| {
        for day in 0..DAYS {
            let now = NOW + i64::from(day) * DAY;
            remember(connection, day * OF_A_DAY, (day + 1) * OF_A_DAY, now);
            fold_all(connection, now);
            if connection.dialect() == Dialect::Postgres && day % 10 == 0 {
                // As the server does by itself in the course of days.
                connection.batch("VACUUM seen, seen_page").unwrap();
            }
        }
        let sql = match connection.dialect() {
            Dialect::Sqlite => {
                "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'seen%' OR name LIKE 'sqlite_autoindex_seen%'"
            }
            Dialect::Postgres => {
                "SELECT CAST(pg_total_relation_size('seen') + pg_total_relation_size('seen_page') \
                 + pg_total_relation_size('seen_generation') AS BIGINT)"
            }
        };
        let bytes: i64 = connection.one(sql, &[], |row| row.get(0)).unwrap();
        let ids = i64::from(DAYS * OF_A_DAY);
        println!("{ids} ids: {bytes} bytes, {} each", bytes / ids);
        assert!(bytes / ids < 64, "{bytes} bytes for {ids} ids");
        assert!(bytes / ids >= 16, "{bytes} bytes cannot be all");
        assert!(
            (0..DAYS * OF_A_DAY)
                .step_by(997)
                .all(|number| is_known(connection, number))
        );
    })
    .await;
}

async fn an_id_under_which_a_message_left_is_taken_for_400_days(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(1)).await.unwrap();
    store
        .finish(claimed[0].message.id, claimed[0].lease, sent())
        .await
        .unwrap();
    assert!(store.delete_conversations_of("m", NOW).await.unwrap());
    assert!(store.outgoing_conversation("m").await.unwrap().is_none());
    let again = || store.create(new("m"), Vec::new(), RULES, created());
    assert!(matches!(again().await, Err(StoreError::MessageExists)));
    store.fold_ids(NOW + 5 * DAY).await.unwrap();
    assert!(matches!(again().await, Err(StoreError::MessageExists)));
    while store.forget_ids(NOW + 460 * DAY).await.unwrap() > 0 {}
    assert!(again().await.is_ok());
}

async fn an_id_whose_message_may_have_left_is_taken_when_it_was_dropped(place: Place) {
    let store = &place.store;
    queued(store, "m").await;
    let claimed = store.claim("S", NOW, some(1)).await.unwrap();
    let retry = Outcome::Retry {
        due: NOW + HOUR,
        error: "no answer".into(),
        uncertain: true,
    };
    store
        .finish(claimed[0].message.id, claimed[0].lease, retry)
        .await
        .unwrap();
    assert!(store.delete_outgoing("m", NOW).await.unwrap());
    assert!(store.delete_conversations_of("m", NOW).await.unwrap());
    assert!(store.knows_message("m").await.unwrap());
}

async fn an_id_whose_message_was_never_tried_is_free_when_all_of_it_is_gone(place: Place) {
    let store = &place.store;
    for id in ["draft", "queued"] {
        store.create(new(id), Vec::new(), RULES, created()).await.unwrap();
        if id == "queued" {
            store.queue(id, NOW).await.unwrap();
        }
        assert!(store.delete_outgoing(id, NOW).await.unwrap());
        assert!(store.knows_message(id).await.unwrap());
        assert!(store.delete_conversations_of(id, NOW).await.unwrap());
        assert!(!store.knows_message(id).await.unwrap());
        store.create(new(id), Vec::new(), RULES, created()).await.unwrap();
    }
}

on_every_database! {
    ids_of_days_that_are_over_stand_in_pages_and_are_known,
    an_id_that_comes_again_is_folded_again_and_stands_there_once,
    what_only_looks_like_an_id_inside_a_page_is_none,
    a_fold_that_is_cut_at_any_statement_loses_nothing,
    an_id_is_found_at_every_moment_of_its_fold,
    a_generation_is_forgotten_when_its_last_day_is_400_days_ago,
    an_id_costs_at_most_64_bytes,
    an_id_under_which_a_message_left_is_taken_for_400_days,
    an_id_whose_message_may_have_left_is_taken_when_it_was_dropped,
    an_id_whose_message_was_never_tried_is_free_when_all_of_it_is_gone,
}
