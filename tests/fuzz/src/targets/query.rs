//! The query of any request.

use std::fmt::Write as _;

use budstikke::api::fuzzing::{query, time_written};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let asked = match query(&text) {
        Ok(asked) => asked,
        Err(status) => return assert_eq!(status, 400),
    };
    assert!((1..=2000).contains(&asked.size));
    assert!(asked.sort.len() <= 20);

    // What was understood, written anew, is understood the same.
    let mut again = format!("page={}&size={}", asked.page, asked.size);
    let from = asked.from.map(time_written);
    let id = asked.id.map(|id| id.to_string());
    let finished = asked.finished.map(|finished| finished.to_string());
    for (name, value) in [
        ("messageId", asked.message_id.as_ref()),
        ("serviceIdentifier", asked.service.as_ref()),
        ("fromDateTime", from.as_ref()),
        ("id", id.as_ref()),
        ("finished", finished.as_ref()),
    ] {
        if let Some(value) = value {
            write!(again, "&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)).unwrap();
        }
    }
    let mut read = query(&again).expect("what is written can be read");
    read.sort.clone_from(&asked.sort);
    assert_eq!(read, asked, "{again}");
}
