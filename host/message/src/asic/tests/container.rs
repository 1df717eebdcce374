//! Whole containers: layout, what others make of them, and how they go through the other layers.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};

use super::rules::{MANIFEST, SIGNATURE, manifest, sign};
use crate::asic::{
    ASIC_E, AsicError, AsicLimits, AsicReader, AsicReport, AsicWriter, Compression, PrimaryDocument, ZipError,
    ZipWriter, manifest_xml, verify,
};
use crate::cms::{CmsError, ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use crate::keystore::testing::{KOMMUNE, SIZES, approved, payload, referee};

pub(super) const LIMITS: u64 = 64 * 1024 * 1024;

pub(super) fn check(container: &[u8]) -> Result<AsicReport, AsicError> {
    verify(container, AsicLimits::of_total(LIMITS))
}

pub(super) fn container(documents: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut writer = AsicWriter::new(Vec::new()).unwrap();
    for &(name, mime, mut content) in documents {
        writer.add(name, mime, &mut content).unwrap();
    }
    writer.finish(&KOMMUNE.identity).unwrap()
}

/// A zip of these entries as they are, for containers that our writer would not write.
pub(super) fn raw(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Vec::new());
    for &(name, mut content) in entries {
        if name == "mimetype" {
            zip.stored(name, content).unwrap();
        } else {
            zip.deflated(name, Compression::Deflate, &mut content).unwrap();
        }
    }
    zip.finish("").unwrap()
}

#[test]
fn a_container_comes_back_with_names_types_and_signer() {
    let documents: [(&str, &str, &[u8]); 3] = [
        ("manifest.xml", "application/xml", b"<manifest/>"),
        ("blåbærsyltetøy & co.pdf", "application/pdf", &payload(100_000)),
        ("tom.txt", "text/plain", b""),
    ];
    let bytes = container(&documents);
    let mut reader = AsicReader::new(bytes.as_slice(), AsicLimits::of_total(LIMITS));
    for (name, _, content) in documents {
        let mut document = reader.next_document().unwrap().unwrap();
        assert_eq!(document.name(), name);
        let mut read = Vec::new();
        document.read_to_end(&mut read).unwrap();
        assert!(read == content);
    }
    assert!(reader.next_document().unwrap().is_none());
    let report = reader.finish().unwrap();
    let listed: Vec<_> = report
        .documents
        .iter()
        .map(|d| (d.name.as_str(), d.mime.as_deref().unwrap(), d.size))
        .collect();
    let expected: Vec<_> = documents.iter().map(|(n, m, c)| (*n, *m, c.len() as u64)).collect();
    assert_eq!(listed, expected);
    let signers: Vec<_> = report.signers().map(|c| c.organisation_number().unwrap()).collect();
    assert_eq!(signers, ["991825827"]);
}

#[test]
fn the_layout_is_the_one_that_java_expects() {
    let bytes = container(&[("a.txt", "text/plain", b"hei")]);
    // Local header of 30 bytes: stored, no flags, sizes known; then name and content at a fixed place.
    assert_eq!(&bytes[..4], b"PK\x03\x04");
    assert_eq!(&bytes[6..10], &[0, 0, 0, 0]);
    assert_eq!(&bytes[30..69], format!("mimetype{ASIC_E}").as_bytes());
    let comment = b"mimetype=application/vnd.etsi.asic-e+zip";
    assert!(bytes.ends_with(comment));
    assert_eq!(
        bytes.windows(comment.len()).filter(|w| w == comment).count(),
        2,
        "entry and archive"
    );
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let names: Vec<String> = (0..archive.len())
        .map(|i| archive.by_index(i).unwrap().name().unwrap().into_owned())
        .collect();
    assert_eq!(names[..3], ["mimetype", "a.txt", MANIFEST]);
    assert!(
        names[3]
            .strip_prefix("META-INF/signature-")
            .unwrap()
            .strip_suffix(".p7s")
            .is_some()
    );
    assert_eq!(names[4..], ["META-INF/manifest.xml"]);
}

#[test]
fn unzip_python_and_openssl_accept_what_we_write() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    KOMMUNE.write_to(folder);
    for size in SIZES {
        let content = payload(size);
        let bytes = container(&[
            ("brev æøå.bin", "application/octet-stream", &content),
            ("b", "text/plain", b"b"),
        ]);
        fs::write(folder.join("c.asice"), &bytes).unwrap();
        approved(folder, "unzip", &["-t", "c.asice"]);
        assert!(approved(folder, "unzip", &["-p", "c.asice", "b*.bin"]) == content);
        let script = "import zipfile,sys; z=zipfile.ZipFile('c.asice'); assert z.testzip() is None; \
                      sys.stdout.buffer.write(z.read('brev æøå.bin'))";
        assert!(
            approved(folder, "python3", &["-X", "utf8", "-c", script]) == content,
            "{size} bytes"
        );
        fs::write(
            folder.join("m.xml"),
            approved(folder, "unzip", &["-p", "c.asice", MANIFEST]),
        )
        .unwrap();
        fs::write(
            folder.join("s.p7s"),
            approved(folder, "unzip", &["-p", "c.asice", "*.p7s"]),
        )
        .unwrap();
        let line = "cms -verify -binary -inform DER -in s.p7s -content m.xml -noverify -out copy";
        approved(folder, "openssl", &line.split(' ').collect::<Vec<_>>());
        assert_eq!(check(&bytes).unwrap().documents[0].size, size as u64);
    }
}

#[test]
fn we_read_a_container_that_other_tools_packed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let content = payload(70_000);
    let xml = manifest(&[("brev.bin", &content)]);
    fs::create_dir(folder.join("META-INF")).unwrap();
    fs::write(folder.join("mimetype"), ASIC_E).unwrap();
    fs::write(folder.join("brev.bin"), &content).unwrap();
    fs::write(folder.join(SIGNATURE), sign(&xml)).unwrap();
    fs::write(folder.join(MANIFEST), xml).unwrap();
    let files = ["mimetype", "brev.bin", MANIFEST, SIGNATURE];
    let script = "import zipfile,sys\nz=zipfile.ZipFile('p.zip','w',zipfile.ZIP_DEFLATED)\n\
                  for f in sys.argv[1:]: z.write(f)\nz.close()";
    approved(folder, "python3", &[&["-c", script], &files[..]].concat());
    assert_eq!(
        check(&fs::read(folder.join("p.zip")).unwrap()).unwrap().documents.len(),
        1
    );
    // To a pipe, Python cannot go back and writes data descriptors.
    let script = "import zipfile,sys\nclass P:\n def write(s,b): return sys.stdout.buffer.write(b)\n def flush(s): pass\n\
                  z=zipfile.ZipFile(P(),'w',zipfile.ZIP_DEFLATED)\nfor f in sys.argv[1:]: z.write(f)\nz.close()";
    let piped = approved(folder, "python3", &[&["-c", script], &files[..]].concat());
    assert_eq!(check(&piped).unwrap().documents[0].size, 70_000);
}

#[test]
fn the_writer_refuses_names_that_would_break_the_container() {
    let mut writer = AsicWriter::new(Vec::new()).unwrap();
    writer.add("a", "text/plain", &mut &b"a"[..]).unwrap();
    for name in [
        "",
        "META-INF/x",
        "meta-inf/x",
        "/etc/passwd",
        "a\\b",
        "a\nb",
        "mappe/",
        "a",
        "mimetype",
    ] {
        assert!(writer.add(name, "text/plain", &mut &b""[..]).is_err(), "{name:?}");
    }
}

#[test]
fn manifest_xml_is_escaped_and_in_order() {
    let primary = PrimaryDocument {
        name: "\"brev\" <1> & 2.pdf",
        mime: "application/pdf",
    };
    let xml = manifest_xml("0192:991825827", "0192:910076787", Some(primary)).unwrap();
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let children: Vec<_> = parsed
        .root_element()
        .children()
        .map(|n| n.tag_name().name().to_owned())
        .collect();
    assert_eq!(children, ["mottaker", "avsender", "hoveddokument"]);
    let organisations: Vec<_> = parsed
        .descendants()
        .filter(|n| n.has_tag_name("organisasjon"))
        .filter_map(|n| n.text())
        .collect();
    assert_eq!(organisations, ["0192:910076787", "0192:991825827"]);
    let hoveddokument = parsed.root_element().last_element_child().unwrap();
    assert_eq!(hoveddokument.attribute("href"), Some(primary.name));
    assert!(
        manifest_xml(
            "a",
            "b",
            Some(PrimaryDocument {
                name: "a\u{1}",
                mime: ""
            })
        )
        .is_err()
    );
    assert!(!manifest_xml("a", "b", None).unwrap().contains("hoveddokument"));
}

#[test]
fn a_whole_transfer_goes_through_in_one_pass_each_way() {
    let content = payload(3_000_000);
    // Out: zip { sbd.json, asic.zip = CMS(ASiC-E) } written forward only.
    let mut outer = ZipWriter::new(Vec::new());
    outer
        .deflated("sbd.json", Compression::Deflate, &mut &b"{}"[..])
        .unwrap();
    let entry = outer.start("asic.zip", Compression::None).unwrap();
    let sealed = EnvelopeWriter::new(
        entry,
        KOMMUNE.identity.certificate(),
        KeyTransport::RsaOaepSha256,
        ContentCipher::Aes256Gcm,
    )
    .unwrap();
    let mut asic = AsicWriter::new(sealed).unwrap();
    asic.add("brev.bin", "application/octet-stream", &mut content.as_slice())
        .unwrap();
    asic.finish(&KOMMUNE.identity)
        .unwrap()
        .finish()
        .unwrap()
        .finish()
        .unwrap();
    let transfer = outer.finish("").unwrap();
    // In: the same backwards.
    let mut files =
        crate::asic::ZipFiles::open(Cursor::new(&transfer), crate::asic::ZipLimits::of_total(LIMITS)).unwrap();
    let file = files.file("asic.zip").unwrap();
    let mut reader = AsicReader::new(
        EnvelopeReader::open(file, &KOMMUNE.identity).unwrap(),
        AsicLimits::of_total(LIMITS),
    );
    let mut read = Vec::new();
    reader.next_document().unwrap().unwrap().read_to_end(&mut read).unwrap();
    assert!(read == content);
    assert_eq!(reader.finish().unwrap().documents[0].name, "brev.bin");
}

#[test]
fn a_broken_tag_below_the_container_comes_up_as_what_it_is() {
    let asic = container(&[("a", "text/plain", &payload(50_000))]);
    let certificate = KOMMUNE.identity.certificate();
    let mut writer = EnvelopeWriter::new(
        Vec::new(),
        certificate,
        KeyTransport::RsaOaepSha256,
        ContentCipher::Aes256Gcm,
    )
    .unwrap();
    writer.write_all(&asic).unwrap();
    let mut message = writer.finish().unwrap();
    let last_of_tag = message.len() - 11;
    message[last_of_tag] ^= 1;
    let opened = EnvelopeReader::open(message.as_slice(), &KOMMUNE.identity).unwrap();
    let error = verify(opened, AsicLimits::of_total(LIMITS)).unwrap_err();
    let AsicError::Zip(ZipError::Io(inner)) = error else {
        panic!("{error}")
    };
    assert!(matches!(CmsError::from_io(inner), CmsError::BadTag));
}

#[test]
fn the_referee_notices_an_altered_container() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = container(&[("a", "text/plain", &payload(1000))]);
    bytes[200] ^= 1;
    fs::write(folder.path().join("c.asice"), &bytes).unwrap();
    assert!(!referee(folder.path(), "unzip", &["-t", "c.asice"]).status.success());
    assert!(check(&bytes).is_err());
}
