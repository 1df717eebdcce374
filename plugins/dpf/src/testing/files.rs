//! Documents of the scripted host.

/// A document: a recipe in words, or content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) content: String,
    /// None: not a zip.
    pub(crate) entries: Option<Vec<File>>,
}

pub(crate) fn file(name: &str, content: &str) -> File {
    File {
        name: name.to_owned(),
        media_type: String::new(),
        content: content.to_owned(),
        entries: None,
    }
}

pub(crate) fn typed(name: &str, media_type: &str, content: &str) -> File {
    File {
        media_type: media_type.to_owned(),
        ..file(name, content)
    }
}

/// What SvarInn gives: a zip, encrypted to us.
pub(crate) fn sealed(entries: &[File]) -> File {
    File {
        entries: Some(entries.to_vec()),
        ..file("forsendelse.zip", "sealed to us")
    }
}
