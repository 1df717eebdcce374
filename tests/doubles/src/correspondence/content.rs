//! What a letter says: title, summary, body, and the files that it announces (Spec: DPO and DPV, 4.7 and 4.8).

use super::form::{Faults, Form, characters};
use super::problem::{
    BODY_EMPTY, BODY_TOO_LONG, FILE_NAME_INVALID, FILE_NAME_MISSING, FILE_NAME_RESERVED, FILE_NAME_TOO_LONG, FILE_SIZE,
    FILE_TYPE, FILES_DIFFER, LANGUAGE, Problem, SENDER_NOT_PLAIN, SUMMARY_TOO_LONG, TITLE_EMPTY, TITLE_NOT_PLAIN,
    TITLE_TOO_LONG, TOO_MANY_FILES,
};

const LONGEST_LINE: usize = 255;
const LONGEST_BODY: usize = 30_000;
const LONGEST_REFERENCE: usize = 4096;
const MOST_FILES: usize = 100;

const FILE_TYPES: [&str; 20] = [
    "doc", "xls", "docx", "xlsx", "ppt", "pps", "zip", "pdf", "html", "txt", "xml", "jpg", "jpeg", "gif", "bmp", "png",
    "json", "csv", "dcm", "dicom",
];

/// Names that Windows keeps for devices, with any extension.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// An attachment as it is announced.
#[derive(Debug)]
pub(crate) struct Announced {
    name: String,
}

/// Reads what is announced; what is wrong in itself goes to the faults.
pub(crate) fn announced(form: &Form, faults: &mut Faults) -> Vec<Announced> {
    let field = |place: usize, member: &str| format!("correspondence.content.attachments[{place}].{member}");
    let there = |place: &usize| {
        ["fileName", "displayName", "isEncrypted", "sendersReference"]
            .iter()
            .any(|member| form.text(&field(*place, member)).is_some())
    };
    let mut all = Vec::new();
    for place in (0..).take_while(there) {
        form.optional(faults, &field(place, "displayName"), LONGEST_LINE);
        form.required(faults, &field(place, "sendersReference"), LONGEST_REFERENCE);
        form.flag(faults, &field(place, "isEncrypted"));
        all.push(Announced {
            name: form.text(&field(place, "fileName")).unwrap_or_default().to_owned(),
        });
    }
    all
}

/// Title, summary, body, language and the sender's name.
pub(crate) fn texts(form: &Form) -> Result<(), Problem> {
    let text = |member: &str| {
        form.text(&format!("correspondence.content.{member}"))
            .unwrap_or_default()
    };
    let title = text("messageTitle");
    if title.trim().is_empty() {
        return Err(TITLE_EMPTY.into());
    }
    if !is_plain(title) {
        return Err(TITLE_NOT_PLAIN.into());
    }
    if characters(title) > LONGEST_LINE {
        return Err(TITLE_TOO_LONG.into());
    }
    if characters(text("messageSummary")) > LONGEST_LINE {
        return Err(SUMMARY_TOO_LONG.into());
    }
    let body = text("messageBody");
    if body.is_empty() {
        return Err(BODY_EMPTY.into());
    }
    if characters(body) > LONGEST_BODY {
        return Err(BODY_TOO_LONG.into());
    }
    if !matches!(text("language").to_lowercase().as_str(), "" | "nb" | "nn" | "en") {
        return Err(LANGUAGE.into());
    }
    if !is_plain(form.text("correspondence.messageSender").unwrap_or_default()) {
        return Err(SENDER_NOT_PLAIN.into());
    }
    Ok(())
}

/// Names and types of the announced files, and that each came. Gives for each announced file the place of its part.
pub(crate) fn files(form: &Form, announced: &[Announced], max_file: u64) -> Result<Vec<usize>, Problem> {
    if announced.len() > MOST_FILES {
        return Err(TOO_MANY_FILES.into());
    }
    for attachment in announced {
        name(&attachment.name)?;
    }
    if announced.len() != form.files.len()
        || form
            .files
            .iter()
            .any(|file| !file.field.eq_ignore_ascii_case("attachments"))
    {
        return Err(FILES_DIFFER.into());
    }
    let mut taken = vec![false; form.files.len()];
    let mut places = Vec::with_capacity(announced.len());
    for (place, attachment) in announced.iter().enumerate() {
        let found = part_of(form, &attachment.name, place, &taken).ok_or(FILES_DIFFER)?;
        if let (Some(mark), Some(file)) = (taken.get_mut(found), form.files.get(found)) {
            *mark = true;
            if file.size == 0 || file.size > max_file {
                return Err(FILE_SIZE.into());
            }
        }
        places.push(found);
    }
    Ok(places)
}

/// The part at the same place if it has the name, else the only one that has.
fn part_of(form: &Form, name: &str, place: usize, taken: &[bool]) -> Option<usize> {
    let free = |place: &usize| taken.get(*place) == Some(&false);
    if form.files.get(place).is_some_and(|file| file.name == name) && free(&place) {
        return Some(place);
    }
    let mut named = form.files.iter().enumerate().filter(|(_, file)| file.name == name);
    match (named.next(), named.next()) {
        (Some((place, _)), None) => Some(place).filter(free),
        _ => None,
    }
}

fn name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() {
        return Err(FILE_NAME_MISSING.into());
    }
    if characters(name) > LONGEST_LINE {
        return Err(FILE_NAME_TOO_LONG.into());
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    if !extension.is_some_and(|extension| FILE_TYPES.contains(&extension.as_str())) {
        return Err(FILE_TYPE.into());
    }
    let invalid = |letter: char| letter.is_control() || "<>:\"/\\|?*".contains(letter);
    if name.contains(invalid) {
        return Err(FILE_NAME_INVALID.into());
    }
    let stem = name.split('.').next().unwrap_or_default().to_uppercase();
    let numbered = NUMBERED_DEVICES.iter().any(|device| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    });
    if numbered || DEVICES.contains(&stem.as_str()) {
        return Err(FILE_NAME_RESERVED.into());
    }
    Ok(())
}

/// Whether a text stays as it is when it is read as HTML and as Markdown: no tags and entities, no headings, quotations and
/// links. Altinn compares what its converters make of it; this is what they are known to change. Emphasis, lists and
/// backticks pass there.
fn is_plain(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or(' ');
    let tag = (0..letters.len()).any(|place| {
        at(place) == '<' && (at(place + 1).is_ascii_alphabetic() || matches!(at(place + 1), '/' | '!' | '?'))
    });
    let entity = text.split('&').skip(1).any(|rest| {
        let name = rest
            .split(';')
            .next()
            .filter(|name| name.len() < rest.len())
            .unwrap_or_default();
        let word = name.strip_prefix('#').unwrap_or(name);
        (1..=31).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let line = |line: &str| {
        let hashes = line.trim_start().chars().take_while(|letter| *letter == '#').count();
        let after = line.trim_start().get(hashes..).unwrap_or_default();
        let heading = (1..=6).contains(&hashes) && (after.is_empty() || after.starts_with([' ', '\t']));
        heading || line.trim_start().starts_with('>')
    };
    let link = text.split("](").skip(1).any(|rest| rest.contains(')')) && text.contains('[');
    !(tag || entity || link || text.lines().any(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_converter_would_change_is_not_plain() {
        for text in [
            "# Overskrift",
            "a <b>b</b>",
            "R&amp;D",
            "&#8212;",
            "[a](https://b.no)",
            "> sitat",
            "a\n## b",
            "<!-- a -->",
        ] {
            assert!(!is_plain(text), "{text}");
        }
        for text in [
            "Nye vinduer",
            "1. Vedtak",
            "Sak #404",
            "a < b & c > d",
            "*viktig* og _rask_",
            "`kode`",
            "R&D og; avtale",
            "#1",
            "[1] (2)",
            "",
            "Møte 3<4",
        ] {
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn names_are_windows_names_of_known_types() {
        for good in [
            "plan.pdf",
            "PLAN.PDF",
            "CONSOLE.txt",
            "COM0.txt",
            "COM10.txt",
            "søknad æøå.docx",
        ] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "plan",
            "plan.exe",
            "a:b.pdf",
            "a/b.pdf",
            "con.txt",
            "LPT1.pdf",
            "nul.a.txt",
            "a\u{1}.pdf",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name(&format!("{}.pdf", "a".repeat(251))).is_ok());
        assert!(name(&format!("{}.pdf", "a".repeat(252))).is_err());
    }
}
