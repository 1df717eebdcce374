//! PEM blocks (RFC 7468), read leniently as to white space and text around the blocks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::CertificateError;

/// Longest PEM text accepted, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

/// One `BEGIN`/`END` block. May be a private key, so it is wiped when dropped.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
    /// Whether the block has RFC 1421 headers (`Proc-Type: 4,ENCRYPTED`).
    pub(crate) has_headers: bool,
}

pub(crate) fn blocks(text: &[u8]) -> Result<Vec<Block>, CertificateError> {
    if text.len() > MAX_TEXT {
        return Err(CertificateError::TooLarge);
    }
    let text = std::str::from_utf8(text).map_err(|_| CertificateError::Pem("not text"))?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN ") {
        rest = &rest[start + "-----BEGIN ".len()..];
        let label_end = rest
            .find("-----")
            .ok_or(CertificateError::Pem("a BEGIN line without its end"))?;
        let label = &rest[..label_end];
        if label.len() > 64 || label.contains('\n') {
            return Err(CertificateError::Pem("a BEGIN line without its end"));
        }
        rest = &rest[label_end + 5..];
        let end_mark = format!("-----END {label}-----");
        let end = rest
            .find(&end_mark)
            .ok_or(CertificateError::Pem("a block without its END line"))?;
        let mut base64 = Zeroizing::new(String::with_capacity(end));
        let mut has_headers = false;
        for line in rest[..end].lines() {
            if line.contains(':') {
                has_headers = true;
            } else {
                base64.extend(line.chars().filter(|c| !c.is_ascii_whitespace()));
            }
        }
        let der = Zeroizing::new(
            STANDARD
                .decode(base64.as_bytes())
                .map_err(|_| CertificateError::Pem("a block that is not base64"))?,
        );
        found.push(Block {
            label: label.to_owned(),
            der,
            has_headers,
        });
        rest = &rest[end + end_mark.len()..];
    }
    Ok(found)
}

pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
