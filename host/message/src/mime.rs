//! The MIME type of a file, by what the client said or by the file's extension.

/// What a file is when nothing tells.
pub const UNKNOWN: &str = "application/octet-stream";

/// MIME types by extension in lower case.
///
/// Deviation from spec: documents and packaging, 5.2, where `jpg`, `csv` and everything unlisted becomes
/// `application/pdf` (sharp edge 21). A receiver that trusts such a label cannot open the file, so here `jpg` and `csv`
/// have their own types and the rest is [`UNKNOWN`].
#[rustfmt::skip]
const BY_EXTENSION: &[(&str, &str)] = &[
    ("csv",  "text/csv"),
    ("doc",  "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("fodg", "application/vnd.oasis.opendocument.graphics"),
    ("fodp", "application/vnd.oasis.opendocument.presentation"),
    ("fods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("gif",  "image/gif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg",  "image/jpeg"),
    ("odf",  "application/vnd.oasis.opendocument.formula"),
    ("odt",  "application/vnd.oasis.opendocument.text"),
    ("pdf",  "application/pdf"),
    ("png",  "image/png"),
    ("ppt",  "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("txt",  "text/plain"),
    ("xls",  "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xltx", "application/vnd.openxmlformats-officedocument.spreadsheetml.template"),
    ("xml",  "text/xml"),
    ("zip",  "application/octet-stream"),
];

/// The MIME type of a file: the client's own word if it says anything, parameters included, else by extension.
///
/// A blank type and `application/octet-stream` say nothing. Spec: documents and packaging, 5.2, with the deviation
/// noted at the table: an unknown extension gives [`UNKNOWN`], never `application/pdf`.
pub fn mime_for<'a>(filename: &str, content_type: Option<&'a str>) -> &'a str {
    match content_type.map(str::trim) {
        Some(given) if !says_nothing(given) => given,
        _ => by_extension(filename),
    }
}

fn says_nothing(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case(UNKNOWN)
}

/// The MIME type that the extension of a file name tells, [`UNKNOWN`] when it tells nothing.
pub fn by_extension(filename: &str) -> &'static str {
    let Some((_, extension)) = filename.rsplit_once('.') else {
        return UNKNOWN;
    };
    BY_EXTENSION
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map_or(UNKNOWN, |(_, mime)| mime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_word_is_kept_with_its_parameters() {
        assert_eq!(mime_for("arkivmelding.xml", Some("application/xml")), "application/xml");
        assert_eq!(
            mime_for("a.pdf", Some("text/plain; charset=utf-8")),
            "text/plain; charset=utf-8"
        );
    }

    #[test]
    fn the_extension_decides_when_the_client_says_nothing() {
        for silent in [
            None,
            Some(""),
            Some("  "),
            Some("application/octet-stream"),
            Some("Application/Octet-Stream;x=y"),
        ] {
            assert_eq!(mime_for("brev.PDF", silent), "application/pdf");
        }
    }

    #[test]
    fn jpg_and_csv_are_not_called_pdf() {
        assert_eq!(by_extension("bilde.jpg"), "image/jpeg");
        assert_eq!(by_extension("tall.csv"), "text/csv");
        assert_eq!(by_extension("ukjent.abc"), UNKNOWN);
        assert_eq!(by_extension("uten_endelse"), UNKNOWN);
    }
}
