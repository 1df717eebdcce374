//! The `status` messages that go back to a sender. Spec: documents and packaging, 12.1.

use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use budstikke_store::{ConversationFacts, NewOutgoing};
use jiff::Timestamp;

use crate::node::Node;
use crate::sealed_sbd;

/// The status message that goes back to the sender, if messages of this type are answered at all. Whether the service is
/// answered is settled when the message arrives.
pub fn status_answer(node: &Node, received: &Sbd, service: &str, status: Status) -> Option<NewOutgoing> {
    let lifetime = std::time::Duration::from_secs(u64::from(node.settings.lifetime_hours) * 3600);
    let reply = match received.status_reply(status, &node.processes, Timestamp::now(), lifetime) {
        Ok(reply) => reply,
        Err(reason) => {
            tracing::info!(%reason, %status, "no status goes back to the sender");
            return None;
        }
    };
    match outgoing(node, &reply, service, received.message_channel().map(ToOwned::to_owned)) {
        Ok(answer) => Some(answer),
        Err(error) => {
            tracing::error!(%error, %status, "the answer to the sender could not be made");
            None
        }
    }
}

fn outgoing(node: &Node, reply: &Sbd, service: &str, channel: Option<String>) -> anyhow::Result<NewOutgoing> {
    let facts = facts_of(reply, service)?;
    Ok(NewOutgoing {
        message_type: reply.message_type().name.to_string(),
        sbd: sealed_sbd::seal(&node.vault, &facts.message_id, reply)?,
        facts,
        reply_channel: channel,
        ready: true,
        route: None,
    })
}

/// What the store keeps of a complete SBD.
pub fn facts_of(sbd: &Sbd, service: &str) -> anyhow::Result<ConversationFacts> {
    let envelope = sbd.envelope().map_err(|violations| {
        let fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
        anyhow::anyhow!("the header is not complete: {}", fields.join(", "))
    })?;
    Ok(ConversationFacts {
        message_id: envelope.message_id.as_str().to_owned(),
        conversation_id: envelope.conversation_id.as_str().to_owned(),
        sender: envelope.sender.as_str().to_owned(),
        sender_identifier: envelope.sender.sender_part().to_owned(),
        receiver: envelope.receiver.as_ref().map(|receiver| receiver.as_str().to_owned()),
        receiver_identifier: envelope.receiver.as_ref().map(|receiver| receiver.primary().to_owned()),
        process: envelope.process.as_str().to_owned(),
        document_type: envelope.document_type.as_str().to_owned(),
        service: service.to_owned(),
        channel: None,
        expiry: envelope.expires.instant().as_millisecond(),
    })
}
