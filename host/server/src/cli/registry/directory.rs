//! What answers look-ups: rules, registers and own data, as the TOML says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::keystore::Identity;
use budstikke_message::x509::Certificate;
use budstikke_registry::caller::CallerToken;
use budstikke_registry::data::Snapshot;
use budstikke_registry::lookup::{Directory, ServiceSettings, Services, Settings};
use budstikke_registry::registers::certificate::{CertificateCheck, Checked};
use budstikke_registry::registers::token::TokenSource;
use budstikke_registry::registers::{RegisterError, Registers};
use budstikke_registry::rules::Rules;
use budstikke_registry::store::{Import, OwnData};
use budstikke_runtime::services::Failure;
use budstikke_store::registry::Author;

use crate::abilities::tokens::Tokens;
use crate::certificates::{Checks, Whose};
use crate::config::{self, AddressService};

/// The profile that our own token is kept under.
const PROFILE: &str = "token";
/// Who asked, in errors about our own token.
const ISSUER: &str = "the issuer of [token]";
const CHECK: &str = "the authority of a certificate";
/// Who stands in the list of changes.
const AUTHOR: &str = "first start";

/// Everything that look-ups need. Asks nobody yet. `identity` signs the grants of `[token]` when it has no key of its own.
pub(super) fn directory(
    config: &AddressService,
    own: Arc<ArcSwap<Snapshot>>,
    identity: &Arc<Identity>,
) -> anyhow::Result<Directory> {
    let rules = match &config.rules.file {
        None => Rules::built_in().context("the rules that are built in")?,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            Rules::read(&text).with_context(|| file.display().to_string())?
        }
    };
    let features = rules.features();
    if let Some(unknown) = config.rules.off.iter().find(|name| !features.contains(name.as_str())) {
        let known: Vec<&str> = features.into_iter().collect();
        anyhow::bail!(
            "[rules] off: no rule asks for {unknown}; those that are asked for are {}",
            known.join(", ")
        );
    }
    let services = services(config)?;
    for service in rules.services_with_settings() {
        if !services.contains_key(service) {
            tracing::warn!(%service, "there is no [services.{service}]: what needs it cannot be answered");
        }
    }
    let settings = settings(config)?;
    let needed = rules.registers(&settings.features_off);
    Ok(Directory {
        data: own,
        registers: registers(config, identity, &needed)?,
        services,
        settings,
        rules,
    })
}

fn settings(config: &AddressService) -> anyhow::Result<Settings> {
    let rules = &config.rules;
    let processes = |list: &[String]| list.iter().map(|process| process.parse()).collect::<Result<_, _>>();
    Ok(Settings {
        default_process: Some(rules.default_process.parse().context("[rules] default-process")?),
        information: processes(&rules.information).context("[rules] information")?,
        decisions: processes(&rules.decisions).context("[rules] decisions")?,
        features_off: rules.off.iter().cloned().collect(),
    })
}

fn services(config: &AddressService) -> anyhow::Result<Services> {
    let service = |(name, given): (&String, &config::ServiceSettings)| {
        let certificate = given.certificate.as_ref().map(|file| {
            let text = std::fs::read(file).with_context(|| file.display().to_string())?;
            Certificate::from_pem(&text).with_context(|| file.display().to_string())
        });
        let settings = ServiceSettings {
            endpoint_url: given.endpoint_url.clone(),
            service_code: given.service_code.clone(),
            service_edition_code: given.service_edition_code.clone(),
            resource: given.resource.clone(),
            certificate: certificate.transpose()?,
        };
        Ok((name.parse().with_context(|| format!("[services.{name}]"))?, settings))
    };
    config.services.iter().map(service).collect()
}

/// The outside registers. Warns of those that the rules need and nobody set up.
fn registers(config: &AddressService, identity: &Arc<Identity>, needed: &BTreeSet<&str>) -> anyhow::Result<Registers> {
    let settings = config
        .registers()
        .map_err(|(key, what)| anyhow::anyhow!("registers.{}: {what}", key.join(".")))?;
    for (table, without) in settings.left_out(needed) {
        tracing::warn!("there is no [registers.{table}]: {without}");
    }
    let profiles: BTreeMap<_, _> = config
        .token
        .iter()
        .map(|token| (PROFILE.to_owned(), token.profile()))
        .collect();
    let own = identity.certificate().organisation_number().unwrap_or_default();
    let token: Arc<dyn TokenSource> = Arc::new(OwnToken {
        tokens: Tokens::new(&profiles, identity, own).context("[token]")?,
        scopes: config
            .token
            .as_ref()
            .map(|token| token.scopes.clone())
            .unwrap_or_default(),
    });
    let checks = Checks::new(&config.certificates).context("[certificates]")?;
    if !checks.check_the_chain() && settings.virksert.is_some() {
        tracing::warn!(
            "there are no [certificates] trust-anchors: nobody vouches for the certificates that are handed out"
        );
    }
    let check: Arc<dyn CertificateCheck> = Arc::new(Demands(checks));
    Registers::from_settings(&settings, &token, &check).context("[registers]")
}

/// `[token]`
struct OwnToken {
    tokens: Tokens,
    scopes: Vec<String>,
}

#[async_trait]
impl TokenSource for OwnToken {
    async fn token(&self) -> Result<CallerToken, RegisterError> {
        let token = self.tokens.token(PROFILE, self.scopes.clone(), None).await;
        token.map(|token| CallerToken::new(token.value)).map_err(without_token)
    }

    async fn refused(&self, token: &CallerToken) {
        self.tokens.refused(token.secret()).await;
    }
}

/// What a register cannot be asked for. No caller is to blame for our own settings.
fn without_token(failure: Failure) -> RegisterError {
    match failure {
        Failure::Temporary { detail, .. } => RegisterError::Unavailable {
            register: ISSUER,
            detail,
        },
        permanent => RegisterError::NotSetUp {
            register: ISSUER,
            detail: permanent.to_string(),
        },
    }
}

/// `[certificates]`
struct Demands(Checks);

#[async_trait]
impl CertificateCheck for Demands {
    async fn check(&self, certificate: &Certificate, owner: &OrganisationNumber) -> Result<Checked, RegisterError> {
        match self
            .0
            .check(certificate.der(), &Whose::organisation(owner.clone()))
            .await
        {
            Ok(()) => Ok(Checked::Good),
            Err(fault) if fault.may_pass() => Err(RegisterError::Unavailable {
                register: CHECK,
                detail: fault.to_string(),
            }),
            Err(fault) => Ok(Checked::Refused(fault.to_string())),
        }
    }
}

/// An empty database gets the documented processes; what an operator has changed or removed stays so.
pub(super) async fn fill(own: &OwnData) -> anyhow::Result<()> {
    if own.change() > 0 {
        return Ok(());
    }
    let documented = Snapshot::with_default_processes().context("the processes that are built in")?;
    let import = Import {
        processes: documented.processes.into_values().collect(),
        document_types: documented.document_types.into_iter().collect(),
        organisations: Vec::new(),
    };
    let author = Author {
        who: AUTHOR.to_owned(),
        at: jiff::Timestamp::now().as_millisecond(),
    };
    tracing::info!(
        processes = import.processes.len(),
        "the database is new: it gets the documented processes"
    );
    // Another node may have come first.
    let filled = own.import(author, move |current| match current.change {
        0 => Ok(import.clone()),
        _ => Ok(Import::default()),
    });
    filled.await.map(drop).context("the documented processes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_of_our_own_no_caller_is_refused() {
        let later = without_token(Failure::temporary("no connection"));
        assert!(matches!(later, RegisterError::Unavailable { .. }), "{later}");
        let never = without_token(Failure::permanent("scope", "[tokens.token] does not list the scope"));
        assert!(matches!(never, RegisterError::NotSetUp { .. }), "{never}");
        assert!(never.to_string().contains("does not list the scope"), "{never}");
    }
}
