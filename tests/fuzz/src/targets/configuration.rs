//! The operator's TOML file: a slip of the pen is told by line, and breaks nothing.

use std::path::Path;

use budstikke::config::Config;

pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let path = Path::new("/etc/budstikke/budstikke.toml");
    match Config::parse(text, path) {
        Ok(config) => {
            let again = Config::parse(text, path).expect("it was right before");
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines = text.lines().count().max(1);
            for problem in &problems.0 {
                assert!(!problem.text.is_empty());
                assert!(
                    problem.line.is_none_or(|line| (1..=lines + 1).contains(&line)),
                    "{problem}"
                );
                assert!(problem.to_string().starts_with("/etc/budstikke/budstikke.toml"));
            }
        }
    }
}
