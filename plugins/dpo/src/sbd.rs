//! The two edits that an SBD may need on its way out. The business message beside the header is never touched; without
//! an edit the bytes stay as they are.

use std::fmt;

use budstikke_sdk::Failure;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const HEADER: &str = "standardBusinessDocumentHeader";
const CHANNEL: &str = "MessageChannel";

/// An SBD whose header can be edited.
pub(crate) struct Sbd {
    original: Vec<u8>,
    members: Members,
    header: Value,
    edited: bool,
}

impl Sbd {
    /// Permanent failure `sbd` when it is not one.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Failure> {
        let broken = |why: String| Failure::permanent("sbd", format!("the SBD cannot be read: {why}"));
        // Line and column only, for the content is not ours to show.
        let place = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        let members: Members = serde_json::from_slice(&bytes).map_err(|error| broken(place(&error)))?;
        let header = members.0.iter().find(|(name, _)| name == HEADER);
        let (_, header) = header.ok_or_else(|| broken(format!("no {HEADER}")))?;
        let header: Value = serde_json::from_str(header.get()).map_err(|error| broken(place(&error)))?;
        if !header.is_object() {
            return Err(broken(format!("{HEADER} is not an object")));
        }
        Ok(Self {
            original: bytes,
            members,
            header,
            edited: false,
        })
    }

    /// The identifier of the first MessageChannel scope, unless it is empty.
    pub(crate) fn channel(&self) -> Option<&str> {
        let scopes = self.header.pointer("/businessScope/scope")?.as_array()?;
        let scope = scopes.iter().find(|scope| is_channel(scope))?;
        scope
            .get("identifier")?
            .as_str()
            .filter(|identifier| !identifier.is_empty())
    }

    /// Makes another organisation the sender: on behalf of. Spec: DPO and DPV, 2.9.
    pub(crate) fn set_sender(&mut self, sender: &str) -> Result<(), Failure> {
        let value = self
            .header
            .pointer_mut("/sender/0/identifier/value")
            .ok_or_else(|| Failure::permanent("sbd", "the SBD cannot be read: no sender"))?;
        if value.as_str() != Some(sender) {
            *value = Value::String(sender.to_owned());
            self.edited = true;
        }
        Ok(())
    }

    /// Makes the MessageChannel scope name this channel; a new scope gets `instance` as its instanceIdentifier.
    pub(crate) fn set_channel(&mut self, channel: &str, instance: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.channel() == Some(channel) {
            return Ok(());
        }
        let scopes = self
            .header
            .pointer_mut("/businessScope/scope")
            .and_then(Value::as_array_mut)
            .ok_or_else(|| Failure::permanent("sbd", "the SBD cannot be read: no businessScope.scope"))?;
        match scopes
            .iter_mut()
            .find(|scope| is_channel(scope))
            .and_then(Value::as_object_mut)
        {
            Some(scope) => {
                scope.insert("identifier".to_owned(), Value::String(channel.to_owned()));
            }
            None => scopes.push(json!({"type": CHANNEL, "instanceIdentifier": instance(), "identifier": channel})),
        }
        self.edited = true;
        Ok(())
    }

    /// UTF-8 JSON.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, Failure> {
        if !self.edited {
            return Ok(self.original);
        }
        let written = serde_json::value::to_raw_value(&self.header).and_then(|header| {
            let mut members = self.members;
            for (name, value) in &mut members.0 {
                if name == HEADER {
                    value.clone_from(&header);
                }
            }
            serde_json::to_vec(&members)
        });
        written.map_err(|error| Failure::permanent("sbd", format!("the SBD cannot be written: {error}")))
    }
}

/// The name is also known in the form of the enum. Spec: documents and packaging, 1.3.
fn is_channel(scope: &Value) -> bool {
    matches!(
        scope.get("type").and_then(Value::as_str),
        Some(CHANNEL | "MESSAGE_CHANNEL")
    )
}

/// The members of an object in their order, each as it was written.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sbd(scope: &str) -> Sbd {
        Sbd::parse(
            format!(
                r#"{{"avtalt":{{"b":1.10,"a":1e400,"content":{{"z":1,"a":2}}}},
                "standardBusinessDocumentHeader":{{"headerVersion":"1.0",
                "sender":[{{"identifier":{{"value":"0192:991825827:987464291","authority":"iso6523-actorid-upis"}}}}],
                "businessScope":{{"scope":[{{"type":"ConversationId"}}{scope}]}}}}}}"#
            )
            .into_bytes(),
        )
        .unwrap()
    }

    fn text(sbd: Sbd) -> String {
        String::from_utf8(sbd.into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn an_sbd_without_an_edit_keeps_its_bytes() {
        let mut sbd = sbd(r#",{"type":"MessageChannel","identifier":"fag-1"}"#);
        let before = sbd.original.clone();
        sbd.set_sender("0192:991825827:987464291").unwrap();
        sbd.set_channel("fag-1", || unreachable!()).unwrap();
        assert_eq!(sbd.into_bytes().unwrap(), before);
    }

    #[test]
    fn an_edit_of_the_sender_leaves_the_business_message_as_it_was_written() {
        let mut sbd = sbd("");
        sbd.set_sender("0192:987464291").unwrap();
        let text = text(sbd);
        assert!(
            text.starts_with(r#"{"avtalt":{"b":1.10,"a":1e400,"content":{"z":1,"a":2}},"#),
            "{text}"
        );
        assert!(
            text.contains(r#""sender":[{"identifier":{"value":"0192:987464291","authority":"iso6523-actorid-upis"}}]"#)
        );
    }

    #[test]
    fn a_missing_channel_is_added_and_a_wrong_one_set_right() {
        let mut without = sbd("");
        assert_eq!(without.channel(), None);
        without.set_channel("fag-1", || "id".to_owned()).unwrap();
        assert_eq!(without.channel(), Some("fag-1"));
        assert!(text(without).contains(r#"{"type":"MessageChannel","instanceIdentifier":"id","identifier":"fag-1"}"#));

        let mut other = sbd(r#",{"type":"MessageChannel","identifier":"eget","instanceIdentifier":"i"}"#);
        other.set_channel("fag-1", || unreachable!()).unwrap();
        assert!(text(other).contains(r#"{"type":"MessageChannel","identifier":"fag-1","instanceIdentifier":"i"}"#));
    }

    #[test]
    fn what_is_no_sbd_is_refused_without_being_shown() {
        for bytes in [
            "",
            "[]",
            "{}",
            r#"{"standardBusinessDocumentHeader":1}"#,
            r#"{"hemmelig":"#,
        ] {
            let failure = Sbd::parse(bytes.as_bytes().to_vec()).err().unwrap();
            assert_eq!(failure.code(), Some("sbd"), "{bytes}");
            assert!(!failure.detail().contains("hemmelig"));
        }
        let mut empty = Sbd::parse(br#"{"standardBusinessDocumentHeader":{}}"#.to_vec()).unwrap();
        assert!(empty.set_sender("x").is_err());
        assert!(empty.set_channel("x", String::new).is_err());
        assert!(Sbd::parse(vec![0xff, 0xfe]).is_err());
    }
}
