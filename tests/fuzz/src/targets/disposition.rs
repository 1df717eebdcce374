//! Content-Disposition as clients write it.

use std::fmt::Write as _;

use budstikke::api::fuzzing::disposition;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) fn check(input: &[u8]) {
    let (name, filename) = match disposition(input) {
        Ok(read) => read,
        Err(reason) => return assert!(!reason.is_empty()),
    };
    let given = [("name", &name), ("filename", &filename)];
    let (mut quoted, mut extended) = (String::from("attachment"), String::from("attachment"));
    for (parameter, value) in given
        .into_iter()
        .filter_map(|(parameter, value)| Some((parameter, value.as_ref()?)))
    {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        write!(quoted, "; {parameter}=\"{escaped}\"").unwrap();
        let encoded = utf8_percent_encode(value, NON_ALPHANUMERIC);
        write!(extended, ";{parameter}*=utf-8''{encoded}").unwrap();
    }
    let read = (name, filename);
    assert_eq!(disposition(quoted.as_bytes()).as_ref(), Ok(&read), "{quoted}");
    assert_eq!(disposition(extended.as_bytes()).as_ref(), Ok(&read), "{extended}");
}
