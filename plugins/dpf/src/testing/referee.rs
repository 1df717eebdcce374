//! `xmllint` says whether what we write is what its schema wants.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `xmllint` has against a document; none: it validates. `schema` is a file of `schemas`.
pub(crate) fn invalid(schema: &str, xml: &str) -> Option<String> {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testing/schemas");
    let mut xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schemas.join(schema))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint is missing: cargo xtask test installs it");
    let mut input = xmllint.stdin.take().unwrap();
    input.write_all(xml.as_bytes()).unwrap();
    drop(input);
    let judged = xmllint.wait_with_output().unwrap();
    (!judged.status.success()).then(|| format!("{}\n{xml}", String::from_utf8_lossy(&judged.stderr)))
}

/// The request in the body of a SOAP envelope.
pub(crate) fn in_envelope(posted: &str) -> &str {
    let begin = posted.find("<soap:Body>").unwrap() + "<soap:Body>".len();
    let end = posted.find("</soap:Body>").unwrap();
    &posted[begin..end]
}
