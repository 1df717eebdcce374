//! Databases of the shared server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use budstikke_test_line::Line;
use budstikke_test_postgres::{Database, Server};

fn database() -> Database {
    Server::shared().unwrap().database().unwrap()
}

fn exists(name: &str) -> bool {
    let elsewhere = database();
    let found = elsewhere.psql(&format!("select count(*) from pg_database where datname = '{name}'"));
    found.unwrap() == "1\n"
}

/// A client that stays, and is connected by now.
fn client_of(database: &Database) -> Child {
    let client = Command::new("psql")
        .args(["--no-psqlrc", "--command", "select pg_sleep(3600)", database.url()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let connected =
        "select count(*) from pg_stat_activity where datname = current_database() and query ~ '^select pg_sleep'";
    while database.psql(connected).unwrap() != "1\n" {
        std::thread::sleep(Duration::from_millis(10));
    }
    client
}

#[test]
fn a_database_is_empty_and_can_be_used() {
    let database = database();
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(database.psql(tables).unwrap(), "0\n");
    let rows = database.psql(
        "create table letter (id int, title text); insert into letter values (1, 'blåbær'), (2, 'Å') returning *",
    );
    assert_eq!(rows.unwrap(), "1|blåbær\n2|Å\n");
}

#[test]
fn a_name_is_all_that_databases_share() {
    let (one, other) = (database(), database());
    assert_ne!(one.url(), other.url());
    one.psql("create table letter (id int)").unwrap();
    assert!(other.psql("select * from letter").is_err());
}

#[test]
fn a_database_is_gone_with_its_guard_even_when_somebody_is_connected() {
    let database = database();
    let name = database.name().to_owned();
    let mut client = client_of(&database);
    assert!(exists(&name));
    drop(database);
    assert!(!exists(&name));
    assert!(!client.wait().unwrap().success());
}

#[test]
fn all_connections_of_one_database_are_ended_and_no_others() {
    let (one, other) = (database(), database());
    let mut clients = client_of(&one);
    let mut others = client_of(&other);
    let server = Server::shared().unwrap();
    assert_eq!(server.terminate_connections(&one).unwrap(), 1);
    assert!(!clients.wait().unwrap().success());
    assert_eq!(server.terminate_connections(&one).unwrap(), 0);
    assert!(others.try_wait().unwrap().is_none());
    drop(other);
    assert!(!others.wait().unwrap().success());
}

#[test]
fn an_error_of_sql_is_told_in_the_words_of_the_server() {
    let error = database().psql("select nonsense").unwrap_err().to_string();
    assert!(error.contains("column \"nonsense\" does not exist"), "{error}");
}

#[test]
fn a_database_can_be_had_through_a_line() {
    let Some(address) = Server::shared().unwrap().address() else {
        // Somebody else's server: url_through works with it, and nothing tells where to lay the line.
        return;
    };
    let line = Line::to(address).unwrap();
    let database = database();
    let through = database.url_through(line.address()).unwrap();
    let works = || {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--command", "select 1", &through]);
        psql.stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    assert!(works());
    line.cut().unwrap();
    assert!(!works());
    line.mend().unwrap();
    assert!(works());
}
