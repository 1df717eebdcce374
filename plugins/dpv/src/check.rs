//! What is refused before a message is accepted: what Altinn is certain to refuse, told to the fagsystem while it can mend it.
//!
//! Spec: DPO and DPV, 8, sharp edges 23, 24 and 28.

use budstikke_sdk::Failure;

use crate::content::{Content, whole};
use crate::host::{Host, Proposed};
use crate::message::{Body, Kind};
use crate::send::resource;
use crate::settings::Settings;
use crate::{files, form, identifier, notification};

/// Looks at a message: at what it says, and at its files once they are all there.
pub(crate) fn check<H: Host, M: Proposed<File = H::File>>(
    host: &H,
    settings: &Settings,
    draft: &M,
) -> Result<(), Failure> {
    let kind = Kind::of(&draft.message_type())?;
    if kind == Kind::Receipt {
        return Ok(());
    }
    identifier::recipient(&draft.receiver())?;
    let body = Body::read(kind, &draft.sbd()?)?;
    let wishes = body.wishes();
    notification::check(&wishes)?;
    form::check_due(&wishes)?;
    let Some(files) = draft.files() else {
        // How the receiver is reached is told when the message is created, and again when it is sent.
        resource(draft)?;
        return match kind {
            Kind::DigitalDpv => Content::digital(&body).map(drop),
            Kind::Arkivmelding | Kind::Receipt => Ok(()),
        };
    };
    let whole = whole(host, kind, &body, files)?;
    files::check(host, settings, &whole.attachments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, Letter, PERSON, arkivmelding, file, settings};

    fn refusal(letter: &Letter) -> Option<String> {
        let result = check(&Fake::default(), &settings(""), letter);
        result.err().map(|failure| failure.line().to_string())
    }

    #[test]
    fn a_good_message_passes_with_and_without_its_files() {
        for letter in [Letter::arkivmelding(), Letter::digital(), Letter::receipt()] {
            assert_eq!(refusal(&letter), None);
            letter.complete.set(false);
            assert_eq!(refusal(&letter), None);
        }
    }

    #[test]
    fn another_type_is_refused_at_once() {
        let letter = Letter {
            kind: "avtalt",
            ..Letter::arkivmelding()
        };
        letter.complete.set(false);
        assert!(refusal(&letter).unwrap().starts_with("message-type: "));
    }

    #[test]
    fn what_a_digital_message_says_is_looked_at_before_it_has_files() {
        for (body, code) in [
            (r#"{"tittel":"","sammendrag":"b"}"#, "title-empty"),
            (r##"{"tittel":"# a","sammendrag":"b"}"##, "title-not-plain-text"),
            (r#"{"tittel":"a","dpv":{"dagerTilSvarfrist":99999999}}"#, "due-date"),
        ] {
            let letter = Letter {
                body: body.to_owned(),
                ..Letter::digital()
            };
            letter.complete.set(false);
            assert!(refusal(&letter).unwrap().starts_with(code), "{body}");
        }
        let letter = Letter {
            body: format!(r#"{{"dpv":{{"varselTekst":"{}"}}}}"#, "a".repeat(2145)),
            ..Letter::arkivmelding()
        };
        letter.complete.set(false);
        assert!(refusal(&letter).unwrap().starts_with("notification-too-long"));
    }

    #[test]
    fn a_bad_file_is_named_if_it_would_go_to_altinn() {
        let with = |name: &str, named: &[&str]| Letter {
            files: vec![file("arkivmelding.xml", &arkivmelding("a", "", named)), file(name, "x")],
            ..Letter::arkivmelding()
        };
        let refused = refusal(&with("plan.pptx", &["plan.pptx"])).unwrap();
        assert!(refused.starts_with("file-type: the file `plan.pptx` "), "{refused}");
        assert_eq!(refusal(&with("plan.pptx", &["other.pdf"])), None);
        let digital = Letter {
            files: vec![file("con.txt", "x")],
            ..Letter::digital()
        };
        assert!(refusal(&digital).unwrap().starts_with("file-name: the file `con.txt` "));
    }

    #[test]
    fn a_title_in_arkivmelding_xml_is_looked_at_with_the_files() {
        let letter = Letter {
            files: vec![file(
                "arkivmelding.xml",
                &arkivmelding("<b>a</b>".replace('<', "&lt;").as_str(), "", &[]),
            )],
            ..Letter::arkivmelding()
        };
        assert!(refusal(&letter).unwrap().starts_with("title-not-plain-text: "));
        letter.complete.set(false);
        assert_eq!(refusal(&letter), None);
    }

    #[test]
    fn a_receiver_that_cannot_be_addressed_or_has_no_resource_is_refused() {
        let letter = Letter {
            receiver: "her-id:1",
            ..Letter::digital()
        };
        assert!(refusal(&letter).unwrap().starts_with("receiver: "));
        let letter = Letter {
            receiver: PERSON,
            resource: None,
            ..Letter::digital()
        };
        assert_eq!(refusal(&letter), None, "nobody says it once the files are there");
        letter.complete.set(false);
        let refused = refusal(&letter).unwrap();
        assert!(
            refused.starts_with("resource: ") && !refused.contains(PERSON),
            "{refused}"
        );
    }
}
