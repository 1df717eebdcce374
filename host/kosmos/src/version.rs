//! Versions, as vendors write them. Spec: KOSMOS, 6 and 11; sharp edge 6.

use semver::Version;

/// Characters of a version.
const LENGTH: usize = 100;

/// The version without a leading `v` or `V`: for comparisons. In names of files it stands as it was written.
pub fn bare(version: &str) -> &str {
    version.strip_prefix(['v', 'V']).unwrap_or(version)
}

/// Whether two versions are the same one.
pub fn same(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}

/// Whether a version can be part of a name of a file: it comes from outside, and must not lead anywhere.
pub fn is_harmless(version: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    !version.is_empty()
        && version.len() <= LENGTH
        && version.starts_with(|c: char| c.is_ascii_alphanumeric())
        && version.chars().all(harmless)
}

/// For an order; none when it is no semantic version.
pub fn parsed(version: &str) -> Option<Version> {
    Version::parse(bare(version)).ok()
}

/// The version in the name of a marker file: `-`, perhaps a `v`, three numbers, and what follows up to the next full stop. The `v` is
/// kept.
pub fn in_marker(stem: &str) -> Option<&str> {
    stem.match_indices('-').find_map(|(at, _)| {
        let text = &stem[at + 1..];
        let rest = bare(text);
        let mut parts = rest.splitn(3, '.');
        let number =
            |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let (major, minor, last) = (parts.next(), parts.next(), parts.next()?);
        let fits =
            number(major) && number(minor) && last.starts_with(|c: char| c.is_ascii_digit()) && !last.contains('.');
        fits.then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_v_makes_no_difference() {
        assert!(same("v4.0.8", "4.0.8") && same("V4.0.8", "v4.0.8") && !same("4.0.8", "4.0.9"));
        assert!(parsed("v4.1.0-beta") < parsed("4.1.0"));
        assert_eq!(parsed("4.1"), None);
    }

    #[test]
    fn what_leads_elsewhere_is_no_version() {
        for good in ["4.0.8", "v4.1.0-beta", "1.7.92-SNAPSHOT", "2026.1_2+3"] {
            assert!(is_harmless(good), "{good}");
        }
        for bad in ["", "../4.0.8", "4/0", ".4", "4 0", "-rf", "4\n", "4.0.8\u{e5}"] {
            assert!(!is_harmless(bad), "{bad}");
        }
        assert!(!is_harmless(&"4".repeat(101)));
    }

    #[test]
    fn the_version_of_a_marker_is_found() {
        for (stem, version) in [
            ("x-1", None),
            ("x-1.2", None),
            ("x-1.2.3", Some("1.2.3")),
            ("x-2.28.5", Some("2.28.5")),
            ("x-4.0.0-beta", Some("4.0.0-beta")),
            ("x-v4.0.1", Some("v4.0.1")),
            ("x-V4.1.0", Some("V4.1.0")),
            ("x-v4.2.1-beta", Some("v4.2.1-beta")),
            ("x-V4.3.0-rc", Some("V4.3.0-rc")),
            ("integrasjonspunkt--beta", None),
            ("", None),
        ] {
            assert_eq!(in_marker(stem), version, "{stem}");
        }
    }
}
