//! The fail points of the program.

/// Its own list, so that a new one is noticed.
const SOURCE: &str = include_str!("../../../host/server/src/fail_point.rs");

/// Their names, in the order in which a message passes them. Empty when the list is not where it was.
pub fn fail_points() -> Vec<&'static str> {
    let list = SOURCE
        .split_once("NAMES")
        .and_then(|(_, rest)| rest.split_once("&[\n"))
        .and_then(|(_, rest)| rest.split_once("];"));
    list.map(|(names, _)| names.split('"').skip(1).step_by(2).collect())
        .unwrap_or_default()
}
