//! The codes that SvarUt and SvarInn use for what an arkivmelding says in words (Spec: DPF and DPFIO, 5.2).

/// A kind of code: its words, its codes, and which row counts when there is none.
pub(crate) struct Codes {
    name: &'static str,
    /// Words, code. The first row is the default.
    rows: &'static [(&'static str, &'static str)],
}

pub(crate) const JOURNALPOSTTYPE: Codes = Codes {
    name: "journalposttype",
    rows: &[
        ("Inngående dokument", "I"),
        ("Utgående dokument", "U"),
        ("Saksframlegg", "S"),
        ("Organinternt dokument for oppfølging", "N"),
        ("Organinternt dokument uten oppfølging", "X"),
    ],
};

pub(crate) const JOURNALSTATUS: Codes = Codes {
    name: "journalstatus",
    rows: &[
        ("Ferdigstilt fra saksbehandler", "R"),
        ("Ekspedert", "E"),
        ("Arkivert", "A"),
        ("Godkjent av leder", "F"),
        ("Journalført", "J"),
        ("Utgår", "U"),
    ],
};

impl Codes {
    /// The code for words, and a warning when the default had to be taken.
    pub(crate) fn code(&self, words: Option<&str>) -> (&'static str, Option<String>) {
        let found = self.rows.iter().find(|(known, _)| Some(*known) == words);
        match found {
            Some((_, code)) => (code, None),
            None => (self.rows[0].1, Some(self.warning("text", self.rows[0].1))),
        }
    }

    /// The words for a code, and a warning when the default had to be taken. Case matters.
    pub(crate) fn words(&self, code: Option<&str>) -> (&'static str, Option<String>) {
        let found = self.rows.iter().find(|(_, known)| Some(*known) == code);
        match found {
            Some((words, _)) => (words, None),
            None => (self.rows[0].0, Some(self.warning("code", self.rows[0].0))),
        }
    }

    fn warning(&self, what: &str, default: &str) -> String {
        format!("the {what} of {} is missing or unknown; {default} is used", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_lead_to_each_other() {
        for codes in [JOURNALPOSTTYPE, JOURNALSTATUS] {
            for (words, code) in codes.rows {
                assert_eq!(codes.code(Some(words)), (*code, None));
                assert_eq!(codes.words(Some(code)), (*words, None));
            }
        }
        assert_eq!(JOURNALSTATUS.words(Some("U")).0, "Utgår");
        assert_eq!(JOURNALPOSTTYPE.words(Some("U")).0, "Utgående dokument");
    }

    #[test]
    fn what_is_missing_or_unknown_is_the_default_and_told() {
        for words in [None, Some(""), Some("journalført")] {
            let (code, warning) = JOURNALSTATUS.code(words);
            assert_eq!(code, "R");
            assert!(warning.unwrap().contains("journalstatus"));
        }
        for code in [None, Some(""), Some("i"), Some("Q")] {
            let (words, warning) = JOURNALPOSTTYPE.words(code);
            assert_eq!(words, "Inngående dokument");
            assert!(warning.unwrap().contains("journalposttype"));
        }
    }
}
