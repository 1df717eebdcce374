//! What can make no sense in `[server]`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{ManagePart, Server, ServerLimits, Tls};

/// Times from here; anything shorter would end honest connections.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(1);

/// Calls `add` with the key below `[server]` and what is wrong with it.
pub(super) fn sense(server: &Server, mut add: impl FnMut(&[&str], String)) {
    who(server, &mut add);
    if let Some(tls) = &server.tls {
        certificate(tls, &mut add);
    }
    limits(&server.limits, &mut add);
}

fn who(server: &Server, add: &mut impl FnMut(&[&str], String)) {
    if server.users.is_empty() && !server.open {
        let what = "nobody may call: add [[server.users]], or set open = true to ask nobody for a password";
        add(&[], what.into());
    }
    if server.open && !server.users.is_empty() {
        let what = "true together with [[server.users]]: their passwords would not be asked for; remove one of the two";
        add(&["open"], what.into());
    }
    if !server.shutdown && server.manage_open.contains(&ManagePart::Shutdown) {
        let what = "opens \"shutdown\", which is not there: set shutdown = true, or take it away here";
        add(&["manage-open"], what.into());
    }
    for (index, user) in server.users.iter().enumerate() {
        let named = format!("user number {} ({})", index + 1, user.name.escape_debug());
        if user.name.is_empty() || user.name.contains(|c: char| c == ':' || c.is_control()) {
            let what = format!("{named}: the name must not be empty, and not hold a colon or a control character");
            add(&["users"], what);
        }
        if server.users.iter().take(index).any(|other| other.name == user.name) {
            add(&["users"], format!("{named}: there is a user with this name already"));
        }
        if user.roles.is_empty() {
            add(&["users"], format!("{named}: roles must name at least one role"));
        }
    }
}

fn certificate(tls: &Tls, add: &mut impl FnMut(&[&str], String)) {
    let both = match (&tls.certificate, &tls.key, &tls.keystore) {
        (Some(_), Some(_), None) | (None, None, Some(_)) => None,
        (_, _, Some(_)) => Some("give either certificate and key, or keystore, not both"),
        _ => Some("needs certificate and key, or keystore"),
    };
    if let Some(what) = both {
        add(&["tls"], what.into());
    }
    let mut exists = |key: &[&str], path: Option<&PathBuf>| {
        if let Some(path) = path.filter(|path| !path.is_file()) {
            add(key, format!("no such file: {}", path.display()));
        }
    };
    exists(&["tls", "certificate"], tls.certificate.as_ref());
    exists(&["tls", "key"], tls.key.as_ref());
    exists(
        &["tls", "keystore"],
        tls.keystore.as_ref().map(|keystore| &keystore.path),
    );
}

fn limits(limits: &ServerLimits, add: &mut impl FnMut(&[&str], String)) {
    for (key, value, range) in [
        ("header-bytes", limits.header_bytes as u64, 4 << 10..=128 << 10),
        ("headers", limits.headers as u64, 10..=1000),
        ("json-bytes", limits.json_bytes as u64, 1 << 10..=1 << 30),
        ("request-bytes", limits.request_bytes, 1 << 10..=1 << 40),
        ("part-bytes", limits.part_bytes, 1 << 10..=1 << 40),
        ("parts", limits.parts as u64, 1..=100_000),
        ("connections", limits.connections as u64, 1..=100_000),
    ] {
        if !range.contains(&value) {
            add(
                &["limits", key],
                format!("must be from {} to {}", range.start(), range.end()),
            );
        }
    }
    for (key, value) in [
        ("header-time", limits.header_time),
        ("idle-time", limits.idle_time),
        ("silence-time", limits.silence_time),
        ("read-time", limits.read_time),
    ] {
        if !(SHORTEST..=LONGEST).contains(&value) {
            let what = format!("must be from {} to {} seconds", SHORTEST.as_secs(), LONGEST.as_secs());
            add(&["limits", key], what);
        }
    }
    if limits.part_bytes > limits.request_bytes {
        add(
            &["limits", "part-bytes"],
            "is more than request-bytes, which holds for the whole request".into(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_is_opened_only_where_there_is_one() {
        let problems = |shutdown: &str| {
            let text = format!("open = true\nmanage-open = [\"health\", \"shutdown\"]\n{shutdown}");
            let mut found = Vec::new();
            sense(&toml::from_str(&text).unwrap(), |key, what| {
                found.push(format!("{}: {what}", key.join(".")));
            });
            found
        };
        assert_eq!(problems("shutdown = true"), [""; 0]);
        for off in ["", "shutdown = false"] {
            assert_eq!(
                problems(off),
                ["manage-open: opens \"shutdown\", which is not there: set shutdown = true, or take it away here"]
            );
        }
    }
}
