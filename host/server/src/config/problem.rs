//! What is wrong with a configuration: file, line, key, and what to do.

mod address_service;
mod outside;
mod registry;
mod server;

use std::path::Path;
use std::time::Duration;

use budstikke_message::identifier::OrganisationNumber;
use budstikke_settings::Problems;

pub(super) use address_service::{sense as sense_of_address_service, sense_of_embedded};

use super::{AddressService, Config, Role};

/// What a parser cannot see: names that must fit together, numbers that must be in range, files that must be there.
pub(super) fn sense(config: &Config, file: &Path, text: &str) -> Problems {
    let mut problems = Problems::default();
    let mut add = |key: &[&str], what: String| problems.add(file, text, key, what);
    if config.organisation.number.parse::<OrganisationNumber>().is_err() {
        add(&["organisation", "number"], "must be nine digits".into());
    }
    if !config.organisation.keystore.path.is_file() {
        let what = format!("no such file: {}", config.organisation.keystore.path.display());
        add(&["organisation", "keystore"], what);
    }
    server::sense(&config.server, |key, what| {
        let key: Vec<&str> = std::iter::once("server").chain(key.iter().copied()).collect();
        add(&key, what);
    });
    if config.server.users.iter().any(|user| user.roles.contains(&Role::Admin)) {
        let what =
            "admin is a role of the address service (`budstikke registry`); here there are fagsystem and operator";
        add(&["server", "users"], what.into());
    }
    for (key, value, range) in [
        (
            "lifetime-hours",
            u64::from(config.messages.lifetime_hours),
            1..=24 * 365,
        ),
        ("lock-minutes", u64::from(config.messages.lock_minutes), 1..=24 * 60),
        ("concurrency", config.messages.concurrency as u64, 1..=1000),
    ] {
        if !range.contains(&value) {
            add(
                &["messages", key],
                format!("must be from {} to {}", range.start(), range.end()),
            );
        }
    }
    for (service, concurrency) in &config.messages.service_concurrency {
        if !(1..=1000).contains(concurrency) {
            add(
                &["messages", "service-concurrency", service],
                "must be from 1 to 1000".into(),
            );
        }
    }
    if config
        .store
        .postgres
        .as_ref()
        .is_some_and(|postgres| !(1..=100).contains(&postgres.writers))
    {
        add(&["store", "postgres", "writers"], "must be from 1 to 100".into());
    }
    for (table, seconds) in [
        ("messages", &config.messages.retry_seconds),
        ("webhooks", &config.webhooks.retry_seconds),
    ] {
        if seconds.is_empty() || seconds.contains(&0) {
            add(
                &[table, "retry-seconds"],
                "must be one or more numbers of at least 1".into(),
            );
        }
    }
    for service in &config.messages.status_queue {
        if !config
            .adapters
            .values()
            .any(|adapter| adapter.services.contains(service))
        {
            add(&["messages", "status-queue"], format!("no adapter serves {service}"));
        }
    }
    for (number, rule) in config.retention.iter().enumerate() {
        for (key, what) in rule.faults() {
            add(&["retention", &number.to_string(), key], what);
        }
    }
    if !(1..=24 * 365).contains(&config.webhooks.keep_hours) {
        add(&["webhooks", "keep-hours"], "must be from 1 to 8760".into());
    }
    for (key, time) in [
        ("connect-time", config.webhooks.connect_time),
        ("read-time", config.webhooks.read_time),
    ] {
        if !(Duration::from_millis(1)..=Duration::from_mins(5)).contains(&time) {
            add(&["webhooks", key], "must be from 1ms to 5min".into());
        }
    }
    if config.plugins.poll_seconds == 0 {
        add(&["plugins", "poll-seconds"], "must be at least 1".into());
    }
    for (name, profile) in &config.tokens {
        outside::tokens(profile, |key, what| add(&["tokens", name, key], what));
    }
    outside::certificates(&config.certificates, |key, what| add(&["certificates", key], what));
    let mut served: Vec<(&str, &str)> = Vec::new();
    for (name, adapter) in config.adapters.iter().filter(|(_, adapter)| adapter.enabled) {
        if adapter.component.contains(['/', '\\']) || adapter.component.is_empty() {
            add(
                &["adapters", name, "component"],
                "must be the name of a file in the plugin folder".into(),
            );
        }
        if adapter.services.is_empty() {
            add(&["adapters", name, "services"], "must name at least one service".into());
        }
        if let Some(path) = adapter.extra_authorities.as_ref().filter(|path| !path.is_file()) {
            add(
                &["adapters", name, "extra-authorities"],
                format!("no such file: {}", path.display()),
            );
        }
        for profile in adapter
            .grants
            .tokens
            .iter()
            .filter(|profile| !config.tokens.contains_key(*profile))
        {
            add(
                &["adapters", name, "grants", "tokens"],
                format!("there is no [tokens.{profile}]"),
            );
        }
        for service in &adapter.services {
            if let Some((other, _)) = served.iter().find(|(_, taken)| taken == service) {
                add(
                    &["adapters", name, "services"],
                    format!("{service} is served by [adapters.{other}] already"),
                );
            }
            served.push((name, service));
        }
    }
    registry::sense(config, &mut add);
    let types = config.messages.known_types().err();
    let processes = config.messages.own_processes().err();
    for fault in types.into_iter().chain(processes).flatten() {
        let number = fault.number.to_string();
        add(&["messages", fault.list, &number, fault.key], fault.text);
    }
    // What is wrong in the other file is told with its own lines.
    if let Some(embedded) = config.registry.embedded.as_ref().filter(|path| path.is_file())
        && let Err(found) = AddressService::read_embedded(embedded)
    {
        problems.0.extend(found.0);
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_file_line_and_key() {
        let text = "[organisation]\nnumber = \"12\"\n\n[adapters.dpo]\ncomponent = \"x\"\n";
        let mut problems = Problems::default();
        problems.add(Path::new("b.toml"), text, &["adapters", "dpo", "component"], "is bad");
        problems.add(
            Path::new("b.toml"),
            text,
            &["adapters", "dpo", "services"],
            "is missing",
        );
        assert_eq!(
            problems.to_string(),
            "b.toml:5: adapters.dpo.component: is bad\nb.toml:4: adapters.dpo.services: is missing"
        );
    }

    #[test]
    fn an_element_of_a_list_is_told_by_its_line_and_a_number_can_be_a_name() {
        let text =
            "[[messages.types]]\ntype = \"a\"\n\n[[messages.types]]\ntype = \"b\"\n\n[adapters.5]\ncomponent = \"x\"\n";
        let mut problems = Problems::default();
        problems.add(Path::new("b.toml"), text, &["messages", "types", "1", "type"], "is bad");
        problems.add(
            Path::new("b.toml"),
            text,
            &["messages", "types", "1", "schema"],
            "is missing",
        );
        problems.add(Path::new("b.toml"), text, &["adapters", "5", "component"], "is bad");
        assert_eq!(
            problems.to_string(),
            "b.toml:5: messages.types.type: is bad\nb.toml:4: messages.types.schema: is missing\n\
             b.toml:8: adapters.5.component: is bad"
        );
    }
}
