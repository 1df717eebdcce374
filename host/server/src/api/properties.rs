//! The readers of requests, for any input.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;

use super::arriving::Arriving;
use super::disposition::Disposition;
use super::error::ApiResult;
use super::form_data::FormData;
use super::page;
use super::params::Params;
use super::statuses::SORTABLE;
use super::time;

/// The contents of a form that arrives cut at these places.
async fn contents(text: &[u8], cuts: &[usize]) -> ApiResult<Vec<Vec<u8>>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    let pieces: Vec<Result<Bytes, std::io::Error>> = places
        .windows(2)
        .map(|pair| Ok(Bytes::copy_from_slice(&text[pair[0]..pair[1]])))
        .collect();
    let body = Body::from_stream(futures::stream::iter(pieces));
    let content_type = HeaderValue::from_static("multipart/form-data; boundary=B");
    let arriving = Arriving::new(body, Duration::from_mins(1));
    let mut form = FormData::new(&content_type, arriving, u64::MAX)?;
    let mut contents = Vec::new();
    while form.next_part().await?.is_some() {
        let mut content = Vec::new();
        while let Some(piece) = form.piece().await? {
            content.extend_from_slice(&piece);
        }
        contents.push(content);
    }
    Ok(contents)
}

/// Content that is full of what looks like a boundary.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n--".to_vec()),
        Just(b"\r\n--A".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"--B".to_vec()),
        vec(any::<u8>(), 0..20),
    ];
    vec(piece, 0..12)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("holds the boundary", |content| {
            !content.windows(5).any(|window| window == b"\r\n--B")
        })
}

proptest! {
    #[test]
    fn a_form_is_the_same_however_the_network_cuts_it(parts in vec(content(), 0..5), cuts in vec(any::<usize>(), 0..40)) {
        let mut text = Vec::new();
        for part in &parts {
            text.extend_from_slice(b"--B\r\nX: y\r\n\r\n");
            text.extend_from_slice(part);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"--B--\r\n");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        prop_assert_eq!(runtime.block_on(contents(&text, &cuts)).unwrap(), parts);
    }

    #[test]
    fn what_a_query_says_is_what_is_read(pairs in vec((any::<String>(), any::<String>()), 0..8)) {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let params = Params::parse(&query.join("&"));
        for (name, _) in &pairs {
            let given: Vec<&str> = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
            prop_assert_eq!(params.all(name).collect::<Vec<_>>(), given);
        }
    }

    #[test]
    fn a_filter_is_read_or_refused_and_a_page_is_within_its_limits(name in "page|size|sort|id|finished|fromDateTime|serviceIdentifier", text in any::<String>()) {
        let query = format!("{name}={}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
        let params = Params::parse(&query);
        if let Ok(asked) = page::asked_for(&params, SORTABLE) {
            prop_assert!((1..=2000).contains(&asked.size));
        } else {
            prop_assert_eq!(name.as_str(), "sort");
        }
        for refused in [
            params.number::<i64>("id").err(),
            params.flag("finished").err(),
            params.time("fromDateTime").err(),
            params.service().err(),
        ].into_iter().flatten() {
            prop_assert_eq!(refused.status().as_u16(), 400);
        }
    }

    #[test]
    fn a_time_that_is_written_is_read_as_the_same(millis in -60_000_000_000_000i64..200_000_000_000_000) {
        prop_assert_eq!(time::read(&time::written(millis)), Some(millis));
    }

    #[test]
    fn a_day_has_23_to_25_hours(day in "20[0-9]{2}-[0-9]{2}-[0-9]{2}") {
        if let (Some(start), Some(end)) = (time::start_of_day(&day), time::end_of_day(&day)) {
            prop_assert!((23..=25).contains(&((end - start) / 3_600_000)));
            prop_assert!(time::written(start).starts_with(&day));
        }
    }

    #[test]
    fn a_name_comes_back_from_either_form_of_the_header(name in any::<String>()) {
        let quoted = format!("attachment; filename=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let extended = format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(&name, NON_ALPHANUMERIC));
        for header in [quoted, extended] {
            let read = Disposition::parse(header.as_bytes()).unwrap();
            prop_assert_eq!(read.filename.as_deref(), Some(name.as_str()), "{}", header);
        }
    }
}
