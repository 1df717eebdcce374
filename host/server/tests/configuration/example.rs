//! `examples/budstikke.toml` shows every setting, and tells the truth about it.

use budstikke::config::{self, Config, Messages, Role, Server, Webhooks};
use budstikke_runtime::Limits;
use toml::{Table, Value};

use crate::coverage::{dpo_keys, missing};
use crate::installation::{EXAMPLE, Installation};

/// The example, with the settings in it that exclude others, or that few need, and that are therefore commented out.
fn example() -> Table {
    uncommented(EXAMPLE)
}

/// `[server.limits]` of the example.
pub(crate) fn limits() -> Table {
    example()["server"]["limits"].as_table().unwrap().clone()
}

/// A file with the settings that are commented out.
pub(crate) fn uncommented(text: &str) -> Table {
    let is_setting = |line: &str| {
        let name = line.split_once(" = ").map_or("", |(name, _)| name);
        line.starts_with('[') && line.ends_with(']')
            || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let lines = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").parse().unwrap()
}

fn settings(file: &Table) -> Vec<&str> {
    file["adapters"]["dpo"]["settings"]
        .as_table()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_example_is_a_configuration_without_problems() {
    let installation = Installation::new();
    let config = Config::read(&installation.file()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.organisation.number, "991825827");
    assert_eq!(config.adapters["dpo"].services, ["DPO"]);
}

#[test]
fn every_setting_of_the_host_is_in_the_example() {
    assert_eq!(missing(&example()), Vec::<String>::new());
}

#[test]
fn a_setting_that_the_example_forgets_is_found() {
    for path in [
        "store.folder",
        "server.open",
        "server.tls.keystore",
        "server.limits.read-time",
        "organisation.keystore.alias",
        "tokens.altinn.own-system-user",
        "adapters.dpo.limits.log-lines-per-call",
        "adapters.dpo.grants.interfaces",
    ] {
        let mut file = example();
        let parts: Vec<&str> = path.split('.').collect();
        let (last, parents) = parts.split_last().unwrap();
        let table = parents
            .iter()
            .fold(&mut file, |table, part| table[*part].as_table_mut().unwrap());
        table.remove(*last).unwrap();
        // Names that the operator chooses are not part of a setting's name.
        let expected = path.replace(".altinn.", ".").replace(".dpo.", ".");
        assert_eq!(missing(&file), [expected]);
    }
    let mut file = example();
    let receivers = file["registry"]["receivers"].as_array_mut().unwrap();
    receivers[0]["capabilities"][0]
        .as_table_mut()
        .unwrap()
        .remove("security-levels")
        .unwrap();
    assert_eq!(missing(&file), ["registry.receivers.capabilities.security-levels"]);
}

#[test]
fn the_settings_of_the_dpo_adapter_are_all_in_the_example_and_no_others() {
    let mut keys = dpo_keys();
    assert!(keys.len() >= 10, "{keys:?}");
    let file = example();
    let mut shown = settings(&file);
    keys.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, keys);
}

#[test]
fn what_the_example_calls_defaults_are_the_defaults() {
    let config: Config = toml::from_str(EXAMPLE).unwrap();
    assert_eq!(config.adapters["dpo"].limits, Limits::default());
    let messages = Messages::default();
    assert_eq!(config.messages.retry_seconds, messages.retry_seconds);
    assert_eq!(
        (
            config.messages.lifetime_hours,
            config.messages.lock_minutes,
            config.messages.concurrency
        ),
        (messages.lifetime_hours, messages.lock_minutes, messages.concurrency)
    );
    let webhooks = Webhooks::default();
    assert_eq!(config.webhooks.retry_seconds, webhooks.retry_seconds);
    assert_eq!(
        (
            config.webhooks.connect_time,
            config.webhooks.read_time,
            config.webhooks.keep_hours
        ),
        (webhooks.connect_time, webhooks.read_time, webhooks.keep_hours)
    );
    let (registry, default) = (&config.registry, config::Registry::default());
    assert_eq!(
        (registry.verify, registry.print, registry.beta),
        (default.verify, default.print, default.beta)
    );
    assert_eq!(
        (
            registry.cache_seconds,
            registry.stale_hours,
            registry.connect_time,
            registry.read_time
        ),
        (
            default.cache_seconds,
            default.stale_hours,
            default.connect_time,
            default.read_time
        )
    );
    let (certificates, default) = (&config.certificates, config::Certificates::default());
    assert_eq!(certificates.revocation, default.revocation);
    assert_eq!(
        (
            certificates.private_networks,
            &certificates.suppliers,
            &certificates.trust_anchors
        ),
        (default.private_networks, &default.suppliers, &default.trust_anchors)
    );
    let (server, default) = (&config.server, Server::default());
    assert_eq!(server.listen, default.listen);
    assert_eq!(server.limits, default.limits);
    assert_eq!(
        (server.open, server.allow_deprecated_trailing_slash),
        (default.open, default.allow_deprecated_trailing_slash)
    );
    assert!(default.manage_open.is_empty() && default.users.is_empty() && default.tls.is_none());
    let user: config::User = toml::from_str("name = \"x\"\npassword-hash = \"y\"").unwrap();
    assert_eq!(
        (&user.roles, &server.users[0].roles),
        (&vec![Role::Fagsystem], &user.roles)
    );
}

#[test]
fn each_setting_has_its_comment() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut seen = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, _)) = line
            .split_once(" = ")
            .filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        else {
            continue;
        };
        if !seen.contains(&key) {
            assert!(
                lines[index - 1].starts_with("# "),
                "line {}: {key} has no comment",
                index + 1
            );
            seen.push(key);
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
}

#[test]
fn no_secret_stands_in_the_example() {
    fn passwords(value: &Value, found: &mut Vec<Value>) {
        for (key, inner) in value.as_table().into_iter().flatten() {
            if key == "password" || key == "password-hash" {
                found.push(inner.clone());
            }
            passwords(inner, found);
        }
        value
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|inner| passwords(inner, found));
    }
    let mut found = Vec::new();
    passwords(&Value::Table(example()), &mut found);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(Value::is_table), "{found:?}");
}
