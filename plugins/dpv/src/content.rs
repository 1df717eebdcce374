//! The texts and attachments of a letter.
//!
//! Spec: DPO and DPV, 4.4.

use std::collections::BTreeSet;

use budstikke_sdk::Failure;
use budstikke_sdk::arkivmelding::{Arkivmelding, FILE_NAME, MAX_BYTES};

use crate::host::Host;
use crate::message::{Body, Kind, given};
use crate::plain_text::{characters, fitted, markup};

/// Characters of a title and of a summary.
const LONGEST_LINE: usize = 255;

/// Characters of a body.
const LONGEST_BODY: usize = 30_000;

/// What a body says when the sender wrote none.
const NO_CONTENT: &str = "Ingen innhold";

/// What the receiver reads.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) title: String,
    /// At most 255 characters; none: the sender wrote none.
    pub(crate) summary: Option<String>,
    pub(crate) body: String,
}

impl Content {
    /// The texts of a `digital_dpv`. Altinn would refuse the rest, so a permanent failure names the member.
    pub(crate) fn digital(body: &Body) -> Result<Self, Failure> {
        let content = Self {
            title: body.tittel.clone().unwrap_or_default(),
            summary: given(body.sammendrag.as_ref()).map(|text| fitted(text, LONGEST_LINE)),
            body: given(body.innhold.as_ref()).unwrap_or(NO_CONTENT).to_owned(),
        };
        content.check("digital_dpv.tittel", "digital_dpv.innhold")?;
        Ok(content)
    }

    /// The texts of an arkivmelding. An empty offentligTittel counts as none.
    pub(crate) fn archived(arkivmelding: &Arkivmelding) -> Result<Self, Failure> {
        let title = arkivmelding.title().unwrap_or_default();
        let full = given(arkivmelding.journalpost.title.as_ref()).unwrap_or(title);
        let content = Self {
            title: title.to_owned(),
            summary: Some(fitted(title, LONGEST_LINE)),
            body: full.to_owned(),
        };
        let public = "the offentligTittel of the journalpost in arkivmelding.xml, or its tittel without one,";
        content.check(public, "the tittel of the journalpost in arkivmelding.xml")?;
        Ok(content)
    }

    /// Codes 1002, 1020, 1022 and 1037 of Altinn.
    fn check(&self, title: &str, body: &str) -> Result<(), Failure> {
        if self.title.trim().is_empty() {
            return Err(Failure::permanent("title-empty", format!("{title} is empty")));
        }
        if characters(&self.title) > LONGEST_LINE {
            let text = format!("{title} has more than {LONGEST_LINE} characters");
            return Err(Failure::permanent("title-too-long", text));
        }
        if let Some(what) = markup(&self.title) {
            let text = format!("{title} has {what} in it; Altinn takes plain text");
            return Err(Failure::permanent("title-not-plain-text", text));
        }
        if characters(&self.body) > LONGEST_BODY {
            let text = format!("{body} has more than {LONGEST_BODY} characters");
            return Err(Failure::permanent("body-too-long", text));
        }
        Ok(())
    }
}

/// A message with its files, sorted.
pub(crate) struct Whole<F> {
    pub(crate) content: Content,
    pub(crate) attachments: Vec<F>,
    /// Files besides `arkivmelding.xml` that it does not name.
    pub(crate) left_out: usize,
}

/// The texts and attachments of a message with its files.
pub(crate) fn whole<H: Host>(
    host: &H,
    kind: Kind,
    body: &Body,
    files: Vec<H::File>,
) -> Result<Whole<H::File>, Failure> {
    if kind != Kind::Arkivmelding {
        return Ok(Whole {
            content: Content::digital(body)?,
            attachments: files,
            left_out: 0,
        });
    }
    let description = files.iter().find(|file| host.name(file) == FILE_NAME);
    let description = description.ok_or_else(|| {
        Failure::permanent(
            "arkivmelding",
            "an arkivmelding over DPV needs the file arkivmelding.xml",
        )
    })?;
    let arkivmelding = Arkivmelding::read(&host.read(description, MAX_BYTES)?)?;
    let named: BTreeSet<&str> = arkivmelding.files().filter(|name| *name != FILE_NAME).collect();
    let (attachments, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .filter(|file| host.name(file) != FILE_NAME)
        .partition(|file| named.contains(host.name(file).as_str()));
    Ok(Whole {
        content: Content::archived(&arkivmelding)?,
        attachments,
        left_out: others.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, arkivmelding, file};

    fn digital(json: &str) -> Result<Content, Failure> {
        let sbd = format!(r#"{{"digital_dpv":{json}}}"#);
        Content::digital(&Body::read(Kind::DigitalDpv, sbd.as_bytes())?)
    }

    fn archived(xml: &str) -> Result<(Content, Vec<String>), Failure> {
        let host = Fake::default();
        let files = vec![
            file("arkivmelding.xml", xml),
            file("plan.pdf", "x"),
            file("kart.png", "y"),
            file("b.txt", "z"),
        ];
        let whole = whole(&host, Kind::Arkivmelding, &Body::default(), files)?;
        let names = whole.attachments.into_iter().map(|file| file.name).collect();
        Ok((whole.content, names))
    }

    #[test]
    fn t16_an_empty_innhold_is_said_to_be_none() {
        for json in [
            r#"{"tittel":"a","sammendrag":"b","innhold":null}"#,
            r#"{"tittel":"a","sammendrag":"b","innhold":""}"#,
            r#"{"tittel":"a","sammendrag":"b","innhold":" \n"}"#,
            r#"{"tittel":"a","sammendrag":"b"}"#,
        ] {
            assert_eq!(digital(json).unwrap().body, "Ingen innhold", "{json}");
        }
        let content = digital(r#"{"tittel":"a","sammendrag":"b","innhold":"c"}"#).unwrap();
        assert_eq!(
            (
                content.title.as_str(),
                content.summary.as_deref(),
                content.body.as_str()
            ),
            ("a", Some("b"), "c")
        );
        assert_eq!(digital(r#"{"tittel":"a","sammendrag":null}"#).unwrap().summary, None);
    }

    #[test]
    fn t16_an_absent_or_empty_offentlig_tittel_leaves_the_tittel() {
        for public in [
            "",
            "<offentligTittel></offentligTittel>",
            "<offentligTittel> </offentligTittel>",
        ] {
            let (content, _) = archived(&arkivmelding("Nye vinduer", public, &[])).unwrap();
            assert_eq!(content.title, "Nye vinduer", "{public}");
            assert_eq!(content.summary.as_deref(), Some("Nye vinduer"));
        }
        let public = "<offentligTittel>Nye *****</offentligTittel>";
        let (content, _) = archived(&arkivmelding("Nye vinduer", public, &[])).unwrap();
        assert_eq!(
            (content.title.as_str(), content.body.as_str()),
            ("Nye *****", "Nye vinduer")
        );
    }

    #[test]
    fn the_files_that_the_journalpost_names_go_along_in_the_order_of_the_message() {
        let xml = arkivmelding("a", "", &["kart.png", "arkivmelding.xml", "plan.pdf", "absent.pdf"]);
        assert_eq!(archived(&xml).unwrap().1, ["plan.pdf", "kart.png"]);
    }

    #[test]
    fn a_title_that_altinn_would_refuse_is_refused_by_its_name() {
        let long = "a".repeat(256);
        for (title, code) in [
            ("", "title-empty"),
            (" ", "title-empty"),
            (&long, "title-too-long"),
            ("# a", "title-not-plain-text"),
        ] {
            let failure = digital(&format!(r#"{{"tittel":"{title}"}}"#)).err().unwrap();
            assert_eq!(failure.code(), Some(code));
            assert!(
                failure.detail().starts_with("digital_dpv.tittel "),
                "{}",
                failure.detail()
            );
            let failure = archived(&arkivmelding(title, "", &[])).err().unwrap();
            assert_eq!(failure.code(), Some(code));
            assert!(failure.detail().contains("arkivmelding.xml"));
        }
        assert!(digital(&format!(r#"{{"tittel":"{}"}}"#, "å".repeat(255))).is_ok());
    }

    #[test]
    fn a_long_summary_is_made_to_fit_and_a_long_body_is_refused() {
        let content = digital(&format!(r#"{{"tittel":"a","sammendrag":"{}"}}"#, "ord ".repeat(100))).unwrap();
        let summary = content.summary.unwrap();
        assert!(characters(&summary) <= 255 && summary.ends_with("ord…"), "{summary}");
        let body = |count| format!(r#"{{"tittel":"a","innhold":"{}"}}"#, "b".repeat(count));
        assert!(digital(&body(30_000)).is_ok());
        assert_eq!(digital(&body(30_001)).err().unwrap().code(), Some("body-too-long"));
    }

    #[test]
    fn an_arkivmelding_needs_its_file_and_a_broken_one_is_not_shown() {
        let host = Fake::default();
        let failure = whole(&host, Kind::Arkivmelding, &Body::default(), vec![file("plan.pdf", "x")])
            .err()
            .unwrap();
        assert_eq!(failure.code(), Some("arkivmelding"));
        let failure = archived("<arkivmelding><hemmelig").err().unwrap();
        assert_eq!(failure.code(), Some("arkivmelding"));
        assert!(!failure.detail().contains("hemmelig"));
    }
}
