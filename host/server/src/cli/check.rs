//! `budstikke check`

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use super::registry::is_sound;
use super::start;
use crate::abilities::tokens::Tokens;
use crate::certificates::Checks;
use crate::config::{self, Config, Problems};
use crate::front::{Front, Site};
use crate::registry::TomlRegistry;

/// Reads everything that `serve` would read, and loads every plugin, without starting anything. Prints each problem on a
/// line of its own.
pub(super) fn run(path: &Path) -> ExitCode {
    let problems = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(check(path)),
        Err(error) => Problems::one(path, None, "", format!("no threads can be started: {error}")),
    };
    if problems.is_empty() {
        println!("{}: no problem found", path.display());
        for rule in rules(path) {
            println!("{rule}");
        }
        return ExitCode::SUCCESS;
    }
    println!("{problems}");
    ExitCode::FAILURE
}

/// What is going to be removed, in words.
fn rules(path: &Path) -> Vec<String> {
    let rules = Config::read(path).map(|config| config::retention::in_force(&config.retention));
    rules.unwrap_or_default().iter().map(config::retention::told).collect()
}

async fn check(path: &Path) -> Problems {
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(problems) => return problems,
    };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut problems = Problems::default();
    front(&config, path, &text, &mut problems);
    let identity = match config::open_keystore(&config.organisation.keystore) {
        Ok(identity) => Arc::new(identity),
        Err(error) => {
            problems.add(path, &text, &["organisation", "keystore"], format!("{error:#}"));
            return problems;
        }
    };
    for former in &config.organisation.former_keystores {
        if let Err(error) = config::open_keystore(former) {
            problems.add(path, &text, &["organisation", "former-keystores"], format!("{error:#}"));
        }
    }
    if let Err(error) = config.store.place() {
        problems.add(path, &text, &["store", "postgres", "url"], error);
    }
    if let Some(Err(error)) = config.store.bucket.as_ref().map(config::Bucket::settings) {
        problems.add(path, &text, &["store", "bucket"], error);
    }
    let certificate = identity.certificate();
    if !certificate.is_valid_at(jiff::Timestamp::now()) {
        let what = format!(
            "the certificate is valid from {} to {}",
            certificate.not_before(),
            certificate.not_after()
        );
        problems.add(path, &text, &["organisation", "keystore"], what);
    }
    if let Some(number) = certificate.organisation_number()
        && number != config.organisation.number
    {
        let what = format!("the certificate belongs to organisation {number}");
        problems.add(path, &text, &["organisation", "number"], what);
    }
    if let Err(error) = TomlRegistry::new(&config.registry) {
        problems.add(path, &text, &["registry", "receivers"], format!("{error:#}"));
    }
    if let Some(file) = &config.registry.embedded
        && let Err(error) = is_sound(file, &identity)
    {
        problems.add(path, &text, &["registry", "embedded"], format!("{error:#}"));
    }
    if let Err(error) = Checks::new(&config.certificates) {
        problems.add(path, &text, &["certificates", "trust-anchors"], format!("{error:#}"));
    }
    let own = format!("0192:{}", config.organisation.number);
    match Tokens::new(&config.tokens, &identity, &own) {
        Ok(tokens) => plugins(&config, path, &text, &Arc::new(tokens), &mut problems).await,
        Err(error) => problems.add(path, &text, &["tokens"], format!("{error:#}")),
    }
    problems
}

/// Password hashes, and the certificate of the server.
fn front(config: &Config, path: &Path, text: &str, problems: &mut Problems) {
    match Front::new(&config.server, Site::integrasjonspunkt()) {
        Err(errors) => {
            for error in errors {
                problems.add(path, text, &["server", error.key], error.why);
            }
        }
        Ok(front) => {
            if let Some(certificate) = front.certificate().current()
                && !certificate.is_valid_at(jiff::Timestamp::now())
            {
                let what = format!(
                    "the certificate is valid from {} to {}",
                    certificate.not_before(),
                    certificate.not_after()
                );
                problems.add(path, text, &["server", "tls"], what);
            }
        }
    }
}

async fn plugins(config: &Config, path: &Path, text: &str, tokens: &Arc<Tokens>, problems: &mut Problems) {
    let loader = match start::loader(config) {
        Ok(loader) => loader,
        Err(error) => return problems.add(path, text, &["plugins"], format!("{error:#}")),
    };
    for (name, adapter) in config.adapters.iter().filter(|(_, adapter)| adapter.enabled) {
        if let Err((key, error)) = config::resolved(&adapter.settings) {
            let key: Vec<&str> = ["adapters", name, "settings"]
                .into_iter()
                .chain(key.split('.'))
                .collect();
            problems.add(path, text, &key, error);
            continue;
        }
        let spec = match start::spec(name, adapter, tokens, &Arc::new(OnceLock::new())) {
            Ok(spec) => spec,
            Err(error) => {
                problems.add(path, text, &["adapters", name], format!("{error:#}"));
                continue;
            }
        };
        match loader
            .load(&spec, &config.plugins.folder.join(&adapter.component))
            .await
        {
            Err(error) => problems.add(path, text, &["adapters", name, "component"], error.to_string()),
            Ok(plugin) => {
                let offered: Vec<&str> = plugin
                    .description()
                    .services
                    .iter()
                    .map(|service| service.id.as_str())
                    .collect();
                for service in adapter
                    .services
                    .iter()
                    .filter(|service| !offered.contains(&service.as_str()))
                {
                    let what = format!(
                        "the component does not serve {service}; it serves {}",
                        offered.join(", ")
                    );
                    problems.add(path, text, &["adapters", name, "services"], what);
                }
            }
        }
    }
}
