//! What Altinn takes as an attachment.

use budstikke_sdk::Failure;

use crate::host::Host;
use crate::plain_text::characters;
use crate::settings::Settings;

/// Attachments of one letter.
const MOST: usize = 100;

/// Characters of a name and of a title.
const LONGEST: usize = 255;

const FORBIDDEN: &str = "<>:\"/\\|?*";

/// Names that Windows keeps for devices, with any extension; the numbered ones with 1 to 9.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// Refuses what Altinn would refuse, with the name of the file.
///
/// Spec: DPO and DPV, 4.8; codes 1038, 2004, 2010 to 2013, 2021.
pub(crate) fn check<H: Host>(host: &H, settings: &Settings, files: &[H::File]) -> Result<(), Failure> {
    if files.len() > MOST {
        let text = format!(
            "the message has {} attachments; Altinn takes at most {MOST}",
            files.len()
        );
        return Err(Failure::permanent("too-many-files", text));
    }
    for file in files {
        let name = host.name(file);
        let refused = |code: &str, why: &str| Err(Failure::permanent(code, format!("the file `{name}` {why}")));
        if let Some(why) = wrong_name(&name) {
            return refused("file-name", why);
        }
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        if !extension.is_some_and(|extension| settings.file_types.contains(&extension)) {
            let known = settings.file_types.join(", ");
            return refused(
                "file-type",
                &format!("is of a type that Altinn does not take; it takes {known}"),
            );
        }
        if host.size(file) == Some(0) {
            return refused("file-empty", "is empty");
        }
        if characters(&host.title(file).unwrap_or_default()) > LONGEST {
            return refused("file-title", "has a title of more than 255 characters");
        }
    }
    Ok(())
}

fn wrong_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        return Some("has no name");
    }
    if characters(name) > LONGEST {
        return Some("has a name of more than 255 characters");
    }
    if name.contains(|letter: char| letter.is_control() || FORBIDDEN.contains(letter)) {
        return Some("has one of < > : \" / \\ | ? * or a control character in its name");
    }
    let stem = name.split('.').next().unwrap_or_default().to_uppercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    };
    let is_device = DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(|device| numbered(device));
    is_device.then_some("has a name that Windows keeps for a device")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, File, file, settings};

    fn code(name: &str) -> Option<String> {
        let result = check(&Fake::default(), &settings(""), &[file(name, "x")]);
        result.err().map(|failure| {
            assert!(failure.detail().contains(name), "{}", failure.detail());
            failure.code().unwrap().to_owned()
        })
    }

    #[test]
    fn a_name_must_be_one_that_windows_takes() {
        for name in [
            "",
            " ",
            "a:b.pdf",
            "a/b.pdf",
            "a\\b.pdf",
            "a?.pdf",
            "a\u{7}.pdf",
            "CON.pdf",
            "nul",
            "Lpt9.a.txt",
        ] {
            assert_eq!(code(name).as_deref(), Some("file-name"), "{name}");
        }
        assert_eq!(code(&format!("{}.pdf", "å".repeat(252))).as_deref(), Some("file-name"));
        for name in [
            "CONSOLE.txt",
            "COM0.txt",
            "COM10.txt",
            "søknad æøå.docx",
            "a.b.PDF",
            ".pdf",
        ] {
            assert_eq!(code(name), None, "{name}");
        }
        assert_eq!(code(&format!("{}.pdf", "å".repeat(251))), None);
    }

    #[test]
    fn the_type_must_be_one_that_altinn_takes_or_the_operator_says() {
        for name in ["plan", "plan.", "plan.pptx", "plan.odt", "plan.pdf.exe"] {
            assert_eq!(code(name).as_deref(), Some("file-type"), "{name}");
        }
        let other = settings(r#","file-types":["odt"]"#);
        assert!(check(&Fake::default(), &other, &[file("plan.ODT", "x")]).is_ok());
        assert!(check(&Fake::default(), &other, &[file("plan.pdf", "x")]).is_err());
    }

    #[test]
    fn an_empty_file_a_long_title_and_more_than_a_hundred_are_refused() {
        let refused = |files: &[File]| {
            let failure = check(&Fake::default(), &settings(""), files).unwrap_err();
            failure.code().unwrap().to_owned()
        };
        assert_eq!(refused(&[file("plan.pdf", "")]), "file-empty");
        let titled = File {
            title: Some("a".repeat(256)),
            ..file("plan.pdf", "x")
        };
        assert_eq!(refused(&[titled]), "file-title");
        let many: Vec<_> = (0..101).map(|number| file(&format!("{number}.pdf"), "x")).collect();
        assert_eq!(refused(&many), "too-many-files");
        assert!(check(&Fake::default(), &settings(""), &many[..100]).is_ok());
    }
}
