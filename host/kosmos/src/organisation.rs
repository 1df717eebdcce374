//! Organisation numbers.

/// Nine digits, of which the last one is the control digit of the others (mod 11, weights 3 2 7 6 5 4 3 2). Spec: KOSMOS, 3.2.
pub fn is_organisation_number(text: &str) -> bool {
    const WEIGHTS: [u32; 9] = [3, 2, 7, 6, 5, 4, 3, 2, 1];
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits.is_some_and(|digits| {
        let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        digits.len() == WEIGHTS.len() && sum.is_multiple_of(11)
    })
}

/// The text with every run of eleven digits replaced: it can be the number of a person. Spec: KOSMOS, 14.
pub fn without_persons(text: &str) -> String {
    const DIGITS: usize = 11;
    let mut hidden = String::with_capacity(text.len());
    let mut run = String::new();
    let end = |run: &mut String, hidden: &mut String| {
        if run.len() == DIGITS {
            hidden.push_str("***********");
        } else {
            hidden.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() {
            run.push(c);
        } else {
            end(&mut run, &mut hidden);
            hidden.push(c);
        }
    }
    end(&mut run, &mut hidden);
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_digit_is_checked() {
        for good in ["991825827", "910076787", "987464291"] {
            assert!(is_organisation_number(good), "{good}");
        }
        for bad in ["991825828", "99182582", "9918258277", "99182582a", ""] {
            assert!(!is_organisation_number(bad), "{bad}");
        }
    }

    #[test]
    fn eleven_digits_are_hidden_and_other_numbers_are_not() {
        assert_eq!(
            without_persons("fnr 12345678901, orgnr 991825827, id 123456789012"),
            "fnr ***********, orgnr 991825827, id 123456789012"
        );
    }
}
