//! What is filled in when a fagsystem hands over a message. Spec: documents and packaging, 1.4.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::header::{BusinessScope, DocumentIdentification};
use super::scope::{Scope, ScopeKind};
use super::{MAX_BYTES, Sbd};
use crate::body::{self, PostalAddress};
use crate::datetime::DateTime;
use crate::identifier::{Identifier, Iso6523, MessageId, OrganisationNumber};

/// Longest name of a channel, in bytes.
pub const CHANNEL_MAX_BYTES: usize = 25;

/// Why the defaults cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefaultsError {
    /// There is no scope to put the deadline into.
    #[error("standardBusinessDocumentHeader.businessScope.scope has no scope of type ConversationId")]
    NoConversation,
    /// The message is for another channel than this installation uses.
    #[error("the MessageChannel scope must name the configured channel '{configured}', but names '{given}'")]
    ChannelMismatch {
        /// The channel of the installation.
        configured: String,
        /// The channel of the message.
        given: String,
    },
    /// The configured channel breaks the rule for channels.
    #[error("the configured channel must be at most 25 letters, digits, '-' or '_'")]
    ChannelName,
    /// With its defaults the message is larger than one that can be read back.
    #[error("the document takes more than {MAX_BYTES} bytes when it is written with its defaults")]
    TooLarge,
}

impl Sbd {
    /// Fills in what the client left out: sender (and on whose behalf the owner `own` sends), ids, creation time, deadline
    /// `ttl` from now, the channel of the installation, and members of the body that have a default.
    ///
    /// `channel` is `None` or empty when the service has no channel. On an error the message is unchanged,
    /// but for [`DefaultsError::TooLarge`].
    pub fn fill_defaults(
        &mut self,
        own: &OrganisationNumber,
        now: Timestamp,
        ttl: Duration,
        channel: Option<&str>,
    ) -> Result<(), DefaultsError> {
        let channel = channel.filter(|channel| !channel.is_empty());
        self.check_channel(channel)?;
        if self.scope(ScopeKind::ConversationId).is_none() {
            return Err(DefaultsError::NoConversation);
        }
        self.normalise_sender(own);
        self.fill_identification(now);
        self.fill_conversation(now, ttl);
        self.fill_scopes(channel);
        body::fill_defaults(self.kind.body, &mut self.body);
        if self.has_room() {
            Ok(())
        } else {
            Err(DefaultsError::TooLarge)
        }
    }

    /// Completes the postal addresses of the body from what the registry says of the receiver, for message types that have
    /// it so. Spec: messaging API, 3.3.
    pub fn fill_addresses(&mut self, post: Option<&PostalAddress>, back: Option<&PostalAddress>) {
        if self.kind.registry_addresses {
            body::fill_addresses(&mut self.body, post, back);
        }
    }

    /// Writes the sender as the owner of the installation sends for it. Spec: documents and packaging, 2.5.
    pub fn normalise_sender(&mut self, own: &OrganisationNumber) {
        let Some(partner) = self.header.sender.first_mut() else {
            self.set_sender(&Identifier::Iso6523(Iso6523::from(own)));
            return;
        };
        if let Some(Identifier::Iso6523(sender)) = partner.identifier()
            && let Some(written) = partner.identifier.as_mut()
        {
            let normalised = sender.clone().on_behalf_of(own);
            // Nine digits alone are the owner's number too, and are kept as written like everything that stays the same.
            if normalised != sender {
                written.value = Some(normalised.as_str().to_owned());
            }
        }
    }

    fn check_channel(&self, channel: Option<&str>) -> Result<(), DefaultsError> {
        let Some(configured) = channel else { return Ok(()) };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if configured.len() > CHANNEL_MAX_BYTES || !configured.bytes().all(allowed) {
            return Err(DefaultsError::ChannelName);
        }
        match self.message_channel() {
            Some(given) if given != configured => Err(DefaultsError::ChannelMismatch {
                configured: configured.to_owned(),
                given: given.chars().take(CHANNEL_MAX_BYTES).collect(),
            }),
            _ => Ok(()),
        }
    }

    fn fill_identification(&mut self, now: Timestamp) {
        let identification = self
            .header
            .document_identification
            .get_or_insert_with(DocumentIdentification::default);
        identification
            .instance_identifier
            .get_or_insert_with(|| MessageId::random().into());
        identification
            .creation_date_and_time
            .get_or_insert_with(|| DateTime::in_oslo(now));
        if let Some(manifest) = &mut self.header.manifest {
            let count = i64::try_from(manifest.manifest_item.len()).ok();
            manifest.number_of_items = manifest.number_of_items.or(count);
        }
    }

    fn fill_conversation(&mut self, now: Timestamp, ttl: Duration) {
        let message_id = self.message_id().filter(|_| self.kind.conversation_is_message);
        let scopes = self.header.business_scope.get_or_insert_with(BusinessScope::default);
        let conversation = scopes
            .scope
            .iter_mut()
            .find(|scope| scope.kind() == Some(ScopeKind::ConversationId));
        let Some(conversation) = conversation else { return };
        if conversation.expected_response().is_none() {
            conversation.set_expected_response(DateTime::in_oslo(after(now, ttl)));
        }
        if let Some(id) = message_id
            && lacks_id(conversation)
        {
            conversation.instance_identifier = Some(id.into());
        }
    }

    fn fill_scopes(&mut self, channel: Option<&str>) {
        let scopes = &mut self
            .header
            .business_scope
            .get_or_insert_with(BusinessScope::default)
            .scope;
        for scope in scopes.iter_mut().filter(|scope| lacks_id(scope)) {
            let reference = scope.identifier.clone().filter(|_| is_reference(scope));
            scope.instance_identifier = Some(reference.unwrap_or_else(|| Uuid::new_v4().to_string()));
        }
        let Some(channel) = channel else { return };
        match scopes
            .iter_mut()
            .find(|scope| scope.kind() == Some(ScopeKind::MessageChannel))
        {
            Some(scope) => scope.identifier = Some(channel.to_owned()),
            None => scopes.push(Scope::new(
                ScopeKind::MessageChannel,
                Uuid::new_v4().to_string(),
                Some(channel.to_owned()),
            )),
        }
    }
}

/// Whether this is a reference whose value was put into `identifier`, as the published documentation shows it. The Java
/// integrasjonspunkt replaces it with a random one. Spec: documents and packaging, 17, sharp edge 11.
fn is_reference(scope: &Scope) -> bool {
    matches!(scope.kind(), Some(ScopeKind::SenderRef | ScopeKind::ReceiverRef))
        && scope.identifier().is_some_and(|identifier| !identifier.is_empty())
}

fn lacks_id(scope: &Scope) -> bool {
    scope.instance_identifier().is_none_or(str::is_empty)
}

/// A point in time some time from now; the end of time when that is beyond it.
pub(super) fn after(now: Timestamp, later: Duration) -> Timestamp {
    now.checked_add(later).unwrap_or(Timestamp::MAX)
}
