//! What is wrong is said by file, line and key.

use budstikke::config::Config;

use crate::installation::Installation;

/// Exchanges a piece of the example, and expects one problem: at the line that begins so, with words that begin so.
#[track_caller]
fn problem(from: &str, to: &str, line: &str, words: &str) {
    let installation = Installation::new();
    installation.change(from, to);
    let problems = Config::read(&installation.file()).map(drop).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    let expected = format!("{}{words}", installation.place(line));
    assert!(
        problems.to_string().starts_with(&expected),
        "expected: {expected}\nfound:    {problems}"
    );
}

#[test]
fn an_unknown_key_is_named() {
    problem(
        "poll-seconds = 5",
        "pol-seconds = 5",
        "pol-seconds",
        "plugins.pol-seconds: unknown field `pol-seconds`",
    );
    problem(
        "\nmemory =",
        "\nmemmory =",
        "memmory",
        "adapters.dpo.limits.memmory: unknown field `memmory`",
    );
    problem("[store]", "[stor]", "[stor]", "stor: unknown field `stor`");
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    problem(
        "lock-minutes = 5",
        "lock-minutes = \"five\"",
        "lock-minutes",
        "messages.lock-minutes: invalid type: string",
    );
    problem(
        "services = [\"DPO\"]",
        "services = \"DPO\"",
        "services",
        "adapters.dpo.services: invalid type: string",
    );
    let key = "registry.receivers.capabilities.security-levels";
    problem(
        "levels = [3, 4]",
        "levels = 3",
        "security-levels",
        &format!("{key}: invalid type: integer"),
    );
}

#[test]
fn a_quantity_or_host_that_cannot_be_read_is_named() {
    problem(
        "cpu-time = \"5s\"",
        "cpu-time = \"soon\"",
        "cpu-time",
        "adapters.dpo.limits.cpu-time: `soon` is not a time",
    );
    problem("http = [\"https://", "http = [\"", "http", "adapters.dpo.grants.http: ");
}

#[test]
fn a_secret_of_the_wrong_shape_is_named() {
    problem(
        "{ env = \"BUDSTIKKE",
        "{ var = \"BUDSTIKKE",
        "password",
        "organisation.keystore.password: expected a text, { env = ",
    );
}

#[test]
fn a_missing_value_is_named() {
    problem(
        "component = \"dpo.wasm\"\n",
        "",
        "[adapters.dpo]",
        "adapters.dpo: missing field `component`",
    );
}

#[test]
fn broken_toml_is_named_by_its_line() {
    problem("poll-seconds = 5", "poll-seconds = = 5", "poll-seconds", "");
}

#[test]
fn a_number_out_of_range_is_named() {
    problem(
        "lock-minutes = 5",
        "lock-minutes = 0",
        "lock-minutes",
        "messages.lock-minutes: must be from 1 to 1440",
    );
    problem(
        "poll-seconds = 5",
        "poll-seconds = 0",
        "poll-seconds",
        "plugins.poll-seconds: must be at least 1",
    );
    problem(
        "retry-seconds = [20",
        "retry-seconds = [0",
        "retry-seconds",
        "messages.retry-seconds: must be",
    );
    problem(
        "number = \"991825827\"",
        "number = \"99\"",
        "number",
        "organisation.number: must be nine digits",
    );
}

#[test]
fn a_service_that_is_served_twice_is_named() {
    let twice = "[adapters.other]\ncomponent = \"o.wasm\"\nservices = [\"DPO\"] # again\n\n[[registry.receivers]]";
    let words = "adapters.other.services: DPO is served by [adapters.dpo] already";
    problem("[[registry.receivers]]", twice, "services = [\"DPO\"] # again", words);
}

#[test]
fn a_token_profile_that_nobody_wrote_is_named() {
    let words = "adapters.dpo.grants.tokens: there is no [tokens.altin]";
    problem("tokens = [\"altinn\"]", "tokens = [\"altin\"]", "tokens", words);
}

#[test]
fn a_token_profile_signs_with_one_key() {
    let both = "[tokens.altinn-jwk]\nkeystore = { path = \"keys/maskinporten.p12\" }";
    problem(
        "[tokens.altinn-jwk]",
        both,
        "jwk = ",
        "tokens.altinn-jwk.jwk: give either jwk or keystore",
    );
}

#[test]
fn a_system_user_of_our_own_must_be_listed() {
    let words = "tokens.altinn.own-system-user: 0192:974720760 is not among system-users";
    problem(
        "own-system-user = \"0192:991825827",
        "own-system-user = \"0192:974720760",
        "own-system-user",
        words,
    );
}

#[test]
fn a_missing_file_is_named() {
    for (file, line, key) in [
        (
            "keys/virksomhet.p12",
            "[organisation.keystore]",
            "organisation.keystore",
        ),
        (
            "keys/maskinporten.p12",
            "[tokens.altinn.keystore]",
            "tokens.altinn.keystore",
        ),
        ("keys/maskinporten.jwk.json", "jwk = ", "tokens.altinn-jwk.jwk"),
        (
            "keys/proxy-ca.pem",
            "extra-authorities",
            "adapters.dpo.extra-authorities",
        ),
        (
            "receivers/974720760.pem",
            "[[registry.receivers]]",
            "registry.receivers: receiver number 1",
        ),
    ] {
        let installation = Installation::new();
        installation.remove(file);
        let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
        let start = format!("{}{key}: no such file: ", installation.place(line));
        assert!(
            problems.starts_with(&start) && problems.ends_with(file),
            "expected: {start}\nfound:    {problems}"
        );
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = Config::read("nowhere/budstikke.toml".as_ref())
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        problems.starts_with("nowhere/budstikke.toml: cannot be read: "),
        "{problems}"
    );
}

#[test]
fn several_problems_are_all_said() {
    let installation = Installation::new();
    installation.change("lock-minutes = 5", "lock-minutes = 0");
    installation.remove("keys/maskinporten.jwk.json");
    let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
    assert_eq!(problems.lines().count(), 2, "{problems}");
}
