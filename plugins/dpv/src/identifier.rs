//! Identifiers as the SBD has them, and as Altinn wants them.

use std::borrow::Cow;

use budstikke_sdk::Failure;

/// Digits of a person number.
const PERSON: usize = 11;
/// Digits of an organisation number.
const ORGANISATION: usize = 9;

/// The number of the organisation or person: `0192:991825827:987464291` has `991825827`, `15847010042` is one itself.
pub(crate) fn primary(identifier: &str) -> &str {
    identifier.split(':').nth(1).unwrap_or(identifier)
}

/// Who acts: the part if there is one, else the primary number.
pub(crate) fn part_or_primary(identifier: &str) -> &str {
    identifier.split(':').nth(2).unwrap_or_else(|| primary(identifier))
}

/// The recipient as Altinn wants it. A person's number may stand behind `0192:` too.
///
/// Spec: DPO and DPV, 4.4.
pub(crate) fn recipient(identifier: &str) -> Result<String, Failure> {
    let number = primary(identifier);
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    match number.len() {
        PERSON if digits => Ok(format!("urn:altinn:person:identifier-no:{number}")),
        ORGANISATION if digits => Ok(format!("urn:altinn:organization:identifier-no:{number}")),
        _ => Err(Failure::permanent(
            "receiver",
            "the receiver is neither an organisation (9 digits) nor a person (11 digits)",
        )),
    }
}

/// The text with `…` for each run of eleven digits or more: Altinn names persons in its errors.
pub(crate) fn without_persons(text: &str) -> Cow<'_, str> {
    let runs = text.split(|letter: char| !letter.is_ascii_digit());
    if runs.clone().all(|run| run.len() < PERSON) {
        return Cow::Borrowed(text);
    }
    let hidden = runs.filter(|run| run.len() >= PERSON);
    // The longest first, so that none is found inside another.
    let mut hidden: Vec<&str> = hidden.collect();
    hidden.sort_by_key(|run| std::cmp::Reverse(run.len()));
    Cow::Owned(
        hidden
            .into_iter()
            .fold(text.to_owned(), |text, run| text.replace(run, "…")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_acts_for_its_organisation() {
        assert_eq!(primary("0192:991825827:987464291"), "991825827");
        assert_eq!(part_or_primary("0192:991825827:987464291"), "987464291");
        assert_eq!(part_or_primary("0192:991825827"), "991825827");
        assert_eq!(primary("15847010042"), "15847010042");
    }

    #[test]
    fn t16_eleven_digits_are_a_person() {
        for person in ["15847010042", "0192:15847010042"] {
            assert_eq!(
                recipient(person).unwrap(),
                "urn:altinn:person:identifier-no:15847010042"
            );
        }
        for organisation in ["0192:910076787", "0192:910076787:1", "910076787"] {
            assert_eq!(
                recipient(organisation).unwrap(),
                "urn:altinn:organization:identifier-no:910076787"
            );
        }
        for other in ["", "0192:91007678", "0192:91007678x", "her-id:12345"] {
            assert_eq!(recipient(other).unwrap_err().code(), Some("receiver"), "{other}");
        }
    }

    #[test]
    fn persons_do_not_reach_a_text() {
        assert_eq!(without_persons("for 15847010042 and 0158470100421."), "for … and ….");
        assert_eq!(
            without_persons("991825827, 2026-03-25T12:38:23.1234567"),
            "991825827, 2026-03-25T12:38:23.1234567"
        );
    }
}
