//! What the network and the server can do to a store on PostgreSQL. What was confirmed is there, and nothing is there twice.

use std::time::Duration;

use budstikke_test_line::Line;
use budstikke_test_postgres::{Database, Durability, Server};
use futures::future::join_all;

use super::*;

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn open(url: String) -> Arc<Store> {
    let place = crate::Place::Server { url, writers: 2 };
    Arc::new(Store::open(place, "test").await.unwrap())
}

async fn create(store: &Store, id: String) -> (String, Result<(), StoreError>) {
    let created = store
        .create(new(&id), vec![file("first.txt", 5)], RULES, created())
        .await;
    (id, created)
}

/// How many messages and conversations of an id the database has, seen without the store.
fn counted(database: &Database, id: &str) -> String {
    let sql = format!(
        "SELECT (SELECT count(*) FROM outgoing WHERE message_id = '{id}') || ' ' || \
         (SELECT count(*) FROM conversation WHERE message_id = '{id}') || ' ' || \
         (SELECT count(*) FROM status JOIN conversation ON conversation.id = conversation WHERE message_id = '{id}')"
    );
    database.psql(&sql).unwrap().trim().to_owned()
}

/// Everything that was confirmed is there once, everything that was refused is not, and what nobody knows is whole or absent.
async fn is_as_answered(database: &Arc<Database>, answers: Vec<(String, Result<(), StoreError>)>) -> usize {
    let database = Arc::clone(database);
    blocking(move || {
        let mut confirmed = 0;
        for (id, answer) in &answers {
            let found = counted(&database, id);
            match answer {
                Ok(()) => {
                    confirmed += 1;
                    assert_eq!(found, "1 1 1", "{id} was confirmed");
                }
                Err(error) if error.is_unclear() => {
                    assert!(["1 1 1", "0 0 0"].contains(&found.as_str()), "{id}: {found}");
                }
                Err(error) => assert_eq!(found, "0 0 0", "{id} was refused: {error}"),
            }
        }
        confirmed
    })
    .await
}

/// A store that reaches its database through a line.
struct AtADistance {
    server: Server,
    database: Arc<Database>,
    line: Arc<Line>,
    store: Arc<Store>,
}

impl AtADistance {
    async fn new() -> Self {
        let (server, database, line) = blocking(|| {
            let server = Server::shared().unwrap();
            let database = Arc::new(server.database().unwrap());
            let line = Arc::new(Line::to(server.address().unwrap()).unwrap());
            (server, database, line)
        })
        .await;
        let store = open(database.url_through(line.address()).unwrap()).await;
        Self {
            server,
            database,
            line,
            store,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let AtADistance {
        server,
        database,
        line,
        store,
    } = AtADistance::new().await;
    let mut answers = vec![create(&store, "before".into()).await];
    // A create is some five thousand bytes to the server; the last of them are its commit.
    for round in 0..40 {
        let (line, server, database) = (Arc::clone(&line), server.clone(), Arc::clone(&database));
        blocking(move || {
            // The next connection ends somewhere in its work.
            line.cut_after(1500 + round * 150).unwrap();
            server.terminate_connections(&database).unwrap();
        })
        .await;
        answers.push(create(&store, format!("round-{round}")).await);
    }
    let all = answers.len();
    assert_eq!(
        is_as_answered(&database, answers).await,
        all,
        "each was confirmed in the end"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_frozen_during_commits_loses_nothing() {
    let AtADistance {
        database, line, store, ..
    } = AtADistance::new().await;
    let load = join_all((0..40).map(|number| {
        let store = Arc::clone(&store);
        async move {
            tokio::time::sleep(Duration::from_millis(number * 10)).await;
            create(&store, format!("frozen-{number}")).await
        }
    }));
    let trouble = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let line = Arc::clone(&line);
        blocking(move || {
            line.freeze().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            line.mend().unwrap();
        })
        .await;
    };
    let (answers, ()) = tokio::join!(load, trouble);
    assert_eq!(is_as_answered(&database, answers).await, 40);
}

async fn under_load(prefix: &'static str, trouble: impl FnOnce(&Server, &Database) + Send + 'static) {
    let (server, database) = blocking(|| {
        let server = Server::start(Durability::Full).unwrap();
        let database = server.database().unwrap();
        (server, Arc::new(database))
    })
    .await;
    let store = open(database.url().to_owned()).await;
    let load = join_all((0..100).map(|number| {
        let store = Arc::clone(&store);
        async move {
            tokio::time::sleep(Duration::from_millis(number * 5)).await;
            create(&store, format!("{prefix}-{number}")).await
        }
    }));
    let during = {
        let (server, database) = (server.clone(), Arc::clone(&database));
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            blocking(move || trouble(&server, &database)).await;
        }
    };
    let (answers, ()) = tokio::join!(load, during);
    assert_eq!(is_as_answered(&database, answers).await, 100);
    let again = store.outgoing(&format!("{prefix}-0")).await.unwrap();
    assert!(again.is_some(), "reading goes on as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_server_under_load_loses_nothing() {
    under_load("restart", |server, _| server.restart().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_loses_nothing_that_was_confirmed() {
    under_load("kill", |server, _| {
        server.kill().unwrap();
        server.start_again().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_ended_under_load_are_made_anew() {
    under_load("terminate", |server, database| {
        for _ in 0..5 {
            server.terminate_connections(database).unwrap();
            std::thread::sleep(Duration::from_millis(30));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_piece_that_fails_takes_no_other_with_it() {
    for place in [Place::on_a_file().await, Place::on_a_server().await] {
        let store = &place.store;
        create(store, "taken".into()).await.1.unwrap();
        let load = (0..60).map(|number| async move {
            match number % 7 {
                // Found before anything is written.
                0 => create(store, "taken".into()).await,
                // Found when half of it is written.
                1 => {
                    let (id, files) = (format!("large-{number}"), vec![file("a", 600), file("b", 600)]);
                    let answer = store.create(new(&id), files, RULES, created()).await;
                    (id, answer)
                }
                _ => create(store, format!("m{number}")).await,
            }
        });
        let answers = join_all(load).await;
        assert_eq!(answers.len(), 60);
        for (id, answer) in answers {
            match answer {
                Ok(()) => assert!(id.starts_with('m'), "{id}"),
                Err(StoreError::MessageExists) => assert_eq!(id, "taken"),
                Err(StoreError::TooLarge { .. }) => assert!(id.starts_with("large"), "{id}"),
                Err(other) => panic!("{id}: {other}"),
            }
            assert_eq!(
                store.knows_message(&id).await.unwrap(),
                !id.starts_with("large"),
                "{id}"
            );
        }
    }
}

/// They are stored with the same statements: none may get the files or the status of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_created_together_are_each_whole() {
    for place in [Place::on_a_file().await, Place::on_a_server().await] {
        let store = &place.store;
        let mut wrong = file("taken", 1);
        wrong.small = Some(b"of another message".to_vec());
        store
            .create(new("first"), vec![wrong.clone()], RULES, created())
            .await
            .unwrap();
        let load = (0..100).map(|number| {
            let wrong = wrong.clone();
            async move {
                // Each fifth is created twice at the same time, each ninth meets a rule of the tables in its last statement.
                let id = format!("m{}", if number % 5 == 1 { number - 1 } else { number });
                let mut own = file(&format!("file of {id} by {number}"), 1);
                own.small = Some(number.to_string().into_bytes());
                let files = if number % 9 == 8 { vec![own, wrong] } else { vec![own] };
                let answer = store.create(new(&id), files, RULES, created()).await;
                (number, id, answer)
            }
        });
        let answers = join_all(load).await;
        for (number, id, answer) in &answers {
            match answer {
                Ok(()) => {
                    let (message, files) = store.outgoing_with_files(id).await.unwrap().unwrap();
                    assert_eq!(message.facts.message_id, *id);
                    let [file] = &files[..] else {
                        panic!("{id} has {} files", files.len())
                    };
                    assert_eq!(file.filename, format!("file of {id} by {number}"));
                    let (asked, blob) = (store.clone(), file.blob.clone());
                    let content = tokio::task::spawn_blocking(move || asked.small_file(&blob))
                        .await
                        .unwrap();
                    assert_eq!(content.unwrap().unwrap(), number.to_string().into_bytes());
                    assert_eq!(statuses(store, id).await, ["OPPRETTET"]);
                }
                Err(StoreError::MessageExists) => assert!(number % 5 <= 1, "{id}"),
                Err(StoreError::Database(DatabaseError::Constraint(_))) => assert_eq!(number % 9, 8, "{id}"),
                Err(other) => panic!("{id}: {other}"),
            }
        }
        for (number, _, answer) in &answers {
            assert_eq!(
                answer.is_err() && number % 5 > 1,
                number % 9 == 8 && number % 5 > 1,
                "{number}"
            );
        }
        let twin = |number: usize| answers.get(number).is_some_and(|(_, _, answer)| answer.is_ok());
        let twins = (0..100)
            .step_by(5)
            .filter(|first| first % 9 != 8 && (first + 1) % 9 != 8);
        for first in twins {
            assert!(twin(first) != twin(first + 1), "exactly one of {first} and its twin");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_stores_nothing() {
    let place = Place::on_a_file().await;
    place
        .store
        .write(|connection| {
            let pages: i64 = connection.one("SELECT page_count FROM pragma_page_count", &[], |row| row.get(0))?;
            // The answer to a pragma is a row.
            connection.each(&format!("PRAGMA max_page_count = {pages}"), &[], |_| Ok(()), |()| ())?;
            Ok(())
        })
        .await
        .unwrap();
    let mut big = new("m");
    big.sbd.content = vec![0; 1 << 20];
    let error = place.store.create(big, Vec::new(), RULES, created()).await.unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    assert!(!place.store.knows_message("m").await.unwrap());
}
