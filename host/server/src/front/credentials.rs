//! Name and password as they stand in a request. Spec: RFC 7617; messaging API, 1.2.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the caller says of itself.
pub(super) enum Given {
    /// Nothing, or something else than HTTP Basic.
    Nothing,
    /// HTTP Basic that cannot be read.
    Unreadable,
    /// Name and password.
    Basic(Credentials),
}

/// A name and a password, not looked at yet.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) password: Zeroizing<Vec<u8>>,
}

/// Reads `Authorization`. Two of them are as good as none that can be read: nobody knows which one a proxy looked at.
pub(super) fn given(headers: &HeaderMap) -> Given {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else {
        return Given::Nothing;
    };
    if all.next().is_some() {
        return Given::Unreadable;
    }
    let Some((scheme, encoded)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Given::Unreadable;
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Given::Nothing;
    }
    read(encoded.trim()).map_or(Given::Unreadable, Given::Basic)
}

fn read(encoded: &str) -> Option<Credentials> {
    let decoded = Zeroizing::new(BASE64.decode(encoded).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(Credentials {
        name: std::str::from_utf8(decoded.get(..colon)?).ok()?.to_owned(),
        password: Zeroizing::new(decoded.get(colon.saturating_add(1)..)?.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn basic(value: &str) -> Option<(String, Vec<u8>)> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
        match given(&headers) {
            Given::Basic(credentials) => Some((credentials.name, credentials.password.to_vec())),
            Given::Nothing | Given::Unreadable => None,
        }
    }

    #[test]
    fn name_and_password_are_read() {
        // The example of RFC 7617, 2.1: £ in UTF-8.
        let password = "123£".as_bytes().to_vec();
        assert_eq!(basic("Basic dGVzdDoxMjPCow=="), Some(("test".into(), password.clone())));
        assert_eq!(basic("bASIC  dGVzdDoxMjPCow"), Some(("test".into(), password)));
        let colons = format!("Basic {}", BASE64.encode("a:b:c"));
        assert_eq!(basic(&colons), Some(("a".into(), b"b:c".to_vec())));
        assert_eq!(basic("Basic Og=="), Some((String::new(), Vec::new())));
    }

    #[test]
    fn anything_else_is_nothing_or_unreadable() {
        let of = |values: &[&'static str]| {
            let values = values
                .iter()
                .map(|value| (AUTHORIZATION, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            values.for_each(|(name, value)| {
                headers.append(name, value);
            });
            given(&headers)
        };
        assert!(matches!(of(&[]), Given::Nothing));
        assert!(matches!(of(&["Bearer abc"]), Given::Nothing));
        for bad in ["Basic", "Basic !", "Basic YWJj", "Basic /zo=", ""] {
            assert!(matches!(of(&[bad]), Given::Unreadable), "{bad}");
        }
        assert!(matches!(of(&["Basic YTpi", "Basic YTpi"]), Given::Unreadable));
    }
}
