//! What a parser cannot see.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use url::Url;

use super::{Config, Download, Launch, LoopBack, Management, Repository, Shutdown, Soak, Target};
use crate::organisation::is_organisation_number;
use crate::schedule::Schedule;

/// Told what is wrong with which key.
type Add<'a> = dyn FnMut(&[&str], String) + 'a;

pub(super) fn sense(config: &Config, add: &mut Add<'_>) {
    if !is_organisation_number(&config.organisation.number) {
        add(
            &["organisation", "number"],
            "must be nine digits of which the last one fits the others (mod 11)".into(),
        );
    }
    if TimeZone::get(&config.schedule.zone).is_err() {
        add(&["schedule", "zone"], "is no time zone such as Europe/Oslo".into());
    }
    if let Err(error) = Schedule::new(&config.schedule.cron, &config.schedule.zone) {
        add(&["schedule", "cron"], error);
    }
    let mut names = HashSet::new();
    for (number, policy) in config.policies.iter().enumerate() {
        let number = number.to_string();
        if !names.insert(&policy.name) {
            add(
                &["policies", &number, "name"],
                "another policy has the same name".into(),
            );
        }
        if !is_file_name(&policy.component) {
            add(&["policies", &number, "component"], "must be the name of a file".into());
        }
    }
    if config.targets.is_empty() {
        add(
            &["targets"],
            "there is nothing to keep current: write [[targets]]".into(),
        );
    }
    let mut names = HashSet::new();
    for (number, target) in config.targets.iter().enumerate() {
        let number = number.to_string();
        let mut add = |key: &[&str], what: String| {
            let key: Vec<&str> = ["targets", &number].into_iter().chain(key.iter().copied()).collect();
            add(&key, what);
        };
        if !names.insert(&target.name) {
            add(&["name"], "another target has the same name".into());
        }
        if !is_file_name(&target.name) {
            add(&["name"], "must be letters, digits, `-`, `_` and `.`".into());
        }
        sense_of_target(target, &mut add);
    }
    if let Some(mail) = &config.notify.mail {
        for (key, address) in [("from", &mail.from), ("to", &mail.to)] {
            if address.parse::<Mailbox>().is_err() {
                add(&["notify", "mail", key], "is no mail address".into());
            }
        }
        if mail.user.is_some() != mail.password.is_some() {
            add(&["notify", "mail"], "user and password go together".into());
        }
    }
    if let Some(webhook) = &config.notify.webhook {
        url(&webhook.url, &["notify", "webhook", "url"], add);
    }
}

fn sense_of_target(target: &Target, add: &mut Add<'_>) {
    let kinds = [
        target.java.is_some(),
        target.budstikke.is_some(),
        target.plugin.is_some(),
    ];
    if kinds.iter().filter(|there| **there).count() != 1 {
        add(
            &[],
            "must have one of the tables [targets.java], [targets.budstikke] and [targets.plugin]".into(),
        );
    }
    if let Some(java) = &target.java {
        let mut add = below("java", add);
        if java.keys.is_empty() {
            add(&["keys"], "without a key nothing can be verified".into());
        }
        for key in java.keys.iter().filter(|key| !key.is_file()) {
            add(&["keys"], format!("no such file: {}", key.display()));
        }
        url(&java.versions_url, &["versions-url"], &mut add);
        url(&java.repository, &["repository"], &mut add);
        management(&java.management, &mut add);
        limits(&java.download, &java.launch, Some(&java.shutdown), &java.soak, &mut add);
        if java.blocklist.hours == 0 {
            add(&["blocklist", "hours"], "must be at least 1".into());
        }
    }
    if let Some(own) = &target.budstikke {
        let mut add = below("budstikke", add);
        if !own.file.contains("{version}") {
            add(&["file"], "must contain {version}".into());
        }
        repository(&own.repository, &mut add);
        management(&own.management, &mut add);
        limits(&own.download, &own.launch, Some(&own.shutdown), &own.soak, &mut add);
    }
    if let Some(plugin) = &target.plugin {
        let mut add = below("plugin", add);
        if !is_file_name(&plugin.component) {
            add(&["component"], "must be the name of a file".into());
        }
        if plugin.file.as_ref().is_some_and(|file| !file.contains("{version}")) {
            add(&["file"], "must contain {version}".into());
        }
        repository(&plugin.repository, &mut add);
        management(&plugin.management, &mut add);
        limits(&plugin.download, &plugin.launch, None, &plugin.soak, &mut add);
    }
}

fn below<'a>(table: &'a str, add: &'a mut Add<'_>) -> impl FnMut(&[&str], String) + 'a {
    move |key, what| {
        let key: Vec<&str> = std::iter::once(table).chain(key.iter().copied()).collect();
        add(&key, what);
    }
}

fn url(text: &str, key: &[&str], add: &mut Add<'_>) {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "http" || url.scheme() == "https" => {}
        _ => add(key, "must be a URL that begins with http:// or https://".into()),
    }
}

fn management(management: &Management, add: &mut Add<'_>) {
    for (key, written) in [
        ("url", Some(&management.url)),
        ("info-url", management.info_url.as_ref()),
        ("health-url", management.health_url.as_ref()),
        ("shutdown-url", management.shutdown_url.as_ref()),
        ("metrics-url", management.metrics_url.as_ref()),
    ] {
        if let Some(written) = written {
            url(written, &["management", key], add);
        }
    }
    if management.user.is_some() != management.password.is_some() {
        add(&["management"], "user and password go together".into());
    }
    if let Some(Err(error)) = management.password.as_ref().map(budstikke_settings::Secret::value) {
        add(&["management", "password"], error);
    }
    if let Some(path) = management.extra_authorities.as_ref().filter(|path| !path.is_file()) {
        add(
            &["management", "extra-authorities"],
            format!("no such file: {}", path.display()),
        );
    }
    positive(
        &[
            (&["management", "connect-time"], management.connect_time.is_zero()),
            (&["management", "read-time"], management.read_time.is_zero()),
        ],
        add,
    );
}

fn repository(repository: &Repository, add: &mut Add<'_>) {
    if !repository.root.is_file() {
        add(
            &["repository", "root"],
            format!("no such file: {}", repository.root.display()),
        );
    }
    for (key, written) in [
        ("metadata-url", &repository.metadata_url),
        ("targets-url", &repository.targets_url),
    ] {
        match Url::parse(written) {
            Ok(url) if ["http", "https", "file"].contains(&url.scheme()) => {}
            _ => add(
                &["repository", key],
                "must be a URL that begins with http://, https:// or file://".into(),
            ),
        }
    }
}

fn limits(download: &Download, launch: &Launch, shutdown: Option<&Shutdown>, soak: &Soak, add: &mut Add<'_>) {
    positive(
        &[
            (&["download", "connect-time"], download.connect_time.is_zero()),
            (&["download", "silence-time"], download.silence_time.is_zero()),
            (&["download", "most-time"], download.most_time.is_zero()),
            (&["download", "size"], download.size == 0),
            (&["launch", "poll"], launch.poll.is_zero()),
            (&["launch", "time"], launch.time.is_zero()),
            (&["soak", "poll"], soak.poll.is_zero()),
            (&["soak", "failures"], soak.failures == 0),
        ],
        add,
    );
    if let Some(shutdown) = shutdown {
        positive(
            &[
                (&["shutdown", "retries"], shutdown.retries == 0),
                (&["shutdown", "poll"], shutdown.poll.is_zero()),
            ],
            add,
        );
    }
    if let Some(errors) = soak.errors.as_ref().filter(|errors| errors.at_most > 100) {
        add(
            &["soak", "errors", "at-most"],
            format!("{} per cent is too much", errors.at_most),
        );
    }
    if let Some(LoopBack { sbd, files, .. }) = &soak.loop_back {
        for file in std::iter::once(sbd).chain(files).filter(|file| !file.is_file()) {
            add(&["soak", "loop-back"], format!("no such file: {}", file.display()));
        }
        if soak.time.is_zero() {
            add(&["soak", "time"], "must be more than nothing for a loop-back".into());
        }
    }
}

fn positive(checked: &[(&[&str], bool)], add: &mut Add<'_>) {
    for (key, zero) in checked {
        if *zero {
            add(key, "must be more than 0".into());
        }
    }
}

/// A single part of a path, and harmless.
pub(crate) fn is_file_name(name: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(harmless)
}
