//! Standard Business Documents: what we need of one on its way out, and those that we make.

use budstikke_sdk::Failure;
use serde_json::{Value, json};

use crate::id::is_uuid;
use crate::oslo;

/// What an outgoing SBD says that concerns SvarUt. Spec: DPF and DPFIO, 4.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// `sikkerhetsnivaa`.
    pub(crate) level: Option<i64>,
    /// `dpf.forsendelseType`, when it has text.
    pub(crate) kind: Option<String>,
    /// `SenderRef` as it is.
    pub(crate) sender_reference: Option<String>,
    /// `ReceiverRef`, when it is a UUID.
    pub(crate) answers: Option<String>,
}

impl Wishes {
    /// Permanent failure `sbd` when it is not one.
    pub(crate) fn read(sbd: &[u8]) -> Result<Self, Failure> {
        let sbd: Value = serde_json::from_slice(sbd).map_err(|error| {
            // Line and column only, for the content is not ours to show.
            let place = format!("line {}, column {}", error.line(), error.column());
            Failure::permanent("sbd", format!("the SBD cannot be read: {place}"))
        })?;
        let body = sbd.get("arkivmelding").unwrap_or(&Value::Null);
        let kind = body.pointer("/dpf/forsendelseType").and_then(Value::as_str);
        Ok(Self {
            level: body.get("sikkerhetsnivaa").and_then(Value::as_i64),
            kind: kind.filter(|kind| !kind.trim().is_empty()).map(str::to_owned),
            sender_reference: reference(&sbd, "SenderRef", "SENDER_REF"),
            answers: reference(&sbd, "ReceiverRef", "RECEIVER_REF").filter(|text| is_uuid(text)),
        })
    }

    /// Whether it takes a login of level 4 to read it.
    pub(crate) fn is_level_4(&self) -> bool {
        self.level == Some(4)
    }
}

/// The name is also known in the form of the enum. Spec: documents and packaging, 1.3.
fn reference(sbd: &Value, name: &str, enum_name: &str) -> Option<String> {
    let scopes = sbd
        .pointer("/standardBusinessDocumentHeader/businessScope/scope")?
        .as_array()?;
    let named = |scope: &&Value| {
        let kind = scope.get("type").and_then(Value::as_str);
        kind == Some(name) || kind == Some(enum_name)
    };
    let text = scopes.iter().find(named)?.get("instanceIdentifier")?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// An SBD of our own making.
pub(crate) struct Made<'a> {
    /// `0192:974720760`.
    pub(crate) sender: &'a str,
    pub(crate) receiver: &'a str,
    pub(crate) message_id: &'a str,
    pub(crate) conversation_id: &'a str,
    pub(crate) process: &'a str,
    /// `standard`.
    pub(crate) document_type: &'a str,
    /// `type`, and the name of the member with the body.
    pub(crate) message_type: &'a str,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) expires: i64,
    pub(crate) receiver_reference: Option<&'a str>,
    pub(crate) body: Value,
}

impl Made<'_> {
    /// UTF-8 JSON. Spec: DPF and DPFIO, 9.5.
    pub(crate) fn write(&self) -> Vec<u8> {
        let party = |value: &str| json!([{ "identifier": { "value": value, "authority": "iso6523-actorid-upis" } }]);
        let mut scopes = vec![json!({
            "type": "ConversationId", "instanceIdentifier": self.conversation_id, "identifier": self.process,
            "scopeInformation": [{ "expectedResponseDateTime": oslo::time_of(self.expires) }],
        })];
        if let Some(reference) = self.receiver_reference {
            scopes.push(json!({ "type": "ReceiverRef", "instanceIdentifier": reference }));
        }
        let mut sbd = json!({
            "standardBusinessDocumentHeader": {
                "headerVersion": "1.0",
                "sender": party(self.sender),
                "receiver": party(self.receiver),
                "documentIdentification": {
                    "standard": self.document_type, "typeVersion": "2.0", "instanceIdentifier": self.message_id,
                    "type": self.message_type, "creationDateAndTime": oslo::time_of(self.created),
                },
                "businessScope": { "scope": scopes },
            },
        });
        sbd[self.message_type] = self.body.clone();
        sbd.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: &str = "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10";
    const R: &str = "7b1c8a52-0000-4000-8000-000000000000";

    fn wishes(scopes: &str, body: &str) -> Wishes {
        let text = format!(
            r#"{{"standardBusinessDocumentHeader":{{"businessScope":{{"scope":[{{"type":"ConversationId"}}{scopes}]}}}},{body}}}"#
        );
        Wishes::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn v2_references_are_told_from_other_texts() {
        let refs = |sender: &str, receiver: &str| {
            let scope = |kind: &str, text: &str| format!(r#",{{"type":"{kind}","instanceIdentifier":"{text}"}}"#);
            let scopes = scope("SenderRef", sender) + &scope("RECEIVER_REF", receiver);
            let wishes = wishes(&scopes, r#""arkivmelding":{}"#);
            (wishes.sender_reference, wishes.answers)
        };
        assert_eq!(refs(S, R), (Some(S.to_owned()), Some(R.to_owned())));
        assert_eq!(refs("sak-12", "x"), (Some("sak-12".to_owned()), None));
        assert_eq!(refs("", ""), (None, None));
    }

    #[test]
    fn v4_only_four_is_level_four() {
        let level = |body: &str| wishes("", &format!(r#""arkivmelding":{body}"#)).is_level_4();
        assert!(level(r#"{"sikkerhetsnivaa":4}"#));
        for body in [
            "{}",
            r#"{"sikkerhetsnivaa":null}"#,
            r#"{"sikkerhetsnivaa":1}"#,
            r#"{"sikkerhetsnivaa":3}"#,
        ] {
            assert!(!level(body), "{body}");
        }
        assert_eq!(wishes("", r#""annet":{"sikkerhetsnivaa":4}"#).level, None);
    }

    #[test]
    fn a_type_without_text_is_none() {
        let kind = |text: &str| {
            wishes(
                "",
                &format!(r#""arkivmelding":{{"dpf":{{"forsendelseType":"{text}"}}}}"#),
            )
            .kind
        };
        assert_eq!(kind("type-1").as_deref(), Some("type-1"));
        assert_eq!((kind(""), kind(" ")), (None, None));
    }

    #[test]
    fn what_is_no_sbd_is_refused_without_being_shown() {
        let failure = Wishes::read(br#"{"hemmelig":"#).unwrap_err();
        assert_eq!(failure.code(), Some("sbd"));
        assert!(!failure.detail().contains("hemmelig"));
        assert_eq!(Wishes::read(b"{}").unwrap(), Wishes::default());
    }
}
