//! The keys of an issuer. Spec: RFC 7517.

use budstikke_message::jws::{KeySet, RsaKey};

/// Keys by their id.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(KeySet);

impl Keys {
    /// Reads a set. Keys of other kinds, and for other uses, are passed over; a set without any of ours is an error.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let keys = KeySet::read(json).map_err(|error| error.to_string())?.named();
        if keys.is_empty() {
            return Err("has no RSA key with a kid for RS256".into());
        }
        Ok(Self(keys))
    }

    /// The key with this id; without an id, the only one.
    pub(super) fn get(&self, id: Option<&str>) -> Option<&RsaKey> {
        self.0.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let set = r#"{"keys":[
            {"kty":"EC","kid":"ec","crv":"P-256"},
            {"kty":"RSA","kid":"enc","use":"enc","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"ps","alg":"PS256","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"good","use":"sig","alg":"RS256","n":"AAEAAQ","e":"AQAB"}]}"#;
        let keys = Keys::read(set.as_bytes()).unwrap();
        assert!(keys.get(Some("good")).is_some());
        assert_eq!(keys.get(Some("good")), keys.get(None));
        for other in ["ec", "enc", "ps", ""] {
            assert!(keys.get(Some(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn a_set_without_a_key_of_ours_is_an_error() {
        for wrong in [
            "",
            "{}",
            "{\"keys\":[]}",
            "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AQAB\"}]}",
        ] {
            assert!(Keys::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
