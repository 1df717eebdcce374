//! A signature over a manifest. Input: the signature.

use budstikke_message::cms::verify_detached;
use budstikke_message::x509::Certificate;

/// What the seeds are signatures of.
const CONTENT: &[u8] = b"<ASiCManifest/>";

pub(super) fn check(input: &[u8]) {
    let Ok(signatures) = verify_detached(input, CONTENT) else {
        return;
    };
    assert!(!signatures.is_empty(), "accepted without a signer");
    for signature in &signatures {
        let again = Certificate::from_der(signature.signer.der()).expect("it was read before");
        assert!(again == signature.signer);
        assert!(
            signature
                .signing_time
                .is_none_or(|time| signature.signer.is_valid_at(time))
        );
    }
    assert!(
        verify_detached(input, b"<ASiCManifest />").is_err(),
        "accepted for other content"
    );
}
