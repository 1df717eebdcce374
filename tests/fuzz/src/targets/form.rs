//! multipart/form-data, however the network cuts it. Input: the Content-Type, a line break, the body.

use std::sync::LazyLock;

use budstikke::api::fuzzing::{Part, form};
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use crate::bytes::split;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());

pub(super) fn check(input: &[u8]) {
    let (content_type, body) = split(input, b'\n');
    let Some(whole) = read(content_type, body, body.len(), u64::MAX) else {
        return;
    };
    for step in [1, 2, 7, 64] {
        let cut = read(content_type, body, step, u64::MAX);
        assert_eq!(cut.as_ref(), Some(&whole), "in pieces of {step}");
    }
    let limit = body.len() as u64 / 2;
    if let Some(Ok(parts)) = read(content_type, body, 1, limit) {
        assert!(size(&parts) <= limit, "a limit of {limit} bytes was passed");
    }
    match whole {
        Err(status) => assert_eq!(status, 400),
        Ok(parts) => {
            assert!(size(&parts) <= body.len() as u64);
            assert!(parts.iter().all(|part| part.headers.len() <= 32));
            if let Some(boundary) = plain_boundary(content_type) {
                let written = written(boundary, &parts);
                assert_eq!(read(content_type, &written, 5, u64::MAX), Some(Ok(parts)));
            }
        }
    }
}

fn read(content_type: &[u8], body: &[u8], step: usize, limit: u64) -> Option<Result<Vec<Part>, u16>> {
    let pieces = body.chunks(step.max(1)).map(Bytes::copy_from_slice).collect();
    RUNTIME.block_on(form(content_type, pieces, limit))
}

/// Bytes of all contents.
fn size(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.content.len() as u64).sum()
}

/// The boundary where the header has nothing else.
fn plain_boundary(content_type: &[u8]) -> Option<&str> {
    let boundary = std::str::from_utf8(content_type)
        .ok()?
        .strip_prefix("multipart/form-data; boundary=")?;
    boundary
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then_some(boundary)
}

/// A form of these parts and nothing else.
fn written(boundary: &str, parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}").as_bytes());
        for (name, value) in &part.headers {
            body.extend_from_slice(format!("\r\n{name}: ").as_bytes());
            body.extend_from_slice(value);
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--").as_bytes());
    body
}
