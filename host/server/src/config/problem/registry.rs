//! What can make no sense in `[registry]` and `[[routing]]`.

use std::time::Duration;

use budstikke_registry::config::is_on_this_machine;
use reqwest::Url;

use crate::config::{Config, Registry, RoutingRule};

/// Longest text of a reason, bytes.
const REASON: usize = 300;

/// Calls `add` with the key and what is wrong with it.
pub(super) fn sense(config: &Config, add: &mut impl FnMut(&[&str], String)) {
    address_service(config, add);
    for (list, number, path) in config.registry.files().filter(|(_, _, path)| !path.is_file()) {
        // By its place: the identifier of a receiver can be a person's.
        let entry = if list == "receivers" { "receiver" } else { "entry" };
        let what = format!("{entry} number {}: no such file: {}", number + 1, path.display());
        add(&["registry", list, &number.to_string()], what);
    }
    for (number, rule) in config.routing.iter().enumerate() {
        routing(config, rule, &mut |key, what| {
            add(&["routing", &number.to_string(), key], what);
        });
    }
}

fn address_service(config: &Config, add: &mut impl FnMut(&[&str], String)) {
    let registry = &config.registry;
    for (key, url) in [("url", &registry.url), ("jwk-url", &registry.jwk_url)] {
        let Some(text) = url else { continue };
        match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                add(&["registry", key], "must be a URL with http or https".into());
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                add(&["registry", key], "must not have a query or a fragment".into());
            }
            Ok(_) => {}
            Err(_) => add(&["registry", key], "must be a URL with http or https".into()),
        }
    }
    if let Some(file) = &registry.embedded {
        if registry.url.is_some() {
            add(
                &["registry", "embedded"],
                "give either url or embedded, not both".into(),
            );
        }
        if !file.is_file() {
            add(&["registry", "embedded"], format!("no such file: {}", file.display()));
        }
    }
    if registry.url.is_none() && registry.jwk_url.is_some() {
        add(&["registry", "jwk-url"], "means nothing without url".into());
    }
    if registry.url.is_none() && registry.embedded.is_none() && registry.token_profile.is_some() {
        let what = "means nothing without url or embedded".into();
        add(&["registry", "token-profile"], what);
    }
    token(config, registry, add);
    if registry.cache_seconds > 24 * 60 * 60 {
        add(&["registry", "cache-seconds"], "must be from 0 to 86400".into());
    }
    if registry.stale_hours > 24 * 365 {
        add(&["registry", "stale-hours"], "must be from 0 to 8760".into());
    }
    for (key, time) in [
        ("connect-time", registry.connect_time),
        ("read-time", registry.read_time),
    ] {
        if !(Duration::from_millis(1)..=Duration::from_mins(5)).contains(&time) {
            add(&["registry", key], "must be from 1ms to 5min".into());
        }
    }
}

fn token(config: &Config, registry: &Registry, add: &mut impl FnMut(&[&str], String)) {
    let Some(name) = &registry.token_profile else {
        if !registry.scopes.is_empty() {
            add(&["registry", "scopes"], "means nothing without token-profile".into());
        }
        return;
    };
    for (key, url) in [("url", &registry.url), ("jwk-url", &registry.jwk_url)] {
        let url = url.as_deref().and_then(|url| Url::parse(url).ok());
        if url.is_some_and(|url| url.scheme() == "http" && !is_on_this_machine(&url)) {
            let what = "must be https beside token-profile, or on this machine: anybody on the way could read the token, or put keys \
                        of their own in the place of the registry's";
            add(&["registry", key], what.into());
        }
    }
    let Some(profile) = config.tokens.get(name) else {
        return add(&["registry", "token-profile"], format!("there is no [tokens.{name}]"));
    };
    if registry.scopes.is_empty() {
        add(&["registry", "scopes"], "must name at least one scope".into());
    }
    for scope in registry.scopes.iter().filter(|scope| !profile.scopes.contains(scope)) {
        add(
            &["registry", "scopes"],
            format!("[tokens.{name}] does not list the scope {scope}"),
        );
    }
}

fn routing(config: &Config, rule: &RoutingRule, add: &mut impl FnMut(&str, String)) {
    for (key, pattern) in [
        ("process", &rule.process),
        ("receiver", &rule.receiver),
        ("service", &rule.service),
        ("document-type", &rule.document_type),
    ] {
        let Some(pattern) = pattern else { continue };
        if pattern.is_empty() {
            add(key, "must not be empty".into());
        } else if pattern.strip_suffix('*').unwrap_or(pattern).contains('*') {
            add(key, "may have a * at its end only".into());
        }
    }
    let served = |service: &String| {
        let mut enabled = config.adapters.values().filter(|adapter| adapter.enabled);
        enabled.any(|adapter| adapter.services.contains(service))
    };
    if let Some(service) = rule.prefer.as_ref().filter(|service| !served(service)) {
        add("prefer", format!("no adapter serves {service}"));
    }
    if let Some(name) = &rule.pin
        && !config.adapters.get(name).is_some_and(|adapter| adapter.enabled)
    {
        add("pin", format!("there is no [adapters.{name}] that is enabled"));
    }
    match [&rule.prefer, &rule.forbid, &rule.pin].map(Option::is_some) {
        [true, false, false] | [false, true, false] | [false, false, true] => {}
        _ => add("prefer", "give exactly one of prefer, forbid and pin".into()),
    }
    if let Some(digest) = &rule.pin_digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            add(
                "pin-digest",
                "must be sha256: and 64 hexadecimal digits in lower case".into(),
            );
        }
        if rule.pin.is_none() {
            add("pin-digest", "means nothing without pin".into());
        }
        if rule.service.is_some() {
            let what = "cannot stand beside service: a message waits for its version when it is sent, and which service it would have \
                        gone over before this rule is not known any more by then; pin says the adapter";
            add("pin-digest", what.into());
        }
    }
    if rule.reason.trim().is_empty() || rule.reason.len() > REASON {
        add("reason", format!("must say why, in 1 to {REASON} bytes"));
    }
}
