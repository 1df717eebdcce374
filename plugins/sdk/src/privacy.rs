//! What must not reach a log, a failure or a status.

/// Digits of a person number.
const PERSON: usize = 11;

/// The text with `…` for each run of eleven digits, which a person number would be: services repeat in their errors what they were told.
pub fn without_person_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (run, after) = digits.split_at(length);
        shown.push_str(before);
        shown.push_str(if length == PERSON { "…" } else { run });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn person_numbers_are_hidden_and_other_numbers_are_not() {
        for (text, shown) in [
            ("fnr 05839012391, 991825827 12345678901", "fnr …, 991825827 …"),
            ("for 15847010042.", "for …."),
            ("15847010042å05839012391", "…å…"),
            ("2026-03-25T12:38:23.1234567", "2026-03-25T12:38:23.1234567"),
            (r#"{"timestamp":1760000000000}"#, r#"{"timestamp":1760000000000}"#),
            ("", ""),
        ] {
            assert_eq!(without_person_numbers(text), shown);
        }
    }
}
