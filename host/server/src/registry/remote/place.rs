//! Where the questions go. Spec: service registry, 8.1.

use budstikke_message::identifier::OrganisationNumber;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::registry::Question;

/// What is encoded in a segment or a value: everything but what RFC 3986 leaves alone, and the colon, which the address service
/// expects as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// The URL below the base of what a receiver takes; none when a part cannot stand in a URL, and so names nobody.
pub(super) fn of_records(question: Question<'_>, print: bool) -> Option<String> {
    let receiver = segment(question.receiver)?;
    if question.who {
        return Some(format!("info/{receiver}"));
    }
    let mut url = format!("identifier/{receiver}");
    if let Some(process) = question.process {
        url.push_str("/process/");
        url.push_str(&segment(process)?);
    }
    let members = [
        question.security_level.map(|level| format!("securityLevel={level}")),
        question
            .conversation_id
            .map(|id| format!("conversationId={}", utf8_percent_encode(id, ENCODED))),
        (!print).then(|| "print=false".to_owned()),
    ];
    for (number, member) in members.into_iter().flatten().enumerate() {
        url.push(if number == 0 { '?' } else { '&' });
        url.push_str(&member);
    }
    Some(url)
}

/// The URL below the base of the certificate that is published for an organisation. Spec: service registry, 3.5.
pub(super) fn of_certificate(organisation: &OrganisationNumber) -> String {
    format!("virksert/{}", organisation.as_str())
}

/// A segment of a path. Dots alone would lead to another place, encoded or not.
fn segment(text: &str) -> Option<String> {
    (!matches!(text, "" | "." | "..")).then(|| utf8_percent_encode(text, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";

    fn records(question: Question<'_>, print: bool) -> String {
        of_records(question, print).unwrap()
    }

    #[test]
    fn the_members_of_a_question_stand_in_their_order() {
        let question = Question::about("910076787");
        assert_eq!(records(question, true), "identifier/910076787");
        assert_eq!(records(Question::who("910076787"), false), "info/910076787");
        let question = Question {
            security_level: Some(3),
            conversation_id: Some("c1"),
            ..question.in_process(PROCESS)
        };
        assert_eq!(
            records(question, true),
            format!("identifier/910076787/process/{PROCESS}?securityLevel=3&conversationId=c1")
        );
        let question = Question {
            security_level: None,
            ..question
        };
        assert_eq!(
            records(question, false),
            format!("identifier/910076787/process/{PROCESS}?conversationId=c1&print=false")
        );
    }

    #[test]
    fn nothing_in_a_receiver_leads_to_another_place() {
        let url = |receiver| of_records(Question::about(receiver), true);
        assert_eq!(
            url("0192:1/../x?y#z%2e").unwrap(),
            "identifier/0192:1%2F..%2Fx%3Fy%23z%252e"
        );
        assert_eq!(url("her-id:1234567").unwrap(), "identifier/her-id:1234567");
        for nobody in ["", ".", ".."] {
            assert_eq!(url(nobody), None);
        }
    }
}
