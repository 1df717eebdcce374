//! Sending one message: who sends it, what is in the package, and under which reference it goes.
//!
//! Spec: DPO and DPV, 2.3.

use budstikke_sdk::{Failure, Sent};

use crate::broker::Broker;
use crate::channel::Channel;
use crate::host::{Host, Outgoing};
use crate::sbd::Sbd;
use crate::settings::Settings;
use crate::transfer::{self, Earlier, Letter};

/// Seconds until the first look at what became of it: Altinn scans for viruses meanwhile.
const FIRST_LOOK: u32 = 5;

/// Sends one message, or goes on where an earlier attempt ended.
pub(crate) fn send<H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    settings: &Settings,
    message: &M,
) -> Result<Sent, Failure> {
    let sender = wire_sender(&message.sender());
    let message_type = message.message_type();
    let broker = Broker::new(host, settings, &sender);
    let unfinished = match transfer::look(host, &broker, message)? {
        Earlier::Arrived(id) => return Ok(sent(&message_type, id)),
        Earlier::Unfinished(transfer) => Some(transfer),
        Earlier::Nothing => None,
    };

    let subjects = host.subjects(&settings.token_profile)?;
    if !subjects.contains(&sender) {
        let known = subjects.join(", ");
        return Err(Failure::permanent(
            "unknown-sender",
            format!(
                "{sender} is not a subject of the token profile `{}`; it has {known}",
                settings.token_profile
            ),
        ));
    }

    let receiver = organisation(&message.receiver());
    let mut sbd = Sbd::parse(message.sbd()?)?;
    sbd.set_sender(&sender)?;
    let channel = answer_channel(settings, message, &message_type, &sbd);
    if let Some(channel) = &channel {
        sbd.set_channel(channel, || host.uuid())?;
    }

    let package = pack(host, message, &sbd.into_bytes()?, &sender, &receiver)?;
    let package = message.keep("sbd.zip", &package)?;

    let reference = channel.unwrap_or_else(|| host.uuid());
    let letter = Letter {
        resource: &settings.resource,
        sender: &sender,
        receiver: &receiver,
        reference: &reference,
    };
    let id = transfer::bring(host, &broker, message, &letter, &package, unfinished)?;
    Ok(sent(&message_type, id))
}

/// Altinn has the message, so nothing here may fail.
fn sent(message_type: &str, id: String) -> Sent {
    Sent {
        reference: Some(id),
        reports: Vec::new(),
        // A status bears the message id of the message that it answers, so what became of it would be registered there.
        track_after: (message_type != "status").then_some(FIRST_LOOK),
    }
}

/// On behalf of: the part stands alone as the sender, `0192:991825827:987464291` becomes `0192:987464291`.
/// Spec: DPO and DPV, 2.9.
pub(crate) fn wire_sender(sender: &str) -> String {
    let mut parts = sender.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(scheme), Some(_), Some(part)) => format!("{scheme}:{part}"),
        _ => sender.to_owned(),
    }
}

/// The organisation without a part: `0192:910076787`.
fn organisation(receiver: &str) -> String {
    receiver.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")
}

/// Statuses and receipts go back on the channel of the message that they answer, whatever our own channel is: else the
/// installation that sent it never sees them. Other messages have no channel here; theirs travels inside the SBD.
///
/// When the host does not know the channel, the SBD's scope tells it, unless it is only our own.
///
/// Spec: DPO and DPV, 2.3, step 5, and 8, sharp edge 11.
fn answer_channel<M: Outgoing>(settings: &Settings, message: &M, message_type: &str, sbd: &Sbd) -> Option<String> {
    let is_answer = message_type == "status" || message_type.ends_with("_kvittering");
    if !is_answer {
        return None;
    }
    if let Some(channel) = message.reply_channel().filter(|channel| !channel.is_empty()) {
        return Some(channel);
    }
    let own = settings.message_channel.as_ref().map(Channel::as_str);
    sbd.channel().filter(|scope| own != Some(*scope)).map(str::to_owned)
}

/// `sbd.zip`: `sbd.json`, and `asic.zip` when the message has files. Spec: DPO and DPV, 2.2.
fn pack<H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    message: &M,
    sbd: &[u8],
    sender: &str,
    receiver: &str,
) -> Result<H::File, Failure> {
    let sbd = host.small_file("sbd.json", "application/json", sbd);
    let files = message.files();
    if files.is_empty() {
        return host.zip(&[("sbd.json", &sbd)]);
    }
    let certificate = message.receiver_certificate().ok_or_else(|| {
        Failure::permanent(
            "certificate",
            format!("the registry has no certificate of {receiver} for DPO"),
        )
    })?;
    let asic = host.asic(&files, sender, receiver)?;
    let sealed = host.seal(&asic, &certificate)?;
    host.zip(&[("sbd.json", &sbd), ("asic.zip", &sealed)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CUSTOMER, Fake, Letter as Message, OTHER, OWN, settings};

    const CHANNEL_SCOPE: &str = r#",{"type":"MessageChannel","identifier":"fag-1"}"#;

    fn altinn() -> Fake {
        let host = Fake::default();
        host.on("POST /filetransfer/", 200, r#"{"fileTransferId":"3f0e"}"#).on(
            "POST /filetransfer/3f0e/upload",
            200,
            "",
        );
        host
    }

    fn reference(host: &Fake) -> String {
        host.bodies()[0]["sendersFileTransferReference"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn t3_an_arkivmelding_with_two_files_is_announced_and_uploaded() {
        let (host, message) = (altinn(), Message::arkivmelding());
        let sent = send(&host, &settings(""), &message).unwrap();
        assert_eq!(host.calls(), ["POST /filetransfer/", "POST /filetransfer/3f0e/upload"]);
        let body = &host.bodies()[0];
        assert_eq!(body["fileName"], "sbd.zip");
        assert_eq!(body["resourceId"], "eformidling-dpo-meldingsutveksling");
        assert_eq!(
            body["sendersFileTransferReference"],
            "5d2a6c1e-6f0b-4a57-9c43-000000000001"
        );
        assert_eq!(body["sender"], OWN);
        assert_eq!(body["recipients"], serde_json::json!([OTHER]));
        assert_eq!(body["checksum"], host.md5(&host.uploads()[0]).unwrap());
        let [upload] = host.uploads().try_into().unwrap();
        let entries = upload.entries.unwrap();
        assert_eq!(
            entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(),
            ["sbd.json", "asic.zip"]
        );
        assert_eq!(entries[0].content, message.sbd_text(), "the SBD is unchanged");
        assert_eq!(
            entries[1].content,
            "asic of arkivmelding.xml, test.txt from 0192:991825827 to 0192:910076787 sealed for 910076787"
        );
        assert_eq!(
            (sent.reference.as_deref(), sent.track_after, sent.reports.len()),
            (Some("3f0e"), Some(5), 0)
        );
        assert!(
            host.tokens()
                .iter()
                .all(|token| token.starts_with("altinn:broker.write for 0192:991825827"))
        );
    }

    #[test]
    fn t4_an_avtalt_keeps_its_free_content() {
        let (host, message) = (
            altinn(),
            Message {
                kind: "avtalt",
                ..Message::arkivmelding()
            },
        );
        send(&host, &settings(""), &message).unwrap();
        assert!(
            host.uploads()[0].entries.as_ref().unwrap()[0]
                .content
                .contains(r#""avtalt": {"content":{"fri":1.0}}"#)
        );
    }

    #[test]
    fn t5_a_status_goes_back_on_the_channel_of_the_message_whatever_our_own_is() {
        for own in ["", r#","message-channel":"fag-1""#, r#","message-channel":"eget""#] {
            let message = Message {
                reply_channel: Some("fag-1"),
                ..Message::answer("status")
            };
            let host = altinn();
            let sent = send(&host, &settings(own), &message).unwrap();
            assert_eq!(reference(&host), "fag-1", "{own}");
            let entries = host.uploads()[0].entries.clone().unwrap();
            let [sbd] = entries.as_slice() else {
                panic!("only the SBD")
            };
            assert!(
                sbd.content.contains(r#""type":"MessageChannel""#) && sbd.content.contains(r#""identifier":"fag-1""#)
            );
            assert_eq!(
                sent.track_after, None,
                "a failed status must not be registered on the message that it answers"
            );
        }
    }

    #[test]
    fn a_receipt_with_our_own_channel_still_goes_to_the_senders_channel() {
        let message = Message {
            reply_channel: Some("fag-1"),
            scopes: r#",{"type":"MessageChannel","identifier":"eget"}"#,
            ..Message::answer("arkivmelding_kvittering")
        };
        let host = altinn();
        let sent = send(&host, &settings(r#","message-channel":"eget""#), &message).unwrap();
        assert_eq!((reference(&host).as_str(), sent.track_after), ("fag-1", Some(5)));
    }

    #[test]
    fn the_scope_of_an_answer_is_its_reference_unless_it_is_our_own() {
        let message = || Message {
            scopes: CHANNEL_SCOPE,
            ..Message::answer("status")
        };
        let host = altinn();
        send(&host, &settings(""), &message()).unwrap();
        assert_eq!(reference(&host), "fag-1");
        let host = altinn();
        send(&host, &settings(r#","message-channel":"fag-1""#), &message()).unwrap();
        assert_eq!(reference(&host).len(), 36);
    }

    #[test]
    fn an_ordinary_message_carries_a_uuid_and_keeps_its_channel_inside() {
        let message = Message {
            scopes: CHANNEL_SCOPE,
            ..Message::arkivmelding()
        };
        let host = altinn();
        send(&host, &settings(""), &message).unwrap();
        assert_eq!(reference(&host).len(), 36);
        assert_eq!(
            host.uploads()[0].entries.as_ref().unwrap()[0].content,
            message.sbd_text()
        );
    }

    #[test]
    fn t6_the_sender_chooses_the_system_user() {
        for (sender, wire) in [(OWN, OWN), ("0192:991825827:987464291", CUSTOMER), (CUSTOMER, CUSTOMER)] {
            let host = altinn();
            host.with_subjects(&[OWN, CUSTOMER]);
            let message = Message {
                sender: sender.to_owned(),
                ..Message::arkivmelding()
            };
            send(&host, &settings(""), &message).unwrap();
            assert_eq!(host.bodies()[0]["sender"], wire);
            assert!(
                host.tokens()
                    .iter()
                    .all(|token| token.contains(&format!("for {wire} "))),
                "{sender}"
            );
            let entries = host.uploads()[0].entries.clone().unwrap();
            assert!(entries[0].content.contains(&format!(r#""value":"{wire}""#)));
            assert!(entries[1].content.contains(&format!("from {wire} to")));
        }
    }

    #[test]
    fn t6_an_unknown_sender_is_named_and_nothing_is_called() {
        let host = Fake::default();
        host.with_subjects(&[OWN, CUSTOMER]);
        for sender in ["0192:974720760", "0192:991825827:974720760"] {
            let message = Message {
                sender: sender.to_owned(),
                ..Message::arkivmelding()
            };
            let failure = send(&host, &settings(""), &message).unwrap_err();
            assert_eq!(failure.code(), Some("unknown-sender"));
            assert!(failure.detail().starts_with("0192:974720760 "), "{}", failure.detail());
        }
        assert!(host.calls().is_empty() && host.tokens().is_empty());
    }

    #[test]
    fn a_receiver_with_a_part_is_addressed_as_the_organisation() {
        let host = altinn();
        let message = Message {
            receiver: "0192:910076787:987654321",
            ..Message::arkivmelding()
        };
        send(&host, &settings(""), &message).unwrap();
        assert_eq!(host.bodies()[0]["recipients"], serde_json::json!([OTHER]));
        assert!(
            host.uploads()[0].entries.as_ref().unwrap()[1]
                .content
                .contains("to 0192:910076787 sealed")
        );
    }

    #[test]
    fn files_without_a_certificate_are_a_final_failure_and_nothing_is_called() {
        let host = Fake::default();
        let message = Message {
            certificate: None,
            ..Message::arkivmelding()
        };
        assert_eq!(
            send(&host, &settings(""), &message).unwrap_err().code(),
            Some("certificate")
        );
        assert!(host.calls().is_empty());
    }
}
