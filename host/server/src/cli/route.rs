//! `budstikke route`

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use budstikke_message::identifier::Identifier;
use budstikke_message::keystore::Identity;
use budstikke_store::files::StoreKey;
use budstikke_store::{Place, Store};

use super::registry::has_data;
use super::start;
use crate::abilities::tokens::Tokens;
use crate::config::{self, Config};
use crate::registry::remote::LastAnswers;
use crate::registry::{Question, Registry};
use crate::routing::{self, Decision, Kept, Request, Rules};

/// What is to be explained.
#[derive(clap::Args)]
pub(super) struct What {
    /// Organisation number, person number or another identifier of the receiver.
    #[arg(long, required_unless_present = "message", requires = "process")]
    receiver: Option<String>,
    /// The process.
    #[arg(long, requires = "receiver")]
    process: Option<String>,
    /// The SBD's `standard`. Default: any.
    #[arg(long, requires = "receiver")]
    document_type: Option<String>,
    /// `sikkerhetsnivaa` of the message. Default: none.
    #[arg(long, requires = "receiver")]
    security_level: Option<u8>,
    /// A message that was created already: why it went where it went.
    #[arg(long, conflicts_with = "receiver")]
    message: Option<String>,
}

/// Says which way a message goes, and why: asked afresh, or as it was kept. Changes nothing; can run beside `serve`.
pub(super) fn explain(config: &Path, what: &What) -> ExitCode {
    start::log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(explained(config, what)) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn explained(config: &Path, what: &What) -> anyhow::Result<String> {
    let config = Config::read(config).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    match (&what.message, &what.receiver, &what.process) {
        (Some(message), _, _) => kept(&config, message).await,
        (None, Some(receiver), Some(process)) => afresh(&config, receiver, process, what).await,
        _ => bail!("give --receiver and --process, or --message"),
    }
}

/// The decision that was kept with a message.
async fn kept(config: &Config, message: &str) -> anyhow::Result<String> {
    let place = start::place(&config.store)?;
    if let Place::File(path) = &place
        && !path.is_file()
    {
        bail!("there is no database at {}", path.display());
    }
    let store = Store::visit(place).await?;
    let found = store.route_of_message(message).await?;
    let found = found.with_context(|| format!("there is no outgoing conversation of the message {message}"))?;
    let Some(json) = found.decision else {
        bail!("no decision was kept with the message {message}");
    };
    let kept: Kept = serde_json::from_str(&json).context("the decision that was kept cannot be read")?;
    let mut lines = vec![format!("decided {}", kept.decided)];
    lines.extend(kept.trail);
    Ok(lines.join("\n"))
}

/// What would be decided now.
async fn afresh(config: &Config, receiver: &str, process: &str, what: &What) -> anyhow::Result<String> {
    let identity = Arc::new(config::open_keystore(&config.organisation.keystore)?);
    let own = format!("0192:{}", config.organisation.number);
    let tokens = Arc::new(Tokens::new(&config.tokens, &identity, &own)?);
    let last_answers = last_answers(config, &identity).await.unwrap_or_else(|error| {
        eprintln!("the last answers of the address service cannot be used: {error:#}");
        None
    });
    if let Some(file) = &config.registry.embedded {
        has_data(file)?;
    }
    let registry = start::registry(config, &identity, &tokens, last_answers).await?;
    let bare =
        Identifier::parse_any(receiver).map_or_else(|_| receiver.to_owned(), |parsed| parsed.primary().to_owned());
    let request = Request {
        process,
        receiver: Some(&bare),
        document_type: what.document_type.as_deref(),
    };
    told(registry.as_ref(), &start::rules(config), &request, what.security_level).await
}

/// What the address service said to those who work with the database, to be looked at. None when there is nothing yet.
async fn last_answers(config: &Config, identity: &Identity) -> anyhow::Result<Option<LastAnswers>> {
    if config.registry.stale_hours == 0 {
        return Ok(None);
    }
    let place = start::place(&config.store)?;
    if matches!(&place, Place::File(path) if !path.is_file()) {
        return Ok(None);
    }
    let store = Store::visit(place).await?;
    let Some(sealed) = store.sealed_key().await? else {
        return Ok(None);
    };
    let former = start::former_identities(&config.organisation)?;
    let mut owners = std::iter::once(identity).chain(&former);
    let key = owners.find_map(|owner| StoreKey::open(&sealed, owner).ok());
    let key = key.context("the key of the store is sealed to another certificate")?;
    let life = Duration::from_hours(config.registry.stale_hours.into());
    Ok(Some(LastAnswers::looked_at(Arc::new(store), key, life)))
}

async fn told(
    registry: &dyn Registry,
    rules: &Rules,
    request: &Request<'_>,
    security_level: Option<u8>,
) -> anyhow::Result<String> {
    let question = Question {
        process: Some(request.process),
        security_level,
        ..Question::about(request.receiver.unwrap_or_default())
    };
    let steps = registry.steps(question).await.unwrap_or_default();
    let mut lines: Vec<String> = steps.iter().map(|step| format!("  {step}")).collect();
    let answer = match registry.capabilities(question).await {
        Ok(answer) => answer,
        Err(error) => {
            let unanswered = error.is_fault();
            let what = if unanswered {
                "Nothing is known about the receiver"
            } else {
                "There is no way"
            };
            lines.push(format!("{what}: {error}."));
            let told = lines.join("\n");
            return if unanswered {
                Err(anyhow::Error::msg(told))
            } else {
                Ok(told)
            };
        }
    };
    lines.insert(0, routing::told(answer.source));
    for way in &answer.capabilities {
        let sealed = if way.certificate.is_some() { ", sealed" } else { "" };
        lines.push(format!("  {}: {}{sealed}", way.service, way.document_types.join(", ")));
    }
    let Decision { trail, .. } = routing::decide(&answer.capabilities, rules, request);
    lines.extend(trail);
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_store::Vault;
    use budstikke_store::files::Files;

    use crate::config::RoutingRule;
    use crate::registry::TomlRegistry;
    use crate::registry::remote::tests::stand_in::{Says, StandIn};
    use crate::registry::remote::tests::{PROCESS, client_with, organisation};

    const LIST: &str = r#"
        [[receivers]]
        identifier = "17912099997"
        [[receivers.capabilities]]
        processes = ["urn:p"]
        service = "ONE"
        document-types = ["urn:x::brev"]
        [[receivers.capabilities]]
        processes = ["urn:p"]
        service = "TWO"
        document-types = ["urn:x::brev", "urn:x::kart"]
    "#;

    async fn explained(process: &str, document_type: Option<&str>) -> String {
        let registry = TomlRegistry::new(&toml::from_str(LIST).unwrap()).unwrap();
        let forbid = RoutingRule {
            forbid: Some("ONE".into()),
            reason: "it is being moved".into(),
            ..RoutingRule::default()
        };
        let rules = Rules::new(vec![forbid], [("two".to_owned(), vec!["TWO".to_owned()])]);
        let request = Request {
            process,
            receiver: Some("17912099997"),
            document_type,
        };
        told(&registry, &rules, &request, None).await.unwrap()
    }

    #[tokio::test]
    async fn a_way_is_explained_step_by_step_without_the_person() {
        let text = explained("urn:p", Some("urn:x::brev")).await;
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "The receiver stands in the list of this installation.",
                "  ONE: urn:x::brev",
                "  TWO: urn:x::brev, urn:x::kart",
                "The registry offers 2 ways (ONE, TWO) in the process urn:p.",
                "Rule 1 forbids ONE; left: TWO. Its reason: it is being moved",
                "TWO is chosen, by the adapter two.",
            ]
        );
        assert_eq!(
            explained("urn:q", None).await,
            "There is no way: the receiver does not take the process urn:q."
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_explained_while_the_address_service_is_away_is_its_last_answer() {
        let folder = tempfile::tempdir().unwrap();
        let own = budstikke_doubles::TestOrganisation::create(folder.path(), "991825827").unwrap();
        let mut stand_in = StandIn::new(Says::Good(organisation("POST")));
        let text = format!(
            "[organisation]\nnumber = \"991825827\"\nkeystore = {{ path = \"{}\", password = \"{}\" }}\n\
             [server]\nopen = true\n[store]\nfolder = \"{}\"\n[registry]\nurl = \"{}\"\n",
            own.p12_path().display(),
            own.password(),
            folder.path().display(),
            stand_in.url(),
        );
        let config: Config = toml::from_str(&text).unwrap();
        let what = What {
            receiver: None,
            process: None,
            document_type: None,
            security_level: None,
            message: None,
        };
        let explained = async || afresh(&config, "910076787", PROCESS, &what).await;
        let store = Arc::new(Store::open(start::place(&config.store).unwrap(), "n").await.unwrap());
        let identity = config::open_keystore(&config.organisation.keystore).unwrap();
        let key = store.key(&identity, &[]).await.unwrap();
        let vault = Vault::new(
            Files::folder(&folder.path().join("files"), key).unwrap(),
            Arc::clone(&store),
        );
        let last = LastAnswers::new(store, &vault, Duration::from_hours(72));
        let question = Question::about("910076787").in_process(PROCESS);
        client_with(&stand_in, Some(last), |_| {})
            .capabilities(question)
            .await
            .unwrap();
        assert!(explained().await.unwrap().starts_with("The address service was asked."));
        stand_in.kill();
        let text = explained().await.unwrap();
        assert!(
            text.starts_with("The address service could not be asked; what it said at "),
            "{text}"
        );
        assert!(text.contains("  POST: "), "{text}");
    }
}
