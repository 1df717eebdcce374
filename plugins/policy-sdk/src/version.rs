//! Versions as vendors write them.
//!
//! Since version 4 the vendor of the Java integrasjonspunkt writes a `v` in front. It belongs to file names and tags, and says
//! nothing about order.

use std::cmp::Ordering;

/// Without one `v` or `V` in front.
pub fn bare(version: &str) -> &str {
    version.strip_prefix(['v', 'V']).unwrap_or(version)
}

/// Whether two texts mean the same version.
pub fn same(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}

/// The number before the first dot; what is not a number there is no version. Spec: KOSMOS, 7.
pub fn major(version: &str) -> Result<u64, String> {
    let first = bare(version.trim()).split('.').next().unwrap_or_default();
    // Digits only: `parse` takes a plus sign too.
    if first.bytes().all(|digit| digit.is_ascii_digit())
        && let Ok(major) = first.parse()
    {
        return Ok(major);
    }
    Err(format!("Invalid version specifier encountered: `{version}`"))
}

/// A version with an order: that of Semantic Versioning, where `4.1.0-beta` comes before `4.1.0`, and what stands behind a `+` does
/// not count.
#[derive(Debug, Clone)]
pub struct Version(semver::Version);

impl Version {
    /// Reads a version; `4` and `4.1` mean `4.0.0` and `4.1.0`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = bare(text.trim());
        let end = bare.find(['-', '+']).unwrap_or(bare.len());
        let (numbers, rest) = bare.split_at(end);
        let missing = 2_usize.saturating_sub(numbers.matches('.').count());
        let whole = format!("{numbers}{}{rest}", ".0".repeat(missing));
        semver::Version::parse(&whole)
            .map(Self)
            .map_err(|error| format!("`{text}` is no version: {error}"))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

/// Whether `one` is a lower version than `other`. None when one of them has no order.
pub fn is_lower(one: &str, other: &str) -> Option<bool> {
    Some(Version::parse(one).ok()? < Version::parse(other).ok()?)
}

/// A version, or all versions that begin alike: `4.1.0`, `4.*`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Whether a version is one of those meant.
    pub fn matches(&self, version: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => bare(version).starts_with(bare(beginning)),
            None => same(&self.0, version),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let beginning = text.strip_suffix('*').unwrap_or(&text);
        // A star takes whole parts: with `4.1*`, 4.10 would be meant too.
        let whole = beginning.len() == text.len() || beginning.is_empty() || beginning.ends_with('.');
        if text.trim().is_empty() || text.trim() != text || !whole || beginning.contains('*') {
            return Err(format!(
                "`{text}` is no version; write one like `4.1.0`, or the beginning like `4.*`"
            ));
        }
        Ok(Self(text))
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_v_in_front_is_not_part_of_a_version() {
        assert_eq!(
            (bare("v4.0.8"), bare("V4.1.0"), bare("4.1.0")),
            ("4.0.8", "4.1.0", "4.1.0")
        );
        assert_eq!(bare("vv4"), "v4");
        assert!(same("v4.0.8", "4.0.8") && same("V4", "v4") && !same("4.0.8", "4.0.8-beta"));
    }

    #[test]
    fn the_major_version_is_the_number_before_the_first_dot() {
        for (text, number) in [
            ("4", 4),
            ("4.1.0", 4),
            ("v4.0.8", 4),
            ("2.0.0-SNAPSHOT", 2),
            (" 10.2 ", 10),
        ] {
            assert_eq!(major(text), Ok(number), "{text}");
        }
        for text in ["beta", "", "v", "4-beta", "+4", "-1", ".4", "99999999999999999999"] {
            let error = major(text).unwrap_err();
            assert!(error.starts_with("Invalid version specifier encountered"), "{error}");
        }
    }

    #[test]
    fn versions_have_the_order_of_semantic_versioning() {
        let order = [
            "1.7.92-SNAPSHOT",
            "1.7.92",
            "2.2.1",
            "v4.0.8",
            "4.0.10",
            "4.1.0-beta",
            "V4.1.0-rc",
            "4.1",
            "5",
        ];
        for pair in order.windows(2) {
            assert_eq!(is_lower(pair[0], pair[1]), Some(true), "{pair:?}");
            assert_eq!(is_lower(pair[1], pair[0]), Some(false), "{pair:?}");
        }
        assert_eq!(
            Version::parse("4.1").unwrap(),
            Version::parse("v4.1.0+build.7").unwrap()
        );
    }

    #[test]
    fn what_has_no_order_is_not_compared() {
        for text in ["beta", "4.0.8.1", "4..1", "", "04.1.0"] {
            assert_eq!(is_lower(text, "4.0.8"), None, "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_whole_parts() {
        let pattern = |text: &str| Pattern::try_from(text.to_owned());
        let four = pattern("4.*").unwrap();
        assert!(four.matches("v4.0.8") && four.matches("4.1.0-beta") && !four.matches("40.1") && !four.matches("5.0"));
        assert!(pattern("v4.1.*").unwrap().matches("4.1.7"));
        assert!(pattern("*").unwrap().matches("anything"));
        assert!(pattern("V4.0.8").unwrap().matches("v4.0.8") && !pattern("4.0").unwrap().matches("4.0.8"));
        for text in ["", " ", "4*", "4.1*", "*.1", "**", " 4.1.0"] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }
}
