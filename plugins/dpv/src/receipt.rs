//! A receipt that nobody wrote: an arkivmelding over DPV has no receiver with a system that answers.
//!
//! Spec: DPO and DPV, 4.9; documents and packaging, 12.2.

use budstikke_sdk::Failure;
use serde_json::json;

use crate::host::Host;
use crate::moment::in_oslo;
use crate::track::Left;

/// The only type that is answered.
const ARKIVMELDING: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding";

const RECEIPT: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering";
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:response:ver1.0";
const AUTHORITY: &str = "iso6523-actorid-upis";

/// Seconds that a receipt was made before now, and that it lives.
const BACK: u64 = 5;
const LIFE: u64 = 24 * 3600;

/// Puts an `arkivmelding_kvittering` for a delivered message on the incoming queue, once.
pub(crate) fn generate<H: Host>(host: &H, message: &Left) -> Result<(), Failure> {
    if message.document_type != ARKIVMELDING {
        return Ok(());
    }
    let reference = format!("receipt {}", message.message_id);
    if host.was_handled(&reference)? {
        return Ok(());
    }
    let sbd = sbd(host, message).to_string();
    host.generate(&reference, sbd.as_bytes()).map(drop)
}

fn sbd<H: Host>(host: &H, message: &Left) -> serde_json::Value {
    let party = |value: &str| json!([{ "identifier": { "value": value, "authority": AUTHORITY } }]);
    let now = host.now();
    json!({
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "sender": party(&message.receiver),
            "receiver": party(&message.sender),
            "documentIdentification": {
                "standard": RECEIPT,
                "typeVersion": "2.0",
                "instanceIdentifier": host.uuid(),
                "type": "arkivmelding_kvittering",
                "creationDateAndTime": in_oslo(now.saturating_sub(BACK)).text(),
            },
            "businessScope": { "scope": [{
                "type": "ConversationId",
                "instanceIdentifier": message.conversation_id,
                "identifier": PROCESS,
                "scopeInformation": [{ "expectedResponseDateTime": in_oslo(now.saturating_add(LIFE)).text() }],
            }] },
        },
        "arkivmelding_kvittering": { "receiptType": "OK", "relatedToMessageId": message.message_id, "messages": [] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, OTHER, OWN, left};

    #[test]
    fn a_receipt_is_made_once_and_answers_for_the_receiver() {
        let host = Fake::default();
        host.now.set(1_774_438_703);
        let message = left("aa");
        generate(&host, &message).unwrap();
        generate(&host, &message).unwrap();
        let [(reference, sbd)] = host.generated().try_into().unwrap();
        assert_eq!(reference, format!("receipt {}", message.message_id));
        let header = &sbd["standardBusinessDocumentHeader"];
        assert_eq!(header["sender"][0]["identifier"]["value"], OTHER);
        assert_eq!(header["receiver"][0]["identifier"]["value"], OWN);
        let document = &header["documentIdentification"];
        assert_eq!(
            document["standard"],
            "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering"
        );
        assert_eq!(document["instanceIdentifier"], "5d2a6c1e-6f0b-4a57-9c43-000000000001");
        assert_eq!(document["creationDateAndTime"], "2026-03-25T12:38:18+01:00");
        let scope = &header["businessScope"]["scope"][0];
        assert_eq!(scope["instanceIdentifier"], message.conversation_id.as_str());
        assert_eq!(scope["identifier"], "urn:no:difi:profile:arkivmelding:response:ver1.0");
        assert_eq!(
            scope["scopeInformation"][0]["expectedResponseDateTime"],
            "2026-03-26T12:38:23+01:00"
        );
        let body = json!({ "receiptType": "OK", "relatedToMessageId": message.message_id, "messages": [] });
        assert_eq!(sbd["arkivmelding_kvittering"], body);
    }

    #[test]
    fn only_an_arkivmelding_is_answered() {
        let host = Fake::default();
        let message = Left {
            document_type: "urn:no:difi:digitalpost:xsd:digital::digital_dpv".into(),
            ..left("aa")
        };
        generate(&host, &message).unwrap();
        assert!(host.generated().is_empty());
    }
}
