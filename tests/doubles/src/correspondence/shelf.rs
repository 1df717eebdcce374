//! All letters, the keys that were used, and what is known of recipients.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::configuration::{PostConfig, RecipientState};
use super::letter::{Correspondence, CorrespondenceStatus, ReceivedFile};

/// The letters that came in at Altinn, and the hand that changes what becomes of them.
#[derive(Debug)]
pub struct Correspondences {
    pub(crate) dir: PathBuf,
    pub(crate) config: PostConfig,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    letters: Vec<Correspondence>,
    recipients: HashMap<String, RecipientState>,
}

impl Correspondences {
    pub(crate) fn new(dir: PathBuf, config: PostConfig) -> Self {
        Self {
            dir,
            config,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All letters, oldest first.
    pub fn all(&self) -> Vec<Correspondence> {
        self.lock().letters.clone()
    }

    /// One letter.
    pub fn get(&self, id: Uuid) -> Option<Correspondence> {
        self.lock().letters.iter().find(|letter| letter.id == id).cloned()
    }

    /// Gives a letter another status: publishes it, lets it be read or purged, lets it fail. Says whether there is such a letter.
    pub fn change(&self, id: Uuid, status: CorrespondenceStatus) -> bool {
        let mut inner = self.lock();
        let letter = inner.letters.iter_mut().find(|letter| letter.id == id);
        letter.map(|letter| letter.become_status(status)).is_some()
    }

    /// Says what Altinn knows of a recipient: nine or eleven digits.
    pub fn recipient(&self, number: &str, state: RecipientState) {
        self.lock().recipients.insert(number.to_owned(), state);
    }

    pub(crate) fn state_of(&self, urn: &str) -> RecipientState {
        let number = urn.rsplit(':').next().unwrap_or(urn);
        let known = self.lock().recipients.get(number).copied();
        known.unwrap_or(RecipientState::Open)
    }

    pub(crate) fn was_used(&self, key: Uuid) -> bool {
        self.lock().used(key)
    }

    /// Takes letters in, all or none: false when one of their keys was used meanwhile.
    pub(crate) fn add(&self, letters: Vec<Correspondence>) -> bool {
        let mut inner = self.lock();
        if letters
            .iter()
            .filter_map(|letter| letter.idempotent_key)
            .any(|key| inner.used(key))
        {
            return false;
        }
        inner.letters.extend(letters);
        true
    }

    pub(crate) fn file(&self, id: Uuid) -> Option<ReceivedFile> {
        let inner = self.lock();
        let mut files = inner.letters.iter().flat_map(|letter| &letter.files);
        files.find(|file| file.id == id).cloned()
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        for file in inner.letters.drain(..).flat_map(|letter| letter.files) {
            drop(std::fs::remove_file(file.path));
        }
        inner.recipients.clear();
    }
}

impl Inner {
    fn used(&self, key: Uuid) -> bool {
        self.letters.iter().any(|letter| letter.idempotent_key == Some(key))
    }
}
