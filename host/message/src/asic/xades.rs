//! Digests from XAdES signatures, the variant of digital post. The XML signature value is not checked, as in Java.
//!
//! Spec: documents and packaging, 7.5 and 7.6.

use std::collections::HashMap;

use super::AsicError;
use super::manifest::{DSIG_NAMESPACE, Listed, parse_xml, sha256_digest};

/// The documents that a `signatures*.xml` refers to. `known` says which names the container has.
pub(super) fn read_signatures(
    file: &str,
    bytes: &[u8],
    known: impl Fn(&str) -> bool,
) -> Result<Vec<Listed>, AsicError> {
    let xml = parse_xml(file, bytes)?;
    let mimes: HashMap<&str, &str> = xml
        .descendants()
        .filter(|n| n.tag_name().name() == "DataObjectFormat")
        .filter_map(|n| {
            let target = n.attribute("ObjectReference")?.strip_prefix('#')?;
            let mime = n.children().find(|c| c.tag_name().name() == "MimeType")?.text()?;
            Some((target, mime))
        })
        .collect();
    let mut listed = Vec::new();
    let infos = xml
        .descendants()
        .filter(|n| n.has_tag_name((DSIG_NAMESPACE, "SignedInfo")));
    for reference in infos
        .flat_map(|n| n.children())
        .filter(|n| n.has_tag_name((DSIG_NAMESPACE, "Reference")))
    {
        let uri = reference.attribute("URI").unwrap_or_default();
        if uri.is_empty() || uri.starts_with('#') {
            continue;
        }
        // References are form-encoded while entries are raw. A name is taken as it stands where such an entry is.
        let name = if known(uri) { uri.to_owned() } else { form_decode(uri) };
        let digest = sha256_digest(file, &name, reference)?;
        let mime = reference
            .attribute("Id")
            .and_then(|id| mimes.get(id))
            .map(|m| (*m).to_owned());
        listed.push(Listed { name, mime, digest });
    }
    Ok(listed)
}

/// `+` to space, `%XX` to bytes; anything that does not decode to UTF-8 stays as it is.
fn form_decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()];
                let digit = |d: Option<u8>| {
                    d.and_then(|d| char::from(d).to_digit(16))
                        .and_then(|d| u8::try_from(d).ok())
                };
                let (Some(high), Some(low)) = (digit(digits[0]), digit(digits[1])) else {
                    return encoded.to_owned();
                };
                bytes.push(high << 4 | low);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| encoded.to_owned())
}
