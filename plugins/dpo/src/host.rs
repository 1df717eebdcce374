//! What the adapter asks of the outside. The real answers are in [`crate::live`], scripted ones in the tests.

use budstikke_sdk::http::Method;
use budstikke_sdk::{Delivery, Failure};

/// One call of the Broker API.
pub(crate) struct Call<'a, F> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    pub(crate) body: &'a Body<'a, F>,
    pub(crate) expect: Expect,
}

/// What goes with a call.
pub(crate) enum Body<'a, F> {
    Nothing,
    Json(&'a str),
    /// Streamed as `application/octet-stream`.
    File(&'a F),
}

/// What to do with the body of a 2xx answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Pass over it: it may be empty.
    Nothing,
    /// JSON of at most so many bytes.
    Json(u32),
    /// A file, collected by the host.
    File,
}

/// What came back.
pub(crate) struct Answer<F> {
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
    pub(crate) content: Content<F>,
}

/// The body of an answer.
pub(crate) enum Content<F> {
    /// JSON as expected; of a failed answer the first 4 KiB; otherwise empty.
    Bytes(Vec<u8>),
    File(F),
}

/// The host, as one adapter sees it.
pub(crate) trait Host {
    /// A document by handle.
    type File;

    // Who we are.
    fn subjects(&self, profile: &str) -> Result<Vec<String>, Failure>;
    fn token(&self, profile: &str, scope: &str, subject: &str) -> Result<String, Failure>;
    fn token_was_refused(&self, token: &str);

    // Outside.
    fn http(&self, call: Call<'_, Self::File>) -> Result<Answer<Self::File>, Failure>;
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> u64;
    fn uuid(&self) -> String;
    fn warn(&self, text: &str);

    // Packages.
    fn small_file(&self, name: &str, media_type: &str, content: &[u8]) -> Self::File;
    fn asic(&self, files: &[Self::File], sender: &str, receiver: &str) -> Result<Self::File, Failure>;
    fn seal(&self, content: &Self::File, certificate: &[u8]) -> Result<Self::File, Failure>;
    fn zip(&self, parts: &[(&str, &Self::File)]) -> Result<Self::File, Failure>;
    fn unzip(&self, archive: &Self::File) -> Result<Vec<Self::File>, Failure>;
    fn name(&self, file: &Self::File) -> String;
    fn read(&self, file: &Self::File, limit: u32) -> Result<Vec<u8>, Failure>;
    /// In lower-case hex.
    fn md5(&self, file: &Self::File) -> Result<String, Failure>;

    // The message store.
    fn deliver(&self, reference: &str, sbd: &[u8], package: Option<&Self::File>) -> Result<Delivery, Failure>;
    fn set_aside(&self, reference: &str, reason: &str, content: Option<&Self::File>) -> Result<(), Failure>;
    fn was_handled(&self, reference: &str) -> Result<bool, Failure>;

    // A cache: what cannot be kept or found is asked for again, so there are no failures.
    fn recall(&self, key: &str) -> Option<Vec<u8>>;
    /// For `lifetime` seconds.
    fn remember(&self, key: &str, value: &[u8], lifetime: u64);
    fn forget(&self, key: &str);
}

/// A message on its way out.
pub(crate) trait Outgoing {
    /// A document by handle.
    type File;

    fn message_type(&self) -> String;
    fn sender(&self) -> String;
    fn receiver(&self) -> String;
    /// Seconds since 1970-01-01T00:00:00Z.
    fn expires(&self) -> u64;
    fn sbd(&self) -> Result<Vec<u8>, Failure>;
    fn files(&self) -> Vec<Self::File>;
    fn receiver_certificate(&self) -> Option<Vec<u8>>;
    fn reply_channel(&self) -> Option<String>;
    fn checkpoint(&self, name: &str) -> Option<Vec<u8>>;
    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure>;
    fn keep(&self, name: &str, file: &Self::File) -> Result<Self::File, Failure>;
}
