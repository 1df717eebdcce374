//! Identifiers as the SBD has them, and as Altinn wants them.

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
}
