//! What the files of a forsendelse are called. Their names are a stranger's: they may name a path, stand twice, or be that of our own
//! arkivmelding.
//!
//! Spec: DPF and DPFIO, 14, sharp edge 25.

use budstikke_sdk::arkivmelding::FILE_NAME;

/// Bytes of a name, with room for what tells two of the same apart.
const LONGEST: usize = 240;

/// The names that are taken. A list of names in the same order always becomes the same.
pub(crate) struct FileNames(Vec<String>);

impl FileNames {
    pub(crate) fn new() -> Self {
        Self(vec![FILE_NAME.to_owned()])
    }

    /// The name for the next file.
    pub(crate) fn next(&mut self, given: &str) -> String {
        let plain = plain(given);
        let (stem, extension) = match plain.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (plain.as_str(), String::new()),
        };
        let mut name = plain.clone();
        let mut number = 1;
        while self.0.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
            number += 1;
            name = format!("{stem} ({number}){extension}");
        }
        self.0.push(name.clone());
        name
    }
}

/// The last part of a path, without what cannot stand in a name.
fn plain(given: &str) -> String {
    let last = given
        .rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let mut name: String = last
        .chars()
        .map(|char| if char.is_control() { '_' } else { char })
        .collect();
    if name.len() > LONGEST {
        let extension = name
            .rfind('.')
            .filter(|at| name.len() - at <= 20)
            .map_or(String::new(), |at| name[at..].to_owned());
        name.truncate(name.floor_char_boundary(LONGEST - extension.len()));
        name.push_str(&extension);
    }
    match name.trim() {
        "" | "." | ".." => "dokument".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(given: &[&str]) -> Vec<String> {
        let mut names = FileNames::new();
        given.iter().map(|given| names.next(given)).collect()
    }

    #[test]
    fn ordinary_names_stay() {
        assert_eq!(
            names(&["primary.html", "Søknad 1.pdf", ".skjult"]),
            ["primary.html", "Søknad 1.pdf", ".skjult"]
        );
    }

    #[test]
    fn e25_a_name_is_no_path_and_stands_once() {
        assert_eq!(
            names(&["../../etc/passwd", "a\\b.pdf", "b.pdf", "B.PDF", "x/", "..", "", "a\nb"]),
            [
                "passwd",
                "b.pdf",
                "b (2).pdf",
                "B (3).PDF",
                "x",
                "dokument",
                "dokument (2)",
                "a_b"
            ]
        );
        assert_eq!(
            names(&["arkivmelding.xml", "META-INF/x"]),
            ["arkivmelding (2).xml", "x"]
        );
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let long = names(&[&format!("{}.pdf", "å".repeat(300))]).remove(0);
        assert!(long.len() <= LONGEST && long.ends_with("å.pdf"));
    }
}
