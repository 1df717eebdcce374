//! An error with what caused it, in one line.

use std::error::Error;

/// The text of an error, then those of its causes, with colons between them.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the page cannot be read")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn each_cause_is_told_in_its_order() {
        let inner = "x".parse::<u8>().unwrap_err();
        assert_eq!(
            with_causes(&Outer(inner)),
            "the page cannot be read: invalid digit found in string"
        );
    }
}
