//! `budstikke check`: problems on standard output, one a line, and an exit code.

use std::process::Output;

use crate::installation::Installation;

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Expects one problem and exit code 1.
#[track_caller]
fn refused(installation: &Installation, line: &str, words: &str) {
    let output = installation.check();
    let lines = lines(&output);
    let expected = format!("{}{words}", installation.place(line));
    assert!(
        lines.len() == 1 && lines[0].starts_with(&expected),
        "expected: {expected}\nfound:    {lines:#?}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_example_passes_as_it_is() {
    let installation = Installation::new().with_plugin();
    let output = installation.check();
    let told = lines(&output);
    assert_eq!(told[0], format!("{}: no problem found", installation.file().display()));
    assert_eq!(
        told[1..],
        [
            "finished conversations (outgoing; DPO; urn:no:difi:profile:arkivmelding:administrasjon:ver1.0; LEVERT, LEST): \
             removed 365 days after the last change",
            "content of messages that could not be sent (outgoing): removed 30 days after the last change",
            "what was set aside: removed 90 days after the last change"
        ]
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_the_file_says_wrongly_is_printed() {
    let installation = Installation::new();
    installation.change("lock-minutes = 5", "lock-minutes = 0");
    refused(
        &installation,
        "lock-minutes",
        "messages.lock-minutes: must be from 1 to 1440",
    );
}

#[test]
fn a_secret_of_the_database_that_cannot_be_had_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change(
        "# [store.postgres]",
        "[store.postgres]\nurl = { env = \"BUDSTIKKE_NO_SUCH\" }\n# ",
    );
    refused(
        &installation,
        "url = { env",
        "store.postgres.url: the environment variable BUDSTIKKE_NO_SUCH is not set",
    );
}

#[test]
fn a_former_keystore_that_cannot_be_opened_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change(
        "# [[organisation.former-keystores]]",
        "[[organisation.former-keystores]]\npath = \"keys/none.p12\"\n# ",
    );
    refused(
        &installation,
        "[[organisation.former-keystores]]",
        "organisation.former-keystores: the keystore ",
    );
}

#[test]
fn a_schema_that_is_wrong_is_named() {
    let installation = Installation::new();
    installation.put("types/byggesak.schema.json", "{ \"type\": 17 }");
    refused(&installation, "schema", "messages.types.schema: ");
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change(
        "message-channel = \"\"",
        "message-channel = { env = \"BUDSTIKKE_NOT_SET\" }",
    );
    let words = "adapters.dpo.settings.message-channel: the environment variable BUDSTIKKE_NOT_SET is not set";
    refused(&installation, "message-channel", words);
}

#[test]
fn a_password_that_is_not_there_or_wrong_is_named() {
    let installation = Installation::new();
    installation.change("BUDSTIKKE_KEYSTORE_PASSWORD", "BUDSTIKKE_NOT_SET");
    refused(
        &installation,
        "[organisation.keystore]",
        "organisation.keystore: the password of the keystore ",
    );
    installation.change("{ env = \"BUDSTIKKE_KEYSTORE_PASSWORD\" }", "\"feil\"");
    refused(
        &installation,
        "[organisation.keystore]",
        "organisation.keystore: the keystore ",
    );
}

#[test]
fn a_certificate_of_somebody_else_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change("number = \"991825827\"", "number = \"974720760\"");
    refused(
        &installation,
        "number",
        "organisation.number: the certificate belongs to organisation 991825827",
    );
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let installation = Installation::new();
    refused(&installation, "component", "adapters.dpo.component: ");
}

#[test]
fn a_grant_that_the_plugin_needs_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change("interfaces = [\"documents\", ", "interfaces = [");
    refused(&installation, "component", "adapters.dpo.component: ");
}

#[test]
fn a_setting_that_the_plugin_does_not_know_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change("max-per-poll", "most-per-poll");
    let output = installation.check();
    assert!(lines(&output).concat().contains("most-per-poll"), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_service_that_the_plugin_does_not_serve_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change("services = [\"DPO\"]", "services = [\"DPO\", \"DPX\"]");
    refused(
        &installation,
        "services",
        "adapters.dpo.services: the component does not serve DPX; it serves DPO",
    );
}

#[test]
fn a_password_hash_that_cannot_be_used_is_named_and_not_shown() {
    let installation = Installation::new().with_plugin();
    installation.change("{ file = \"keys/drift.hash\" }", "\"hemmelig\"");
    let words = "server.users: the password-hash of user drift cannot be used: it is neither argon2";
    refused(&installation, "[[server.users]]", words);
    assert!(!lines(&installation.check()).concat().contains("hemmelig"));
}

#[test]
fn a_server_certificate_that_cannot_be_used_is_named() {
    let installation = Installation::new().with_plugin();
    installation.change("keys/server.key", "keys/server.pem");
    refused(&installation, "[server.tls]", "server.tls: ");
    installation.change("keys/server.pem", "receivers/974720760.pem");
    refused(&installation, "[server.tls]", "server.tls: ");
}
