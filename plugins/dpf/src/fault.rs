//! What a SOAP fault of SvarUt means.
//!
//! Spec: DPF and DPFIO, 7.3.

use budstikke_sdk::privacy::without_person_numbers;

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The element, as it came.
    pub(crate) xml: String,
    /// All its text.
    pub(crate) text: String,
}

/// Whether it helps to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SvarUt has the forsendelse already, or another one of its id.
    Duplicate,
    /// It does not; the code of the failure.
    Final(&'static str),
    /// It may.
    Passing,
}

/// What a fault says, and what that means.
const FINAL: [(&str, &str); 4] = [
    ("Forsendelse med samme mottaker", "same-content"),
    ("Ugyldig innhold", "invalid"),
    ("Feil under lesing av", "unreadable-document"),
    ("Kan ikke lagre tomt dokument", "empty-document"),
];

impl Fault {
    /// What we said ourselves is taken out of the text first: a title with one of these words in it must not decide.
    /// Spec: DPF and DPFIO, 14, sharp edge 14.
    pub(crate) fn kind(&self, said: &[String]) -> Kind {
        let mut said: Vec<&String> = said.iter().filter(|text| !text.trim().is_empty()).collect();
        // What is a part of a longer text goes after it.
        said.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let own = said.into_iter().fold(self.text.clone(), |text, said| {
            // A title of a word or two that the fault is made of itself would hide it.
            if is_telling(said) {
                text
            } else {
                text.replace(said.as_str(), " ")
            }
        });
        if own.contains("Duplikat") {
            return Kind::Duplicate;
        }
        let found = FINAL.iter().find(|(words, _)| own.contains(words));
        found.map_or(Kind::Passing, |(_, code)| Kind::Final(code))
    }

    /// For the receipt of the status.
    pub(crate) fn shown(&self) -> String {
        without_person_numbers(&self.xml)
    }
}

/// Whether a text of ours is inside the words that are looked for: `tomt`, `innhold`.
fn is_telling(said: &str) -> bool {
    FINAL.iter().any(|(words, _)| words.contains(said) && *words != said)
        || ("Duplikat".contains(said) && said != "Duplikat")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str, said: &[&str]) -> Kind {
        let fault = Fault {
            xml: format!("<Fault>{text}</Fault>"),
            text: text.to_owned(),
        };
        fault.kind(&said.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_text_of_the_table_has_its_meaning() {
        assert_eq!(kind("Duplikat av forsendelse", &[]), Kind::Duplicate);
        assert_eq!(
            kind("Forsendelse med samme mottaker finnes", &[]),
            Kind::Final("same-content")
        );
        assert_eq!(kind("x Ugyldig innhold: tittel", &[]), Kind::Final("invalid"));
        assert_eq!(
            kind("Feil under lesing av a.pdf", &[]),
            Kind::Final("unreadable-document")
        );
        assert_eq!(kind("Kan ikke lagre tomt dokument", &[]), Kind::Final("empty-document"));
        assert_eq!(kind("Intern feil", &[]), Kind::Passing);
    }

    #[test]
    fn e14_a_title_that_comes_back_in_a_fault_does_not_decide() {
        let title = "Duplikat av søknad: Ugyldig innhold";
        assert_eq!(
            kind(&format!("Intern feil ved {title}"), &["Duplikat", title]),
            Kind::Passing
        );
        assert_eq!(
            kind(&format!("Ugyldig innhold: {title}"), &[title]),
            Kind::Final("invalid")
        );
        assert_eq!(
            kind("Kan ikke lagre tomt dokument tomt", &["tomt", "e", ""]),
            Kind::Final("empty-document")
        );
    }

    #[test]
    fn person_numbers_stay_out_of_the_receipt() {
        let fault = Fault {
            xml: "<Fault>05839012391</Fault>".to_owned(),
            text: String::new(),
        };
        assert_eq!(fault.shown(), "<Fault>…</Fault>");
    }
}
