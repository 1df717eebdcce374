//! The rules of the header. Spec: documents and packaging, 1.2 and 1.3; messaging API, 3.1.

use jiff::Timestamp;

use super::header::{Contact, DocumentIdentification, Header, Manifest, Partner};
use super::scope::{Scope, ScopeKind};
use super::{HEADER, Sbd};
use crate::body;
use crate::document_type::MessageType;
use crate::identifier::{Authority, DocumentType, Identifier, ProcessId, is_uuid};
use crate::violation::{Violation, code};

/// Most violations that are collected.
const MAX_VIOLATIONS: usize = 100;

impl Sbd {
    /// Every rule of the header that the message breaks, at most a hundred. What [`Sbd::fill_defaults`] fills may be absent,
    /// so this may run before and after it. `now` decides whether the deadline is in the future.
    pub fn validate(&self, now: Timestamp) -> Vec<Violation> {
        let mut rules = Rules { found: Vec::new() };
        rules.header(&self.header, &self.kind, now);
        rules.found.truncate(MAX_VIOLATIONS);
        rules.found
    }

    /// Every rule of the business message that it breaks. To be run once the body has been filled from the registry, where
    /// the service does that. Spec: documents and packaging, 4.
    pub fn validate_body(&self) -> Vec<Violation> {
        let mut found = body::check(self.kind.body, &self.body, &self.kind.name);
        if let Some(schema) = &self.kind.schema {
            found.extend(schema.check(&self.body, &self.kind.name));
            found.truncate(MAX_VIOLATIONS);
        }
        found
    }
}

struct Rules {
    found: Vec<Violation>,
}

impl Rules {
    fn add(&mut self, field: String, code: &'static str, message: impl Into<String>) {
        self.found.push(Violation::new(field, code, message));
    }

    fn reject(&mut self, field: String, code: &'static str, message: impl Into<String>, value: &str) {
        self.found.push(Violation::new(field, code, message).rejecting(value));
    }

    /// Complains about an absent member and hands a present one on.
    fn required<'a>(&mut self, value: Option<&'a str>, field: String) -> Option<&'a str> {
        if value.is_none() {
            self.found.push(Violation::missing(field));
        }
        value
    }

    fn header(&mut self, header: &Header, kind: &MessageType, now: Timestamp) {
        self.required(header.header_version.as_deref(), format!("{HEADER}.headerVersion"));
        self.partners(&header.sender, &format!("{HEADER}.sender"), code::SENDER_VALUE);
        self.partners(&header.receiver, &format!("{HEADER}.receiver"), code::RECEIVER_VALUE);
        if header.receiver.is_empty() && !kind.receiver_optional {
            self.found.push(Violation::missing(format!("{HEADER}.receiver")));
        }
        let path = format!("{HEADER}.documentIdentification");
        match &header.document_identification {
            Some(identification) => self.identification(identification, kind, &path),
            None => self.found.push(Violation::missing(path)),
        }
        if let Some(manifest) = &header.manifest {
            self.manifest(manifest);
        }
        let path = format!("{HEADER}.businessScope");
        match &header.business_scope {
            Some(scopes) => self.scopes(&scopes.scope, &format!("{path}.scope"), now),
            None => self.found.push(Violation::missing(path)),
        }
    }

    fn partners(&mut self, partners: &[Partner], path: &str, value_code: &'static str) {
        if partners.len() > 1 {
            self.add(path.to_owned(), code::SIZE, "must hold at most one element");
        }
        for (number, partner) in partners.iter().enumerate() {
            let path = format!("{path}[{number}]");
            self.contacts(&partner.contact_information, &path);
            let path = format!("{path}.identifier");
            let Some(identifier) = &partner.identifier else {
                self.found.push(Violation::missing(path));
                continue;
            };
            let value = self.required(identifier.value.as_deref(), format!("{path}.value"));
            let authority = self.required(identifier.authority.as_deref(), format!("{path}.authority"));
            let (Some(value), Some(authority)) = (value, authority) else {
                continue;
            };
            if authority.parse::<Authority>().is_err() {
                let message = "must be one of iso6523-actorid-upis, nhn-actorid";
                self.reject(format!("{path}.authority"), code::ONE_OF, message, authority);
            } else if let Err(error) = Identifier::parse(authority, value) {
                self.reject(format!("{path}.value"), value_code, error.to_string(), value);
            }
        }
    }

    fn contacts(&mut self, contacts: &[Contact], path: &str) {
        for (number, contact) in contacts.iter().enumerate() {
            self.required(
                contact.contact.as_deref(),
                format!("{path}.contactInformation[{number}].contact"),
            );
        }
    }

    fn identification(&mut self, written: &DocumentIdentification, kind: &MessageType, path: &str) {
        if let Some(standard) = self.required(written.standard.as_deref(), format!("{path}.standard"))
            && let Err(error) = standard.parse::<DocumentType>()
        {
            self.reject(format!("{path}.standard"), code::PATTERN, error.to_string(), standard);
        }
        self.required(written.type_version.as_deref(), format!("{path}.typeVersion"));
        if let Some(id) = written.instance_identifier.as_deref().filter(|id| !is_uuid(id)) {
            self.reject(format!("{path}.instanceIdentifier"), code::UUID, "must be a UUID", id);
        }
        if let Some(name) = self.required(written.kind.as_deref(), format!("{path}.type"))
            && name != kind.name
        {
            let message = format!(
                "must be a message type, and the one that names the business message, '{}'",
                kind.name
            );
            self.reject(format!("{path}.type"), code::MESSAGE_TYPE, message, name);
        }
    }

    fn manifest(&mut self, manifest: &Manifest) {
        let path = format!("{HEADER}.manifest.manifestItem");
        if manifest.manifest_item.is_empty() {
            self.add(path.clone(), code::SIZE, "must hold at least one element");
        }
        for (number, item) in manifest.manifest_item.iter().enumerate() {
            let path = format!("{path}[{number}]");
            self.required(
                item.mime_type_qualifier_code.as_deref(),
                format!("{path}.mimeTypeQualifierCode"),
            );
            self.required(
                item.uniform_resource_identifier.as_deref(),
                format!("{path}.uniformResourceIdentifier"),
            );
        }
    }

    fn scopes(&mut self, scopes: &[Scope], path: &str, now: Timestamp) {
        if scopes.is_empty() {
            self.add(path.to_owned(), code::SIZE, "must hold at least one element");
        } else if !scopes
            .iter()
            .any(|scope| scope.kind() == Some(ScopeKind::ConversationId))
        {
            self.add(
                path.to_owned(),
                code::NOT_NULL,
                "must hold a scope of type ConversationId",
            );
        }
        for (number, scope) in scopes.iter().enumerate() {
            if self.found.len() >= MAX_VIOLATIONS {
                return;
            }
            let path = format!("{path}[{number}]");
            if let Some(name) = self.required(scope.kind.as_deref(), format!("{path}.type"))
                && scope.kind().is_none()
            {
                let message = format!("must be one of {}", ScopeKind::all_names());
                self.reject(format!("{path}.type"), code::ONE_OF, message, name);
            }
            if scope.kind() == Some(ScopeKind::ConversationId) {
                self.conversation(scope, &path);
            }
            for (number, information) in scope.scope_information.iter().enumerate() {
                let deadline = information.expected_response_date_time.as_ref();
                if let Some(deadline) = deadline.filter(|deadline| deadline.instant() <= now) {
                    let path = format!("{path}.scopeInformation[{number}].expectedResponseDateTime");
                    self.reject(path, code::FUTURE, "must be in the future", deadline.as_str());
                }
            }
        }
    }

    fn conversation(&mut self, scope: &Scope, path: &str) {
        if let Some(id) = scope.instance_identifier().filter(|id| !id.is_empty() && !is_uuid(id)) {
            self.reject(
                format!("{path}.instanceIdentifier"),
                code::CONVERSATION_UUID,
                "must be a UUID",
                id,
            );
        }
        if let Some(process) = self.required(scope.identifier(), format!("{path}.identifier"))
            && let Err(error) = process.parse::<ProcessId>()
        {
            self.reject(format!("{path}.identifier"), code::PATTERN, error.to_string(), process);
        }
    }
}
