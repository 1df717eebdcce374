//! A Java KOSMOS' `kosmos-local.properties`, as it stands. Spec: KOSMOS, 3.
//!
//! Beside it, `integrasjonspunkt-local.properties` is read for what it has not, and before that environment variables
//! (`KOSMOS_INTEGRASJONSPUNKT_BASEURL`). Names are compared without capitals and dashes; `${other.name:default}` stands for another value.

mod reader;
mod text;

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};

use budstikke_settings::Problems;
use lettre::message::Mailbox;
use serde_json::{Map, Value};

use super::{
    Blocklist, Config, Download, Environment, Java, Launch, Mail, MailTls, Management, Notify, Organisation, Policy,
    Schedule, Shutdown, Soak, Target, plain,
};
use crate::organisation::is_organisation_number;
use reader::{Reader, Source, canonical};

/// The file beside it that has the organisation number.
const SHARED: &str = "integrasjonspunkt-local.properties";
/// Reads the file, and what stands beside it.
pub(super) fn read(file: &Path, warn: &mut dyn FnMut(String)) -> Result<Config, Problems> {
    read_with(file, &|name| env::var(name).ok(), warn)
}

fn read_with(
    file: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
    warn: &mut dyn FnMut(String),
) -> Result<Config, Problems> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    let mut sources = vec![Source::read(&file)?];
    let shared = folder.join(SHARED);
    if shared.is_file() {
        sources.push(Source::read(&shared)?);
    }
    let mut reader = Reader {
        sources,
        variables,
        problems: Vec::new(),
        asked: HashSet::new(),
    };
    let config = config(&mut reader, &folder, warn);
    // Its own names only: the rest of such files belongs to others.
    for (name, entry) in &reader.sources[0].entries {
        if !name.starts_with("kosmos.") || reader.asked.contains(name) {
            continue;
        }
        let place = format!("{}:{}: {}", file.display(), entry.line, entry.name);
        if REMOVED.iter().any(|removed| canonical(removed) == *name) {
            warn(format!(
                "{place}: belongs to an older KOSMOS and means nothing any more"
            ));
        } else {
            warn(format!("{place}: is not known, and means nothing"));
        }
    }
    if reader.problems.is_empty() {
        Ok(config)
    } else {
        Err(Problems(reader.problems))
    }
}

/// Spec: KOSMOS, 3.2.
const REMOVED: [&str; 5] = [
    "kosmos.integrasjonspunkt.latest-version",
    "kosmos.integrasjonspunkt.early-bird-version",
    "kosmos.mavenCentral",
    "kosmos.nexus-connect-timeout-in-ms",
    "kosmos.read-timeout-in-ms",
];

fn config(reader: &mut Reader<'_>, folder: &Path, warn: &mut dyn FnMut(String)) -> Config {
    let number = organisation(reader);
    let environment = environment(reader, warn);
    let early_bird = reader.flag("kosmos.integrasjonspunkt.early-bird", false);
    let schedule = schedule(reader);
    let mut settings = Map::new();
    let major = |value: &str| value.split('.').next()?.parse::<u32>().ok().map(|_| value.to_owned());
    if let Some(major) = reader.read(
        "kosmos.integrasjonspunkt.supported-major-version",
        "a version such as 4 or 4.1.0",
        major,
    ) {
        settings.insert("supported-major".into(), Value::String(major));
    }
    let java = java(reader, folder, environment, warn);
    let notify = Notify {
        mail: mail(reader, warn),
        webhook: None,
    };
    Config {
        environment,
        early_bird,
        state: java.home.join(".kosmos"),
        organisation: Organisation { number },
        schedule,
        policy_folder: None,
        policies: vec![Policy::standard(settings)],
        targets: vec![Target {
            name: "integrasjonspunkt".into(),
            java: Some(java),
            budstikke: None,
            plugin: None,
        }],
        notify,
    }
}

fn organisation(reader: &mut Reader<'_>) -> String {
    let own = reader
        .text("kosmos.orgnumber")
        .or_else(|| reader.text("difi.move.org.number"));
    match own {
        Some((number, _)) if is_organisation_number(&number) => number,
        Some((_, origin)) => {
            reader.problem(
                origin,
                "must be nine digits of which the last one fits the others (mod 11)",
            );
            String::new()
        }
        None => {
            let origin = reader.origin_of("difi.move.org.number");
            reader.problem(
                origin,
                format!("is missing; it may stand in {SHARED} in the same folder, or as kosmos.orgnumber"),
            );
            String::new()
        }
    }
}

fn environment(reader: &mut Reader<'_>, warn: &mut dyn FnMut(String)) -> Environment {
    let read = |value: &str| match value {
        "dev" => Some(Environment::Dev),
        "itest" => Some(Environment::Itest),
        "staging" => Some(Environment::Staging),
        "production" => Some(Environment::Production),
        _ => None,
    };
    let what = "dev, itest, staging or production";
    let own = reader.read("kosmos.integrasjonspunkt.profile", what, read);
    own.or_else(|| reader.read("spring.profiles.active", what, read))
        .unwrap_or_else(|| {
            warn(
                "kosmos.integrasjonspunkt.profile is not set, so it is staging; production is not the default"
                    .to_owned(),
            );
            Environment::Staging
        })
}

fn schedule(reader: &mut Reader<'_>) -> Schedule {
    let default = Schedule::default();
    let cron = reader
        .text("kosmos.schedulerCronExpression")
        .and_then(
            |(cron, origin)| match crate::schedule::Schedule::new(&cron, &default.zone) {
                Ok(_) => Some(cron),
                Err(error) => {
                    reader.problem(origin, error);
                    None
                }
            },
        );
    Schedule {
        cron: cron.unwrap_or(default.cron),
        enabled: reader.flag("app.scheduling.enable", true),
        zone: default.zone,
    }
}

/// `file:x`, `file:///x` or `x`, from the folder of the file.
fn path(text: &str, folder: &Path) -> PathBuf {
    let plain = text.strip_prefix("file:").unwrap_or(text);
    let plain = plain
        .strip_prefix("//")
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(plain);
    folder.join(plain)
}

fn java(reader: &mut Reader<'_>, folder: &Path, environment: Environment, warn: &mut dyn FnMut(String)) -> Java {
    let home = reader.text("kosmos.integrasjonspunkt.home");
    let home = home.map_or_else(|| folder.to_owned(), |(home, _)| path(&home, folder));
    let default = Management::default();
    let management = Management {
        url: reader.url("kosmos.integrasjonspunkt.baseURL").unwrap_or(default.url),
        info_url: reader.url("kosmos.integrasjonspunkt.infoURL"),
        health_url: reader.url("kosmos.integrasjonspunkt.healthURL"),
        shutdown_url: reader.url("kosmos.integrasjonspunkt.shutdownURL"),
        connect_time: reader.millis("kosmos.actuatorConnectTimeoutInMs", 5000),
        read_time: reader.millis("kosmos.actuatorReadTimeoutInMs", 5000),
        ..Management::default()
    };
    if environment == Environment::Itest {
        warn("the integrasjonspunkt has no profile itest, and reads no local file then".to_owned());
    }
    let mut keys = Vec::new();
    let mut named = reader.list("kosmos.verification.publicKeyPaths");
    if named.is_empty() {
        let origin = reader.origin_of("kosmos.verification.publicKeyPaths");
        named.push(("file:eformidling-key.asc".to_owned(), origin));
    }
    for (key, origin) in named {
        let key = path(&key, folder);
        if !key.is_file() {
            reader.problem(origin, format!("no such file: {}", key.display()));
        }
        keys.push(key);
    }
    let download = Download {
        connect_time: reader.millis("kosmos.java-archive-repository-connect-timeout-in-ms", 5000),
        silence_time: reader.millis("kosmos.java-archive-repository-read-timeout-in-ms", 60_000),
        ..Download::default()
    };
    let include = reader.flag("kosmos.integrasjonspunkt.include-log", environment == Environment::Dev);
    let removed = reader.list("kosmos.environment.prefixesRemovedFromChildProcess");
    let removed = if removed.is_empty() {
        super::target::prefixes()
    } else {
        removed.into_iter().map(|(prefix, _)| prefix).collect()
    };
    Java {
        management,
        java: super::target::java(),
        arguments: Vec::new(),
        versions_url: reader
            .url("kosmos.integrasjonspunkt.versionsURL")
            .unwrap_or_else(super::target::versions_url),
        auto_refresh: reader.flag("kosmos.integrasjonspunkt.autoRefresh", true),
        repository: repository(reader),
        keys,
        removed_environment: removed,
        download,
        launch: Launch {
            poll: reader.millis("kosmos.launchPollIntervalInMs", 1000),
            time: reader.millis("kosmos.launchTimeoutInMs", 150_000),
            include_log: include,
        },
        shutdown: Shutdown {
            retries: reader.count("kosmos.shutdownRetries", 3),
            poll: reader.millis("kosmos.shutdownPollIntervalInMs", 5000),
            ..Shutdown::default()
        },
        blocklist: Blocklist {
            enabled: reader.flag("kosmos.blocklist.enabled", false),
            hours: reader.count("kosmos.blocklist.duration-in-hours", 2),
        },
        soak: Soak::default(),
        keep_alive: false,
        keep_versions: 0,
        home,
    }
}

/// Root, group and artifact, with single slashes between them.
fn repository(reader: &mut Reader<'_>) -> String {
    let root = reader.url("kosmos.java-archive-repository-url");
    let mut part = |name: &str, default: &str| {
        let part = reader.text(name);
        part.map_or_else(|| default.to_owned(), |(part, _)| part)
    };
    let group = part("kosmos.groupId", "felleslosninger/");
    let artifact = part("kosmos.artifactId", "efm-integrasjonspunkt/");
    let root = root.unwrap_or_else(|| "https://github.com".into());
    let tidy = |part: &str| part.trim_matches('/').to_owned();
    format!("{}/{}/{}/", root.trim_end_matches('/'), tidy(&group), tidy(&artifact))
}

fn mail(reader: &mut Reader<'_>, warn: &mut dyn FnMut(String)) -> Option<Mail> {
    let address = |value: &str| value.parse::<Mailbox>().is_ok().then(|| value.to_owned());
    let what = "a mail address";
    let to = reader.read("kosmos.mail.recipient", what, address);
    let from = reader.read("kosmos.mail.from", what, address);
    let append = reader.text("kosmos.mail.appendSubject").map(|(text, _)| text);
    let host = reader.text("spring.mail.host").map(|(host, _)| host);
    let port = reader.read("spring.mail.port", "a port", |value| value.parse().ok());
    let user = reader.text("spring.mail.username").map(|(user, _)| user);
    let password = reader.text("spring.mail.password").map(|(password, _)| password);
    let starttls = reader.flag("spring.mail.properties.mail.smtp.starttls.enable", false)
        | reader.flag("spring.mail.properties.mail.smtp.starttls.required", false);
    let wrapped = reader.flag("spring.mail.properties.mail.smtp.ssl.enable", false);
    let time = reader.millis("spring.mail.properties.mail.smtp.connectiontimeout", 5000);
    for name in ["kosmos.mail.recipient", "kosmos.mail.from"] {
        let there = if name.ends_with("from") {
            from.is_some()
        } else {
            to.is_some()
        };
        let told = reader
            .problems
            .iter()
            .any(|problem| canonical(&problem.key) == canonical(name));
        if !there && !told && (to.is_some() || from.is_some() || append.is_some()) {
            let origin = reader.origin_of(name);
            reader.problem(origin, "is missing: recipient and from go together");
        }
    }
    let (Some(to), Some(from)) = (to, from) else {
        return None;
    };
    let Some(host) = host else {
        warn("spring.mail.host is not set, so no mail is ever sent".to_owned());
        return None;
    };
    Some(Mail {
        host,
        port,
        tls: match (wrapped, starttls) {
            (true, _) => MailTls::Wrapped,
            (false, true) => MailTls::Starttls,
            (false, false) => MailTls::None,
        },
        extra_authorities: None,
        user,
        password: password.map(plain),
        from,
        to,
        append_subject: append,
        time,
    })
}

#[cfg(test)]
mod tests;
