//! What logs may hold of a fault, and whose fault it is.

use std::io;

use crate::asic::{AsicError, ZipError};
use crate::cms::CmsError;
use crate::x509::CertificateError;

const NAME: &str = "Ola Nordmann.pdf";

#[test]
fn texts_for_logs_hold_no_name_out_of_the_package() {
    let name = || NAME.to_owned();
    let zip = || {
        vec![
            ZipError::Unsupported {
                entry: name(),
                what: "encryption",
            },
            ZipError::Damaged(name()),
            ZipError::Duplicate(name()),
            ZipError::BadName(name()),
            ZipError::NoEntry(name()),
        ]
    };
    let mut faults: Vec<AsicError> = zip().into_iter().map(AsicError::Zip).collect();
    let wrapped = zip()
        .into_iter()
        .map(|e| ZipError::Io(io::Error::other(io::Error::from(e))));
    faults.extend(wrapped.map(AsicError::Zip));
    let certificate = || CmsError::Certificate(CertificateError::Malformed(name()));
    faults.extend([
        AsicError::UnknownMetadata(name()),
        AsicError::WrongDigestMethod {
            file: name(),
            algorithm: name(),
        },
        AsicError::FileNotVerified(name()),
        AsicError::DigestMismatch(name()),
        AsicError::SignatureNotVerified(name()),
        AsicError::InvalidSignature {
            file: name(),
            reason: CmsError::BadTag,
        },
        AsicError::InvalidSignature {
            file: String::new(),
            reason: certificate(),
        },
        AsicError::BadXml {
            file: name(),
            reason: name(),
        },
        AsicError::Signing(certificate()),
    ]);
    for fault in faults {
        assert!(
            fault.to_string().contains(NAME),
            "a test that would pass anyway: {fault}"
        );
        let text = fault.without_names();
        assert!(!text.contains("Nordmann") && text.len() > 15, "{text}");
    }
    let text = ZipError::Io(io::Error::other(CmsError::BadTag)).without_names();
    assert!(text.contains("wrong authentication tag"), "{text}");
    assert_eq!(ZipError::Truncated.without_names(), ZipError::Truncated.to_string());
}

#[test]
fn only_a_failing_stream_is_a_fault_of_this_installation() {
    let disk = || io::Error::from(io::ErrorKind::PermissionDenied);
    let local = [
        ZipError::Io(disk()),
        ZipError::Io(io::Error::other("the store is closed")),
        ZipError::Io(io::Error::other(disk())),
        ZipError::Io(io::Error::other(CmsError::Io(disk()))),
        ZipError::Io(io::Error::other(ZipError::Io(disk()))),
        ZipError::Io(io::Error::other(AsicError::Zip(ZipError::Io(disk())))),
    ];
    for error in local {
        assert!(error.is_io(), "{error:?}");
        assert!(AsicError::Zip(error).is_io());
    }
    let foreign = [
        ZipError::Truncated,
        ZipError::Malformed("x"),
        ZipError::Damaged("x".to_owned()),
        ZipError::from_io(CmsError::BadTag.into()),
        ZipError::from_io(CmsError::Truncated.into()),
        ZipError::Io(io::Error::other(CmsError::Io(CmsError::BadPadding.into()))),
        ZipError::Io(io::Error::other(io::Error::from(ZipError::Truncated))),
        ZipError::Io(io::Error::other(AsicError::NotSigned)),
    ];
    for error in foreign {
        assert!(!error.is_io(), "{error:?}");
        assert!(!AsicError::Zip(error).is_io());
    }
    let reason = CmsError::InvalidSignature;
    assert!(
        !AsicError::InvalidSignature {
            file: String::new(),
            reason
        }
        .is_io()
    );
    assert!(!AsicError::NotSigned.is_io());
    assert!(AsicError::Signing(CmsError::Io(disk())).is_io());
}
