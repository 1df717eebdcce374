//! What the adapter of a service says to a message before it is accepted. Contract: `messaging.check`.

use std::sync::Arc;

use budstikke_message::sbd::Sbd;
use budstikke_runtime::services::{DocumentRef, Draft, Failure};
use budstikke_store::files::MessageKey;
use budstikke_store::{Attachment, ConversationFacts};

use super::error::{ApiError, ApiResult, kind};
use crate::abilities::documents::Doc;
use crate::delivery::{asked_again, is_of};
use crate::node::Node;

/// A message, and what is known about its way.
pub(super) struct Asked<'a> {
    pub(super) sbd: &'a Sbd,
    pub(super) service: &'a str,
    /// What the registry says about reaching the receiver, by name.
    pub(super) address: Vec<(String, String)>,
    /// With the message's key, once no file can be added any more.
    pub(super) files: Option<(&'a MessageKey, &'a [Attachment])>,
}

/// Asks the adapter, if it wants to be asked. Only a refusal of its own refuses the message: what hinders it now may have passed when
/// the message is sent.
pub(super) async fn check(node: &Node, asked: Asked<'_>) -> ApiResult<()> {
    if !node.rules(asked.service).is_some_and(|rules| rules.checked) {
        return Ok(());
    }
    let Some(plugin) = node
        .adapters
        .serving(asked.service)
        .and_then(|adapter| adapter.plugin())
    else {
        return Ok(());
    };
    let draft = Arc::new(draft(node, asked)?);
    match plugin.check(draft).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Failure::Permanent { code, detail })) => {
            Err(ApiError::new(kind::REFUSED_BY_ADAPTER, detail).of_code(&code))
        }
        Ok(Err(failure)) => {
            tracing::warn!(%failure, "the adapter could not look at a message; it is accepted");
            Ok(())
        }
        Err(error) => {
            tracing::warn!(%error, "the adapter could not look at a message; it is accepted");
            Ok(())
        }
    }
}

/// The same for a message whose files are all there. Where nobody can say now how the receiver is reached, the adapter is not asked.
pub(super) async fn check_whole(
    node: &Node,
    sbd: &Sbd,
    facts: &ConversationFacts,
    files: (&MessageKey, &[Attachment]),
) -> ApiResult<()> {
    if !node.rules(&facts.service).is_some_and(|rules| rules.checked) {
        return Ok(());
    }
    let capabilities = match asked_again(node, facts, sbd).await {
        Ok(answer) => answer.capabilities,
        Err(error) => {
            tracing::info!(%error, "the adapter does not look at a message's files");
            return Ok(());
        }
    };
    let Some(capability) = capabilities.into_iter().find(|capability| is_of(capability, facts)) else {
        return Ok(());
    };
    let asked = Asked {
        sbd,
        service: &facts.service,
        address: capability.address.into_iter().collect(),
        files: Some(files),
    };
    check(node, asked).await
}

fn draft(node: &Node, asked: Asked<'_>) -> ApiResult<Draft> {
    let text = |identifier: Option<String>| identifier.unwrap_or_default();
    let sbd = asked.sbd;
    Ok(Draft {
        message_id: text(sbd.message_id().map(|id| id.as_str().to_owned())),
        process: text(sbd.process().map(|process| process.as_str().to_owned())),
        document_type: text(sbd.document_type().map(|standard| standard.as_str().to_owned())),
        message_type: sbd.message_type().name.to_string(),
        service: asked.service.to_owned(),
        sender: text(sbd.sender().map(|sender| sender.as_str().to_owned())),
        receiver: text(sbd.receiver().map(|receiver| receiver.as_str().to_owned())),
        sbd: super::create::written(sbd)?,
        receiver_address: asked.address,
        files: asked.files.map(|(key, files)| documents(node, key, files)),
    })
}

fn documents(node: &Node, key: &MessageKey, files: &[Attachment]) -> Vec<DocumentRef> {
    files
        .iter()
        .map(|file| Doc::attachment(&node.vault, key, file))
        .collect()
}
