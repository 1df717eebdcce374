//! What Altinn takes for plain text, and how it counts.

/// Characters as Altinn counts them: in UTF-16.
pub(crate) fn characters(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most so many characters; what is over becomes `…`, after a word where there is one.
pub(crate) fn fitted(text: &str, most: usize) -> String {
    if characters(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let end = text
        .char_indices()
        .find(|(_, letter)| match room.checked_sub(letter.len_utf16()) {
            Some(left) => {
                room = left;
                false
            }
            None => true,
        });
    let (kept, rest) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    let kept = match kept.rsplit_once(char::is_whitespace) {
        Some((words, _)) if !rest.starts_with(char::is_whitespace) && !words.trim().is_empty() => words,
        _ => kept,
    };
    format!("{}…", kept.trim_end())
}

/// What keeps a text from being plain. Altinn turns it from HTML into Markdown and back into text, and wants what it had. This
/// finds what is certain to be lost on that way; emphasis, lists and backticks are let through there.
///
/// Spec: DPO and DPV, 4.7, code 1002.
pub(crate) fn markup(text: &str) -> Option<&'static str> {
    if has_tag(text) {
        Some("an HTML tag")
    } else if has_entity(text) {
        Some("an HTML entity")
    } else if has_link(text) {
        Some("a Markdown link")
    } else {
        text.lines().find_map(line_markup)
    }
}

/// `<` alone is a sign; before a letter, `/`, `!` or `?` it begins a tag.
fn has_tag(text: &str) -> bool {
    let begins = |rest: &str| {
        let next = rest.chars().next();
        next.is_some_and(|letter| letter.is_ascii_alphabetic() || matches!(letter, '/' | '!' | '?'))
    };
    text.split('<').skip(1).any(begins)
}

/// `&amp;`, `&#8212;`: at most 31 letters and digits, as the longest name that HTML has.
fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let Some((name, _)) = rest.split_once(';') else {
            return false;
        };
        let name = name.strip_prefix('#').unwrap_or(name);
        (1..=31).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// `[text](target)`.
fn has_link(text: &str) -> bool {
    text.split_once('[').is_some_and(|(_, rest)| {
        let target = rest.split_once("](").map(|(_, target)| target);
        target.is_some_and(|target| target.contains(')'))
    })
}

fn line_markup(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    if line.starts_with('>') {
        return Some("a Markdown quotation");
    }
    let rest = line.trim_start_matches('#');
    let heading = (1..=6).contains(&(line.len() - rest.len())) && (rest.is_empty() || rest.starts_with([' ', '\t']));
    heading.then_some("a Markdown heading")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_what_altinn_would_lose() {
        for text in [
            "# Vedtak",
            "a\n## b",
            "#",
            "> sitat",
            "<b>a</b>",
            "a <br/> b",
            "</p",
            "<!-- a -->",
            "R&amp;D",
            "&#8212;",
            "se [her](https://a.no)",
        ] {
            assert!(markup(text).is_some(), "{text}");
        }
        for text in [
            "Nye vinduer",
            "Sak #404",
            "#404",
            "####### a",
            "1. Vedtak",
            "*viktig* _rask_",
            "`kode`",
            "a < b > c",
            "3<4",
            "Vann & avløp; kart",
            "[1] (2)",
            "R&D",
            "->",
            "",
        ] {
            assert_eq!(markup(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_ends_after_a_word() {
        assert_eq!(fitted("kort", 4), "kort");
        assert_eq!(fitted("et to tre fire", 12), "et to tre…");
        assert_eq!(fitted("et to tre fire", 10), "et to tre…");
        assert_eq!(fitted("etlangtord", 5), "etla…");
        assert_eq!(fitted("😀😀😀", 4), "😀…", "a pair is not cut");
        for most in 1..40 {
            assert!(characters(&fitted("et 😀 to tre å æ ø 😀😀 fire fem seks", most)) <= most);
        }
    }
}
