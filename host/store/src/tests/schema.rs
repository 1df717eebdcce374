//! From an empty database to the newest schema, and from any step on the way.

use super::*;
use crate::database::{Backend as _, Connection, Dialect, Driver, Postgres, Sqlite};
use crate::schema;

/// What this database is to the tests of its schema.
pub(super) fn connection(ground: &Ground) -> Connection {
    Connection::new(driver(&ground.place()))
}

pub(super) fn driver(place: &crate::Place) -> Box<dyn Driver> {
    let driver = match place {
        crate::Place::File(path) => Sqlite::new(path).connect(true),
        crate::Place::Server { url, writers } => Postgres::new(url, *writers).unwrap().connect(true),
    };
    driver.unwrap()
}

/// Runs `test` with a connection that is used outside of tasks, as those of the store are.
pub(super) async fn apart(ground: Ground, test: impl FnOnce(&Connection) + Send + 'static) {
    let done = tokio::task::spawn_blocking(move || test(&connection(&ground)));
    done.await.unwrap();
}

const NEXT: &str = "ALTER TABLE conversation ADD COLUMN colour TEXT; UPDATE conversation SET colour = 'red';";
const WRONG: &str = "ALTER TABLE conversation ADD COLUMN taste TEXT; SELECT nothing FROM nowhere;";

fn with_another(dialect: Dialect, step: &'static str) -> Vec<&'static str> {
    let mut steps = schema::steps(dialect).to_vec();
    steps.push(step);
    steps
}

async fn a_later_step_is_taken_once_and_keeps_what_is_there(place: Place) {
    place
        .store
        .create(new("m"), Vec::new(), RULES, created())
        .await
        .unwrap();
    drop(place.store);
    apart(place.ground, |connection| {
        let steps = with_another(connection.dialect(), NEXT);
        for _ in 0..2 {
            schema::migrate(connection, &steps).unwrap();
        }
        let rows = connection.all("SELECT message_id, colour FROM conversation", &[], |row| {
            Ok((row.get::<String>(0)?, row.get::<String>(1)?))
        });
        assert_eq!(rows.unwrap(), [("m".to_owned(), "red".to_owned())]);
    })
    .await;
}

async fn a_step_that_fails_changes_nothing(place: Place) {
    drop(place.store);
    apart(place.ground, |connection| {
        let steps = with_another(connection.dialect(), WRONG);
        for _ in 0..2 {
            assert!(schema::migrate(connection, &steps).is_err());
            let _taken_back = connection.batch("ROLLBACK");
        }
        assert!(
            connection
                .all("SELECT taste FROM conversation", &[], |_| Ok(()))
                .is_err()
        );
        schema::migrate(connection, &with_another(connection.dialect(), NEXT)).unwrap();
        assert!(
            connection
                .all("SELECT colour FROM conversation", &[], |_| Ok(()))
                .is_ok()
        );
    })
    .await;
}

async fn a_database_of_a_newer_version_is_left_alone(place: Place) {
    drop(place.store);
    let ground = place.ground;
    let elsewhere = ground.place();
    apart(ground, move |connection| {
        schema::migrate(connection, &with_another(connection.dialect(), NEXT)).unwrap();
        let found = i64::try_from(schema::NEWEST + 1).unwrap();
        let opened = tokio::runtime::Handle::current().block_on(Store::open(elsewhere, "newer"));
        assert!(matches!(opened, Err(StoreError::TooNew { found: said }) if said == found));
    })
    .await;
}

/// Messages in every state, as the second step had them.
const BEFORE_SENDING: &str = "INSERT INTO outgoing (kind, message_id, conversation_id, process, document_type, message_type, sender,
        sender_identifier, service, lane, sbd, data_key, expiry, last_updated, state, due, attempt, uncertain, lease, holder, last_error)
    WITH old (kind, message_id, state, due, attempt, uncertain, lease, holder, last_error) AS (VALUES
        ('message', 'draft', 0, 5, 0, 0, 0, NULL, NULL),
        ('message', 'ready', 1, 6, 0, 0, 0, NULL, NULL),
        ('answer', 'answered', 1, 6, 0, 0, 0, NULL, NULL),
        ('message', 'leased', 2, 7, 3, 1, 4, 8, NULL),
        ('message', 'given up', 3, 7, 5, 0, 5, NULL, 'broken'),
        ('message', 'waiting', 4, 9, 1, 0, 1, NULL, 'away'))
    SELECT kind, message_id, 'c', 'p', 'd', 't', 's', 's', 'DPO', '1', CAST('x' AS BYTES), CAST('k' AS BYTES), 100, 200, state, due, attempt,
        uncertain, lease, CAST(holder AS BIGINT), last_error FROM old;
    INSERT INTO attachment (outgoing, number, blob, filename, mime, size, is_primary) SELECT id, 1, 'b', 'f', 'm', 1, 1 FROM outgoing;";

async fn what_was_under_way_keeps_its_state_when_it_gets_a_table_of_its_own(place: Place) {
    apart(place.ground.another().await, |connection| {
        let steps = schema::steps(connection.dialect());
        schema::migrate(connection, &steps[..2]).unwrap();
        let bytes = match connection.dialect() {
            Dialect::Sqlite => "BLOB",
            Dialect::Postgres => "BYTEA",
        };
        connection.batch(&BEFORE_SENDING.replace("BYTES", bytes)).unwrap();
        schema::migrate(connection, steps).unwrap();
        let kept = connection.all(
            "SELECT message_id || ', ' || coalesce(answers, '') || ', ' || state || ', ' || due || ', ' || attempt || ', ' \
             || uncertain || ', ' || lease || ', ' || coalesce(holder, 0) || ', ' || coalesce(last_error, '') || ', ' || service \
             || ', ' || lane || ', ' || (SELECT count(*) FROM attachment WHERE attachment.outgoing = sending.outgoing) \
             FROM outgoing JOIN sending ON sending.outgoing = outgoing.id ORDER BY id",
            &[],
            |row| row.get::<String>(0),
        );
        assert_eq!(
            kept.unwrap(),
            [
                "draft, , 0, 100, 0, 0, 0, 0, , DPO, 1, 1",
                "ready, , 1, 6, 0, 0, 0, 0, , DPO, 1, 1",
                "answered, answered, 1, 6, 0, 0, 0, 0, , DPO, 1, 1",
                "leased, , 2, 7, 3, 1, 4, 8, , DPO, 1, 1",
                "given up, , 3, 200, 5, 0, 5, 0, broken, DPO, 1, 1",
                "waiting, , 4, 9, 1, 0, 1, 0, away, DPO, 1, 1",
            ]
        );
    })
    .await;
}

/// Tables with their columns, in the order of their names.
fn columns(connection: &Connection) -> Vec<String> {
    let sql = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name || '.' || c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1"
        }
        Dialect::Postgres => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT IN ('schema_version', 'commit_mark') \
             AND column_name <> 'part' ORDER BY 1"
        }
    };
    let mut columns = connection.all(sql, &[], |row| row.get::<String>(0)).unwrap();
    columns.sort();
    columns
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_kinds_of_database_have_the_same_tables() {
    let mut found = Vec::new();
    for place in [Place::on_a_file().await, Place::on_a_server().await] {
        drop(place.store);
        let ground = place.ground;
        let columns = tokio::task::spawn_blocking(move || columns(&connection(&ground)));
        found.push(columns.await.unwrap());
    }
    assert!(found[0].len() > 100);
    assert_eq!(found[0], found[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_make_one_schema() {
    let place = Place::on_a_server().await;
    let ground = place.ground.another().await;
    let opened = futures::future::join_all((0..4).map(|_| Store::open(ground.place(), "one of four"))).await;
    assert!(opened.iter().all(Result::is_ok));
    drop(place);
}

on_every_database! {
    a_later_step_is_taken_once_and_keeps_what_is_there,
    a_step_that_fails_changes_nothing,
    a_database_of_a_newer_version_is_left_alone,
    what_was_under_way_keeps_its_state_when_it_gets_a_table_of_its_own,
}
