//! Texts of others, before they are repeated.

use super::Person;

/// Digits in a row from which on they could be a person number.
const PERSONAL: usize = 11;

/// The same text with stars for eleven digits or more in a row. Spec: service registry, 10 (8).
pub fn without_person_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        shown.push_str(if digits && run.len() >= PERSONAL {
            Person::MASK
        } else {
            run
        });
        rest = behind;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_person_number_is_hidden_and_nothing_else() {
        assert_eq!(
            without_person_numbers("0192:910076787, æ 1 12345678901"),
            "0192:910076787, æ 1 ***********"
        );
        assert_eq!(without_person_numbers("/a/05839012391/x"), "/a/***********/x");
        assert_eq!(
            without_person_numbers("fastlege-for:058390123919"),
            "fastlege-for:***********"
        );
        for same in ["", "0192:991825827", "her-id:1234567890", "æ1ø"] {
            assert_eq!(without_person_numbers(same), same);
        }
    }
}
