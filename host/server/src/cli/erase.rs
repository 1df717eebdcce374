//! `budstikke erase`

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use budstikke_store::{Place, Store, Subject, Traces};
use jiff::Timestamp;

use super::start;
use crate::config::Config;

/// Whose data is erased.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct What {
    /// A message, in both directions.
    #[arg(long)]
    message_id: Option<String>,
    /// A conversation: the message that began it, and its answers.
    #[arg(long)]
    conversation_id: Option<String>,
    /// A party, sender or receiver: a person number or an organisation number.
    #[arg(long)]
    identifier: Option<String>,
}

impl What {
    fn subject(self) -> anyhow::Result<Subject> {
        match (self.message_id, self.conversation_id, self.identifier) {
            (Some(id), None, None) => Ok(Subject::Message(id)),
            (None, Some(id), None) => Ok(Subject::Conversation(id)),
            (None, None, Some(identifier)) => Ok(Subject::Party(identifier)),
            _ => bail!("give one of --message-id, --conversation-id and --identifier"),
        }
    }
}

/// Shows how much there is; erases it when told so. The database is changed beside the nodes that work with it.
pub(super) fn run(config: &Path, what: What, yes: bool) -> ExitCode {
    start::log();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(erase(config, what, yes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn erase(config: &Path, what: What, yes: bool) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let subject = what.subject()?;
    if let Subject::Party(identifier) = &subject {
        let bare = identifier.strip_prefix("0192:").unwrap_or(identifier);
        if bare.trim() == config.organisation.number {
            bail!("{bare} is this installation's own organisation: every message is from or to it");
        }
    }
    let place = start::place(&config.store)?;
    if let Place::File(path) = &place
        && !path.is_file()
    {
        bail!("there is no database at {}", path.display());
    }
    let store = Store::visit(place).await?;
    let kept = store.kept_about(subject.clone()).await?;
    println!("{}", told(&kept));
    if kept.is_nothing() || !yes {
        if !kept.is_nothing() {
            println!("nothing was erased; say --yes to erase it for good");
        }
        return Ok(());
    }
    let erased = store.erase(subject, Timestamp::now().as_millisecond()).await?;
    // Of whom it was does not stand here: the log must not keep what was erased.
    tracing::info!(
        conversations = erased.conversations,
        statuses = erased.statuses,
        outgoing = erased.outgoing,
        incoming = erased.incoming,
        files = erased.files,
        events = erased.events,
        "erased on request"
    );
    if erased.being_sent > 0 {
        println!(
            "{} of the messages were being sent at that moment: ask their service",
            erased.being_sent
        );
    }
    println!("erased; files go within seconds while a node runs. Backups and logs that are older still hold it");
    Ok(())
}

fn told(kept: &Traces) -> String {
    let Traces {
        conversations,
        statuses,
        outgoing,
        being_sent: _,
        incoming,
        files,
        events,
        answers,
    } = kept;
    format!(
        "{conversations} conversations with {statuses} statuses, {outgoing} messages on their way out, {incoming} not taken yet, \
         {files} files, {events} events for subscribers, {answers} answers of the registry"
    )
}
