//! Faults, each on a server of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use budstikke_test_postgres::{Database, Durability, Error, Server};

/// With a committed row.
fn letter(server: &Server) -> Database {
    let database = server.database().unwrap();
    database
        .psql("create table letter (id int); insert into letter values (1)")
        .unwrap();
    database
}

fn letters(database: &Database) -> String {
    database.psql("select id from letter").unwrap()
}

#[test]
fn a_restart_keeps_what_was_committed() {
    let server = Server::start(Durability::Full).unwrap();
    let database = letter(&server);
    server.restart().unwrap();
    assert_eq!(letters(&database), "1\n");
}

#[test]
fn a_stopped_server_is_down_until_it_is_started_again_at_the_same_address() {
    let server = Server::start(Durability::Fast).unwrap();
    let database = letter(&server);
    let address = server.address();
    server.stop().unwrap();
    assert!(database.psql("select 1").is_err());
    assert!(matches!(server.stop(), Err(Error::Down)));
    server.start_again().unwrap();
    assert!(matches!(server.start_again(), Err(Error::Up)));
    assert_eq!(server.address(), address);
    assert_eq!(letters(&database), "1\n");
}

#[test]
fn what_was_committed_outlives_every_kill_and_what_was_not_does_not() {
    for durability in [Durability::Full, Durability::Fast] {
        let server = Server::start(durability).unwrap();
        let database = letter(&server);
        for _ in 0..5 {
            let mut open = Open::begin(&database, "insert into letter values (2)");
            server.kill().unwrap();
            assert!(database.psql("select 1").is_err());
            open.has_lost_its_server();
            server.start_again().unwrap();
            assert_eq!(letters(&database), "1\n");
        }
    }
}

#[test]
fn durability_is_what_was_asked_for() {
    for (durability, setting) in [(Durability::Full, "on\n"), (Durability::Fast, "off\n")] {
        let database = Server::start(durability).unwrap().database().unwrap();
        assert_eq!(database.psql("show fsync").unwrap(), setting);
    }
}

#[test]
fn a_database_that_goes_while_its_server_is_down_takes_nothing_else_along() {
    let server = Server::start(Durability::Fast).unwrap();
    let (one, other) = (letter(&server), letter(&server));
    server.stop().unwrap();
    drop(one);
    server.start_again().unwrap();
    assert_eq!(letters(&other), "1\n");
}

/// A client with a transaction that is not committed.
struct Open(Child);

impl Open {
    fn begin(database: &Database, sql: &str) -> Self {
        let mut psql = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", database.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = psql.stdin.as_mut().unwrap();
        writeln!(stdin, "begin; {sql}; select 'open';").unwrap();
        let mut line = String::new();
        BufReader::new(psql.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "open\n");
        Self(psql)
    }

    fn has_lost_its_server(&mut self) {
        // psql may be gone already.
        drop(writeln!(self.0.stdin.take().unwrap(), "commit;"));
        assert!(!self.0.wait().unwrap().success());
    }
}
