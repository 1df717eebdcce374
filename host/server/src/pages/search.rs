//! What people write into the search box: words, `&&` and `||`. Spec: messaging API, 2.

/// Longest text, in characters.
pub(super) const MAX_TEXT: usize = 200;
/// Most words.
const MAX_WORDS: usize = 10;

/// Reads a text as a list of alternatives, each a list of words that must all be found. `&&` binds tighter than `||`; what
/// stands between them is looked for as it is, blanks included. The error says what is wrong.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<String>>, String> {
    if text.chars().count() > MAX_TEXT {
        return Err(format!("The search can be at most {MAX_TEXT} characters long."));
    }
    let words = |alternative: &str| -> Vec<String> {
        let words = alternative.split("&&").map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let any: Vec<Vec<String>> = text.split("||").map(words).filter(|all| !all.is_empty()).collect();
    if any.iter().map(Vec::len).sum::<usize>() > MAX_WORDS {
        return Err(format!("The search can have at most {MAX_WORDS} words."));
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_tighter_than_or() {
        let list = |words: &[&[&str]]| -> Vec<Vec<String>> {
            let all = |all: &&[&str]| all.iter().map(|word| (*word).to_owned()).collect();
            words.iter().map(all).collect()
        };
        assert_eq!(parse("a && b || c").unwrap(), list(&[&["a", "b"], &["c"]]));
        assert_eq!(parse(" Svar på søknad ").unwrap(), list(&[&["Svar på søknad"]]));
        assert_eq!(parse("a & b | c").unwrap(), list(&[&["a & b | c"]]));
    }

    #[test]
    fn what_is_empty_asks_for_nothing() {
        for text in ["", "  ", "&&", "||", " && || && "] {
            assert!(parse(text).unwrap().is_empty(), "{text}");
        }
        assert_eq!(parse("a || ").unwrap(), [["a"]]);
    }

    #[test]
    fn a_search_has_its_limits() {
        assert!(parse(&"x".repeat(201)).is_err());
        assert!(parse(&"å".repeat(200)).is_ok());
        assert!(parse(&"a||".repeat(11)).is_err());
    }
}
