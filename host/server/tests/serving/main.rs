//! The program from outside: who may call it, and with which certificate it answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod embedded;
mod process;
mod registry;

use std::fs;

use process::{Process, hash_password};

pub(crate) fn hash(password: &str) -> String {
    let output = hash_password(password);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_hash_password_prints_opens_the_server() {
    let hash = hash("blåbærsyltetøy\n");
    let process = Process::new(&format!(
        "[[server.users]]\nname = \"sak\"\npassword-hash = \"{hash}\"\nroles = [\"fagsystem\", \"operator\"]\n"
    ))
    .start();
    let login = ["--user", "sak:blåbærsyltetøy"];
    assert_eq!(process.status("http", "/api/statuses", &login), "200");
    assert_eq!(process.status("http", "/manage/info", &login), "200");
    assert_eq!(
        process.status("http", "/api/statuses", &["--user", "sak:blåbær"]),
        "401"
    );
    assert_eq!(process.status("http", "/api/statuses", &[]), "401");
    let log = process.log();
    assert!(
        log.contains("wrong name or password") && !log.contains("blåbær"),
        "{log}"
    );
    process.ends();
}

#[test]
fn a_password_that_is_none_gets_no_hash() {
    for input in ["", "\n", &"x".repeat(2000)] {
        let output = hash_password(input);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("no hash was made: the password is "));
    }
    assert_ne!(hash("x"), hash("x"));
}

#[test]
fn nobody_can_start_a_server_that_asks_nobody_by_mistake() {
    let log = Process::new("").refuses();
    assert!(log.contains("nobody may call: add [[server.users]]"), "{log}");
    let log = Process::new("[[server.users]]\nname = \"sak\"\npassword-hash = \"hemmelig\"\n").refuses();
    assert!(log.contains("the password-hash of user sak cannot be used"), "{log}");
    assert!(!log.contains("hemmelig"), "{log}");
}

#[test]
fn an_open_server_works_and_warns_when_others_can_reach_it() {
    let process = Process::new("open = true\nmanage-open = [\"health\"]\n").start();
    assert_eq!(process.status("http", "/api/statuses", &[]), "200");
    assert_eq!(process.status("http", "/manage/health", &[]), "200");
    assert_eq!(process.status("http", "/manage/info", &[]), "403");
    let log = process.log();
    let mut warnings = log
        .lines()
        .filter(|line| line.contains("WARN") && !line.contains("[certificates]"));
    assert_eq!(warnings.next(), None, "{log}");
    process.ends();

    let process = Process::new("open = true\n");
    let file = process.path("budstikke.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("127.0.0.1:0", "0.0.0.0:0")).unwrap();
    let process = process.start();
    assert!(
        process.log().contains("EVERYBODY who reaches this address"),
        "{}",
        process.log()
    );
    process.ends();
}

#[test]
fn a_certificate_is_read_anew_at_sighup_and_a_broken_one_is_named() {
    let process = Process::new(
        "open = true\nmanage-open = [\"health\"]\n[server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n",
    );
    process.install_certificate();
    let process = process.start();
    let shown = |process: &Process| {
        let health: serde_json::Value =
            serde_json::from_str(&process.curl("https", "/manage/health", &[])).unwrap_or_default();
        let part = &health["components"]["serverCertificate"];
        assert_eq!(part["status"], "UP", "{health}");
        assert!(part["details"]["notAfter"].is_string(), "{health}");
        part["details"]["serialNumber"].as_str().unwrap().to_owned()
    };
    let first = shown(&process);
    process.install_certificate();
    process.signal("-HUP");
    process.until("the new one is in use", |process| shown(process) != first);
    let second = shown(&process);
    fs::write(process.path("server.key"), "no key").unwrap();
    process.signal("-HUP");
    process.until("the broken file is named", |process| {
        let log = process.log();
        log.contains("server.key: it holds no private key") && log.contains("stays in use")
    });
    assert_eq!(shown(&process), second);
    assert_eq!(process.status("http", "/api/statuses", &[]), "000");
    process.ends();
}
