//! The address service's own data: every test runs on a file and on a server.

use std::sync::Arc;

use super::*;
use crate::database::{Connection, Dialect};

enum Ground {
    File(tempfile::TempDir),
    Server(budstikke_test_postgres::Database),
}

impl Ground {
    fn place(&self) -> crate::Place {
        match self {
            Self::File(folder) => crate::Place::File(folder.path().join("registry.db")),
            Self::Server(database) => crate::Place::Server {
                url: database.url().to_owned(),
                writers: 3,
            },
        }
    }

    async fn data(&self) -> Arc<RegistryData> {
        Arc::new(RegistryData::open(self.place()).await.unwrap())
    }
}

fn file() -> Ground {
    Ground::File(tempfile::tempdir().unwrap())
}

async fn server() -> Ground {
    let database =
        tokio::task::spawn_blocking(|| budstikke_test_postgres::Server::shared().unwrap().database().unwrap());
    Ground::Server(database.await.unwrap())
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(super::file()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(super::server().await).await;
            }
        })*
    };
}

fn kari() -> Author {
    Author {
        who: "kari".into(),
        at: 1_772_442_900_000,
    }
}

fn process(identifier: &str, types: &[&str]) -> ProcessRow {
    ProcessRow {
        identifier: identifier.into(),
        service_code: Some("1234".into()),
        category: "ARKIVMELDING".into(),
        document_types: types.iter().map(|name| (*name).to_owned()).collect(),
        ..ProcessRow::default()
    }
}

fn organisation(number: &str) -> OrganisationRow {
    OrganisationRow {
        number: number.into(),
        name: Some("EKSEMPELETATEN".into()),
        form: Some("ORGL".into()),
        address: Some(AddressRow {
            lines: vec!["Postboks 1".into(), "Sentrum".into()],
            postal_code: Some("0101".into()),
            postal_area: Some("OSLO".into()),
            country: None,
        }),
        registrations: Some(vec!["p:a".into(), "p:b".into()]),
        certificates: vec![("A".into(), vec![0, 1, 255]), ("B".into(), vec![2])],
        overrides: vec![
            OverrideRow {
                process: Some("p:a".into()),
                decision: DecisionRow::Only("A".into()),
                reason: "agreed".into(),
            },
            OverrideRow {
                process: None,
                decision: DecisionRow::Closed,
                reason: "wound up".into(),
            },
        ],
    }
}

async fn what_is_written_is_read_again_also_after_a_restart(ground: Ground) {
    let data = ground.data().await;
    data.add_process(process("p:b", &["t::2", "t::1"]), kari())
        .await
        .unwrap();
    data.add_process(process("p:a", &["t::1", "t::1"]), kari())
        .await
        .unwrap();
    assert!(data.put_organisation(organisation("910076787"), kari()).await.unwrap());
    let bare = OrganisationRow {
        number: "991825827".into(),
        registrations: Some(Vec::new()),
        ..OrganisationRow::default()
    };
    assert!(data.put_organisation(bare.clone(), kari()).await.unwrap());
    drop(data);
    let data = ground.data().await;
    let rows = data.rows().await.unwrap();
    assert_eq!(rows.change, 4);
    let names: Vec<_> = rows.processes.iter().map(|row| row.identifier.as_str()).collect();
    assert_eq!(names, ["p:a", "p:b"]);
    assert_eq!(rows.processes[0].document_types, ["t::1"]);
    assert_eq!(rows.processes[1].document_types, ["t::2", "t::1"], "in their order");
    assert_eq!(rows.document_types, ["t::1", "t::2"]);
    assert_eq!(rows.organisations, [organisation("910076787"), bare]);
}

async fn an_organisation_is_replaced_as_a_whole(ground: Ground) {
    let data = ground.data().await;
    data.put_organisation(organisation("910076787"), kari()).await.unwrap();
    let bare = OrganisationRow {
        number: "910076787".into(),
        ..OrganisationRow::default()
    };
    assert!(!data.put_organisation(bare.clone(), kari()).await.unwrap());
    assert_eq!(data.rows().await.unwrap().organisations, [bare]);
    data.remove_organisation("910076787".into(), kari()).await.unwrap();
    let again = data.remove_organisation("910076787".into(), kari()).await;
    assert!(matches!(again, Err(RegistryDataError::Missing)));
}

async fn a_change_leaves_what_it_does_not_name(ground: Ground) {
    let data = ground.data().await;
    data.add_process(process("p:a", &["t::1"]), kari()).await.unwrap();
    let again = data.add_process(process("p:a", &[]), kari()).await;
    assert!(matches!(again, Err(RegistryDataError::Exists)));
    let resource = ProcessChange {
        resource: Some("r".into()),
        ..ProcessChange::default()
    };
    data.change_process("p:a".into(), resource.clone(), kari())
        .await
        .unwrap();
    let types = ProcessChange {
        document_types: Some(vec!["t::2".into()]),
        ..ProcessChange::default()
    };
    data.change_process("p:a".into(), types, kari()).await.unwrap();
    let missing = data.change_process("p:x".into(), resource, kari()).await;
    assert!(matches!(missing, Err(RegistryDataError::Missing)));
    let rows = data.rows().await.unwrap();
    let expected = ProcessRow {
        id: rows.processes[0].id,
        resource: Some("r".into()),
        ..process("p:a", &["t::2"])
    };
    assert_eq!(rows.processes, [expected]);
    assert_eq!(rows.document_types, ["t::1", "t::2"], "one that nobody uses stays");
}

async fn a_document_type_that_is_in_use_stays(ground: Ground) {
    let data = ground.data().await;
    data.add_process(process("p:a", &["t::1"]), kari()).await.unwrap();
    data.add_document_type("t::2".into(), vec!["p:a".into()], kari())
        .await
        .unwrap();
    let strange = data.add_document_type("t::3".into(), vec!["p:x".into()], kari()).await;
    assert!(matches!(strange, Err(RegistryDataError::Missing)));
    for used in ["t::1", "t::2"] {
        let refused = data.remove_document_type(used.into(), kari()).await;
        assert!(matches!(refused, Err(RegistryDataError::InUse)));
    }
    data.remove_process("p:a".into(), kari()).await.unwrap();
    assert_eq!(data.rows().await.unwrap().document_types, ["t::1", "t::2"]);
    data.remove_document_type("t::1".into(), kari()).await.unwrap();
    assert_eq!(data.rows().await.unwrap().document_types, ["t::2"]);
}

async fn an_import_is_all_or_nothing(ground: Ground) {
    let data = ground.data().await;
    data.add_process(process("p:a", &["t::1"]), kari()).await.unwrap();
    let twice = OrganisationRow {
        certificates: vec![("A".into(), vec![1]), ("A".into(), vec![2])],
        ..organisation("910076787")
    };
    let mut imported = Imported {
        processes: vec![process("p:a", &["t::9"]), process("p:b", &["t::1"])],
        document_types: vec!["t::0".into()],
        organisations: vec![twice],
    };
    let before = data.rows().await.unwrap();
    let refused = data.import(imported.clone(), None, kari()).await;
    assert!(matches!(refused, Err(RegistryDataError::Store(_))));
    assert_eq!(data.rows().await.unwrap(), before);
    imported.organisations = vec![organisation("910076787")];
    data.import(imported, None, kari()).await.unwrap();
    let rows = data.rows().await.unwrap();
    assert_eq!(rows.processes[0].id, before.processes[0].id, "it keeps its number");
    assert_eq!(rows.processes[0].document_types, ["t::9"]);
    assert_eq!(rows.document_types, ["t::0", "t::1", "t::9"]);
}

async fn an_import_that_saw_an_older_state_changes_nothing(ground: Ground) {
    let (one, other) = (ground.data().await, ground.data().await);
    let seen = one.last_change().await.unwrap();
    other.add_process(process("p:a", &[]), kari()).await.unwrap();
    let imported = Imported {
        processes: vec![process("p:b", &[])],
        ..Imported::default()
    };
    let before = one.rows().await.unwrap();
    let refused = one.import(imported.clone(), Some(seen), kari()).await;
    assert!(matches!(refused, Err(RegistryDataError::Changed)));
    assert_eq!(one.rows().await.unwrap(), before);
    one.import(imported, Some(before.change), kari()).await.unwrap();
    assert_eq!(one.rows().await.unwrap().processes.len(), 2);
}

/// What opens the database for a test's own statements.
async fn statements(ground: &Ground, sql: String) {
    let place = ground.place();
    let run = move || {
        let connection = Connection::new(crate::backend_of(&place).unwrap().connect(true).unwrap());
        connection.batch(&sql).unwrap();
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

async fn changes_of_long_ago_are_forgotten_but_never_the_newest(ground: Ground) {
    let data = ground.data().await;
    let numbers = match &ground {
        Ground::File(_) => {
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 16001) SELECT n, 'kari', 'x' FROM n"
        }
        Ground::Server(_) => "SELECT n, 'kari', 'x' FROM generate_series(1, 16001) AS n",
    };
    statements(
        &ground,
        format!("INSERT INTO registry_change (at, who, what) {numbers}"),
    )
    .await;
    assert!(data.tidy(0).await.unwrap(), "there is more");
    assert!(!data.tidy(0).await.unwrap());
    let left = data.changes(20_000).await.unwrap();
    assert_eq!((left.len(), left[0].number, left[9999].number), (10_000, 16_001, 6002));
    assert_eq!(data.last_change().await.unwrap(), 16_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_of_commits_are_forgotten_after_an_hour() {
    let ground = server().await;
    let data = ground.data().await;
    let hour = 60 * 60 * 1000;
    let mark = |at: i64| at << 20;
    statements(
        &ground,
        format!(
            "INSERT INTO commit_mark VALUES ({}), ({})",
            mark(kari().at - hour - 1),
            mark(kari().at - hour + 1)
        ),
    )
    .await;
    data.tidy(kari().at).await.unwrap();
    let place = ground.place();
    let left = tokio::task::spawn_blocking(move || {
        let connection = Connection::new(crate::backend_of(&place).unwrap().connect(true).unwrap());
        let sql = "SELECT id FROM commit_mark ORDER BY id LIMIT 1";
        connection.one(sql, &[], |row| row.get::<i64>(0)).unwrap()
    });
    assert_eq!(left.await.unwrap(), mark(kari().at - hour + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_new_file_beside_another_waits_and_finds_its_tables() {
    let ground = file();
    let steps = include_str!("schema/sqlite/1.sql");
    let version = "CREATE TABLE registry_schema_version (version BIGINT NOT NULL);";
    statements(&ground, version.to_owned()).await;
    let place = ground.place();
    let (begun, wait) = std::sync::mpsc::channel();
    let other = tokio::task::spawn_blocking(move || {
        let connection = Connection::new(crate::backend_of(&place).unwrap().connect(true).unwrap());
        connection.batch("BEGIN IMMEDIATE").unwrap();
        begun.send(()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        let insert = "INSERT INTO registry_schema_version VALUES (1); COMMIT;";
        connection.batch(&format!("{steps} {insert}")).unwrap();
    });
    wait.recv().unwrap();
    let opened = RegistryData::open(ground.place()).await;
    other.await.unwrap();
    assert_eq!(opened.err().map(|error| error.to_string()), None);
}

async fn each_change_says_who_made_it_and_refusals_are_none(ground: Ground) {
    let data = ground.data().await;
    assert_eq!(data.last_change().await.unwrap(), 0);
    data.add_process(process("p:a", &[]), kari()).await.unwrap();
    assert!(data.add_process(process("p:a", &[]), kari()).await.is_err());
    data.remove_process("p:a".into(), kari()).await.unwrap();
    let changes = data.changes(10).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(told, ["process p:a removed", "process p:a added"]);
    assert!(
        changes
            .iter()
            .all(|change| change.who == "kari" && change.at == kari().at)
    );
    assert!(changes[0].number > changes[1].number);
    assert_eq!(data.last_change().await.unwrap(), changes[0].number);
}

async fn another_node_sees_a_change(ground: Ground) {
    let (one, other) = (ground.data().await, ground.data().await);
    let before = other.last_change().await.unwrap();
    one.add_process(process("p:a", &[]), kari()).await.unwrap();
    assert!(other.last_change().await.unwrap() > before);
    assert_eq!(other.rows().await.unwrap(), one.rows().await.unwrap());
}

async fn a_database_of_a_newer_version_is_left_alone(ground: Ground) {
    drop(ground.data().await);
    statements(&ground, "INSERT INTO registry_schema_version VALUES (2)".into()).await;
    let opened = RegistryData::open(ground.place()).await;
    assert!(matches!(opened, Err(StoreError::TooNew { found: 2 })));
}

/// Tables with their columns, in the order of their names.
fn columns(place: &crate::Place) -> Vec<String> {
    let connection = Connection::new(crate::backend_of(place).unwrap().connect(true).unwrap());
    let sql = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name || '.' || c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.name LIKE 'registry%' AND m.type = 'table' ORDER BY 1"
        }
        Dialect::Postgres => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name LIKE 'registry%' ORDER BY 1"
        }
    };
    let mut columns = connection.all(sql, &[], |row| row.get::<String>(0)).unwrap();
    columns.sort();
    columns
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_kinds_of_database_have_the_same_tables() {
    let mut found = Vec::new();
    for ground in [file(), server().await] {
        drop(ground.data().await);
        let place = ground.place();
        found.push(tokio::task::spawn_blocking(move || columns(&place)).await.unwrap());
    }
    assert!(found[0].len() > 30);
    assert_eq!(found[0], found[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_make_one_schema() {
    let ground = server().await;
    let opened = futures::future::join_all((0..4).map(|_| RegistryData::open(ground.place()))).await;
    assert!(opened.iter().all(Result::is_ok));
}

on_every_database! {
    what_is_written_is_read_again_also_after_a_restart,
    an_organisation_is_replaced_as_a_whole,
    a_change_leaves_what_it_does_not_name,
    a_document_type_that_is_in_use_stays,
    an_import_is_all_or_nothing,
    an_import_that_saw_an_older_state_changes_nothing,
    changes_of_long_ago_are_forgotten_but_never_the_newest,
    each_change_says_who_made_it_and_refusals_are_none,
    another_node_sees_a_change,
    a_database_of_a_newer_version_is_left_alone,
}
