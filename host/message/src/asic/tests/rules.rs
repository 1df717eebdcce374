//! Every rule by which a container is accepted or refused.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::container::{check, raw};
use crate::asic::{ASIC_E, AsicError, AsicSignature};
use crate::cms::{CmsError, sign_detached};
use crate::keystore::testing::KOMMUNE;

pub(super) const MANIFEST: &str = "META-INF/ASiCManifest.xml";
pub(super) const SIGNATURE: &str = "META-INF/signature.p7s";

fn sha256(content: &[u8]) -> String {
    STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content))
}

/// An ASiCManifest over `documents`, with namespace, digest algorithm and SigReference as given.
fn manifest_with(namespace: &str, algorithm: &str, signature: &str, documents: &[(&str, &[u8])]) -> String {
    let mut xml =
        format!("<a:ASiCManifest xmlns:a=\"{namespace}\" xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\">{signature}");
    for (name, content) in documents {
        let _ = write!(
            xml,
            "<a:DataObjectReference URI=\"{name}\" MimeType=\"text/plain\"><d:DigestMethod Algorithm=\"{algorithm}\"/>\
             <d:DigestValue>\n {}\n</d:DigestValue></a:DataObjectReference>",
            sha256(content)
        );
    }
    xml + "</a:ASiCManifest>"
}

pub(super) fn manifest(documents: &[(&str, &[u8])]) -> String {
    let namespace = "http://uri.etsi.org/02918/v1.2.1#";
    let signature = format!("<a:SigReference URI=\"{SIGNATURE}\"/>");
    manifest_with(
        namespace,
        "http://www.w3.org/2001/04/xmlenc#sha256",
        &signature,
        documents,
    )
}

pub(super) fn sign(manifest: &str) -> Vec<u8> {
    sign_detached(manifest.as_bytes(), &KOMMUNE.identity, Timestamp::now()).unwrap()
}

#[test]
fn older_namespaces_digest_names_and_the_default_signature_are_accepted() {
    let documents: [(&str, &[u8]); 1] = [("a", b"hei")];
    for namespace in [
        "http://uri.etsi.org/02918/v1.2.1#",
        "http://uri.etsi.org/02918/v1.1.1#",
        "http://uri.etsi.org/2918/v1.2.1#",
    ] {
        for algorithm in [
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2000/09/xmldsig#sha256",
        ] {
            let xml = manifest_with(namespace, algorithm, "", &documents);
            let (xml_bytes, signature) = (xml.as_bytes(), sign(&xml));
            // Signature and manifest before the document, names in another case, no mimetype: all allowed.
            let bytes = raw(&[
                (SIGNATURE, &signature),
                ("META-INF/asicMANIFEST1.XML", xml_bytes),
                ("a", b"hei"),
            ]);
            let report = check(&bytes).unwrap();
            assert_eq!(report.documents[0].mime.as_deref(), Some("text/plain"));
        }
    }
}

#[test]
fn a_listed_file_that_is_missing_is_refused() {
    let xml = manifest(&[("a", b"hei"), ("b", b"hei")]);
    let bytes = raw(&[("a", b"hei"), (MANIFEST, xml.as_bytes()), (SIGNATURE, &sign(&xml))]);
    let error = check(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "File not verified: b");
}

#[test]
fn a_file_that_is_not_listed_is_refused() {
    let xml = manifest(&[("a", b"hei")]);
    for stray in ["b", "folder"] {
        let bytes = raw(&[
            ("a", b"hei"),
            (stray, b"x"),
            (MANIFEST, xml.as_bytes()),
            (SIGNATURE, &sign(&xml)),
        ]);
        assert_eq!(
            check(&bytes).unwrap_err().to_string(),
            format!("File not verified: {stray}")
        );
    }
}

#[test]
fn one_changed_byte_of_a_document_is_refused() {
    let xml = manifest(&[("a", b"hei")]);
    let bytes = raw(&[("a", b"hej"), (MANIFEST, xml.as_bytes()), (SIGNATURE, &sign(&xml))]);
    assert_eq!(check(&bytes).unwrap_err().to_string(), "Mismatching digest for file a");
}

#[test]
fn one_changed_byte_of_the_signature_or_manifest_is_refused() {
    let xml = manifest(&[("a", b"hei")]);
    let mut signature = sign(&xml);
    let changed = xml.clone() + " ";
    let bytes = raw(&[("a", b"hei"), (MANIFEST, changed.as_bytes()), (SIGNATURE, &signature)]);
    assert!(matches!(
        check(&bytes),
        Err(AsicError::InvalidSignature {
            reason: CmsError::DigestMismatch,
            ..
        })
    ));
    let last = signature.len() - 1;
    signature[last] ^= 1;
    let bytes = raw(&[("a", b"hei"), (MANIFEST, xml.as_bytes()), (SIGNATURE, &signature)]);
    let error = check(&bytes).unwrap_err();
    assert!(error.to_string().starts_with("Unable to verify signature."), "{error}");
}

#[test]
fn unknown_metadata_is_refused() {
    let xml = manifest(&[("a", b"hei")]);
    for name in [
        "META-INF/signature.malformed",
        "META-INF/x",
        "meta-inf/container.xml",
        "META-INF/.p7s",
    ] {
        let bytes = raw(&[
            ("a", b"hei"),
            (MANIFEST, xml.as_bytes()),
            (SIGNATURE, &sign(&xml)),
            (name, b""),
        ]);
        assert_eq!(
            check(&bytes).unwrap_err().to_string(),
            format!("Contains unknown metadata file: {name}")
        );
    }
}

#[test]
fn a_metadata_folder_entry_is_refused_as_by_java() {
    let mut bytes = raw(&[("META-INF_", b"")]);
    for at in 0..bytes.len() - 9 {
        if &bytes[at..at + 9] == b"META-INF_" {
            bytes[at + 8] = b'/';
        }
    }
    assert_eq!(
        check(&bytes).unwrap_err().to_string(),
        "Contains unknown metadata file: META-INF/"
    );
}

#[test]
fn a_digest_other_than_sha256_is_refused() {
    let signature = format!("<a:SigReference URI=\"{SIGNATURE}\"/>");
    for algorithm in [
        "http://www.w3.org/2001/04/xmlenc#sha512",
        "http://www.w3.org/2000/09/xmldsig#sha1",
    ] {
        let xml = manifest_with(
            "http://uri.etsi.org/02918/v1.2.1#",
            algorithm,
            &signature,
            &[("a.txt", b"hei")],
        );
        let bytes = raw(&[("a.txt", b"hei"), (MANIFEST, xml.as_bytes()), (SIGNATURE, &sign(&xml))]);
        let error = check(&bytes).unwrap_err().to_string();
        assert_eq!(error, format!("Wrong digest method for file a.txt: {algorithm}"));
    }
}

#[test]
fn manifest_and_signature_must_belong_together() {
    let xml = manifest(&[("a", b"hei")]);
    let signature = sign(&xml);
    let other = "META-INF/signature-annen.p7s";
    let renamed = raw(&[("a", b"hei"), (MANIFEST, xml.as_bytes()), (other, &signature)]);
    assert_eq!(
        check(&renamed).unwrap_err().to_string(),
        format!("Signature not verified: {SIGNATURE}")
    );
    let missing = raw(&[("a", b"hei"), (MANIFEST, xml.as_bytes())]);
    assert_eq!(
        check(&missing).unwrap_err().to_string(),
        format!("Signature not verified: {SIGNATURE}")
    );
    let entries: [(&str, &[u8]); 4] = [
        ("a", b"hei"),
        (MANIFEST, xml.as_bytes()),
        (SIGNATURE, &signature),
        (other, &signature),
    ];
    assert_eq!(
        check(&raw(&entries)).unwrap_err().to_string(),
        format!("Signature not verified: {other}")
    );
    assert!(matches!(
        check(&raw(&[("a", b"hei")])),
        Err(AsicError::FileNotVerified(_))
    ));
    assert!(matches!(
        check(&raw(&[("mimetype", ASIC_E.as_bytes())])),
        Err(AsicError::NotSigned)
    ));
}

#[test]
fn a_mimetype_with_other_text_is_refused() {
    for text in [
        "application/zip",
        "",
        "application/vnd.etsi.asic-e+zip\n",
        &"x".repeat(100_000),
    ] {
        let error = check(&raw(&[("mimetype", text.as_bytes())])).unwrap_err();
        assert_eq!(error.to_string(), "Content is not ASiC-E container.");
    }
}

#[test]
fn an_oasis_manifest_must_parse() {
    let xml = manifest(&[("a", b"hei")]);
    let signature = sign(&xml);
    let with = |oasis: &[u8]| {
        check(&raw(&[
            ("a", b"hei"),
            (MANIFEST, xml.as_bytes()),
            (SIGNATURE, &signature),
            ("META-INF/manifest.xml", oasis),
        ]))
    };
    with(b"<whatever/>").unwrap();
    assert!(matches!(with(b"<open>"), Err(AsicError::BadXml { .. })));
    assert!(matches!(
        with(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        Err(AsicError::BadXml { .. })
    ));
    let deep = "<a>".repeat(100_000);
    assert!(matches!(with(deep.as_bytes()), Err(AsicError::BadXml { .. })));
    // Both of these would take the parser minutes and gigabytes.
    let (mut prefixes, mut attributes) = (String::new(), String::from("<a "));
    for i in 0..60_000 {
        let _ = write!(prefixes, "<a xmlns:p{i}=\"u\">");
        let _ = write!(attributes, "b{i}=\"\" ");
    }
    prefixes += &"</a>".repeat(60_000);
    attributes += "/>";
    for bomb in [prefixes, attributes] {
        let error = with(bomb.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("too many attributes or namespaces"),
            "{error}"
        );
    }
}

#[test]
fn xades_digests_are_compared_and_reported_as_no_more_than_that() {
    let reference = |uri: &str, content: &[u8], id: u8| {
        format!(
            "<Reference Id=\"ID_{id}\" URI=\"{uri}\"><DigestMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue>{}</DigestValue></Reference>",
            sha256(content)
        )
    };
    let signatures = |content: &[u8]| {
        format!(
            "<x:XAdESSignatures xmlns:x=\"http://uri.etsi.org/02918/v1.2.1#\"><Signature \
             xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>{}{}<Reference URI=\"#SignedProperties\">\
             <DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"/><DigestValue>AAAA</DigestValue>\
             </Reference></SignedInfo><Object><q:DataObjectFormat xmlns:q=\"http://uri.etsi.org/01903/v1.3.2#\" \
             ObjectReference=\"#ID_0\"><q:MimeType>application/pdf</q:MimeType></q:DataObjectFormat></Object>\
             </Signature></x:XAdESSignatures>",
            reference("gr%C3%B8nn+vinter.pdf", content, 0),
            reference("a+b", b"x", 1)
        )
    };
    let with = |xml: String| {
        check(&raw(&[
            ("mimetype", ASIC_E.as_bytes()),
            ("grønn vinter.pdf", b"hei"),
            ("a+b", b"x"),
            ("META-INF/signatures.xml", xml.as_bytes()),
        ]))
    };
    let report = with(signatures(b"hei")).unwrap();
    assert_eq!(report.documents[0].mime.as_deref(), Some("application/pdf"));
    assert_eq!(report.signers().count(), 0);
    assert!(matches!(
        &report.signatures[..],
        [AsicSignature::XadesDigestsOnly { .. }]
    ));
    assert!(matches!(with(signatures(b"hallo")), Err(AsicError::DigestMismatch(name)) if name == "grønn vinter.pdf"));
}
