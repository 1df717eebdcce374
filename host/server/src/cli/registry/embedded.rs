//! The address service as a part of an integrasjonspunkt.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use budstikke_message::identifier::{Iso6523, OrganisationNumber};
use budstikke_message::keystore::Identity;
use budstikke_store::Place;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::directory;
use super::import::{open, place};
use crate::abilities::tokens::Tokens;
use crate::config::{AddressService, Config};
use crate::registry::embedded::{Asker, EmbeddedRegistry, Fallback, ShownToken};
use crate::registry::remote::LastAnswers;

/// The one that `file` describes. `identity` signs for it when `[token]` has no key of its own. `last_answers`: for the time when registers
/// cannot be asked.
pub(in crate::cli) async fn embedded(
    config: &Config,
    file: &Path,
    identity: &Arc<Identity>,
    tokens: &Arc<Tokens>,
    last_answers: Option<LastAnswers>,
) -> anyhow::Result<EmbeddedRegistry> {
    let service = read(file)?;
    let own = open(&service).await.with_context(|| file.display().to_string())?;
    let directory = directory::directory(&service, own.shared(), identity);
    let directory = Arc::new(directory.with_context(|| file.display().to_string())?);
    let number: OrganisationNumber = config.organisation.number.parse().context("[organisation] number")?;
    let registry = &config.registry;
    let asker = Asker {
        organisation: Iso6523::from(&number),
        scopes: directory.rules.all_scopes(),
        token: registry.token_profile.clone().map(|profile| ShownToken {
            tokens: Arc::clone(tokens),
            profile,
            scopes: registry.scopes.clone(),
        }),
    };
    // Own data is always there: without outside registers, nothing ever needs an earlier answer.
    let fallback = last_answers.filter(|_| !directory.registers.is_empty());
    let stop = CancellationToken::new();
    tokio::spawn({
        let (own, stop) = (Arc::clone(&own), stop.clone());
        async move { own.follow(stop).await }
    });
    let fallback = fallback.map(Fallback::new);
    let queue_key = service.sas_token.as_ref().map(|token| token.value.value());
    let queue_key = queue_key
        .transpose()
        .map_err(anyhow::Error::msg)
        .context("[sas-token] value")?;
    let embedded = EmbeddedRegistry::new(directory, own, asker, registry, fallback, stop.drop_guard())?;
    Ok(embedded.handing_out(queue_key.map(Zeroizing::new)))
}

/// Whether it could start, but for its database.
pub(in crate::cli) fn is_sound(file: &Path, identity: &Arc<Identity>) -> anyhow::Result<()> {
    let service = read(file)?;
    directory::directory(&service, Arc::default(), identity)?;
    Ok(())
}

/// An error when own data was never written: only asking must not make an empty database.
pub(in crate::cli) fn has_data(file: &Path) -> anyhow::Result<()> {
    match place(&read(file)?)? {
        Place::File(path) if !path.is_file() => bail!("there is no database at {}", path.display()),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> anyhow::Result<AddressService> {
    AddressService::read_embedded(file).map_err(|problems| anyhow::anyhow!("{problems}"))
}
