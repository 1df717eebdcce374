//! What the adapter asks of the outside. The real answers are in [`crate::live`], scripted ones in the tests.

use budstikke_sdk::http::{HttpError, Method, Piece};
use budstikke_sdk::registry::PostalAddress;
use budstikke_sdk::{Delivery, Failure};

use crate::settings::{Login, Seal};

/// One call of SvarUt or SvarInn.
pub(crate) struct Call<'a, F> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) caller: Caller<'a>,
    pub(crate) body: Body<'a, F>,
    pub(crate) expect: Expect,
    /// Seconds that the other side may take to answer, and to be silent in between.
    pub(crate) patience: u32,
}

/// Who calls.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// An integrasjon of the Fiks platform.
    Integration {
        token: &'a str,
        id: &'a str,
        password: &'a str,
    },
    /// A user.
    Login(&'a Login),
}

/// What goes with a call: bytes and files with their content type.
pub(crate) enum Body<'a, F> {
    Nothing,
    Content(Vec<Piece<&'a F>>, String),
}

/// What to do with the body of a 2xx answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Pass over it: it may be empty.
    Nothing,
    /// A text of at most so many bytes.
    Text(u32),
    /// A file, collected by the host.
    File,
}

/// What came back.
pub(crate) struct Answer<F> {
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
    /// `Content-Type`.
    pub(crate) media_type: String,
    pub(crate) content: Content<F>,
}

/// The body of an answer.
pub(crate) enum Content<F> {
    /// As expected; of a failed answer the beginning; otherwise empty.
    Bytes(Vec<u8>),
    File(F),
}

/// An organisation, as the address service knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Party {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<PostalAddress>,
}

/// The host, as one adapter sees it.
pub(crate) trait Host {
    /// A document by handle.
    type File;

    // Who we are, and who others are.
    fn own_organisation(&self) -> String;
    fn token(&self, profile: &str, scope: &str, subject: Option<&str>) -> Result<String, Failure>;
    fn token_was_refused(&self, token: &str);
    fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure>;

    // Outside.
    fn http(&self, call: Call<'_, Self::File>) -> Result<Answer<Self::File>, HttpError>;
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> u64;
    fn uuid(&self) -> String;
    fn warn(&self, text: &str);

    // Files and packages.
    fn small_file(&self, name: &str, media_type: &str, content: &[u8]) -> Self::File;
    fn seal(&self, content: &Self::File, certificate: &[u8], scheme: Seal) -> Result<Self::File, Failure>;
    fn unseal(&self, content: &Self::File) -> Result<Self::File, Failure>;
    fn unzip(&self, archive: &Self::File) -> Result<Vec<Self::File>, Failure>;
    /// The same content under another name and type.
    fn renamed(&self, file: &Self::File, name: &str, media_type: &str) -> Result<Self::File, Failure>;
    /// An ASiC-E, sealed to ourselves.
    fn package(&self, files: &[Self::File], sender: &str, receiver: &str) -> Result<Self::File, Failure>;
    fn name(&self, file: &Self::File) -> String;
    fn media_type(&self, file: &Self::File) -> String;
    fn size(&self, file: &Self::File) -> Option<u64>;
    fn read(&self, file: &Self::File, limit: u32) -> Result<Vec<u8>, Failure>;
    fn sha256(&self, file: &Self::File) -> Result<Vec<u8>, Failure>;

    // The message store.
    fn deliver(&self, reference: &str, sbd: &[u8], package: &Self::File) -> Result<Delivery, Failure>;
    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<(), Failure>;
    fn set_aside(&self, reference: &str, reason: &str, content: &Self::File) -> Result<(), Failure>;
    fn was_handled(&self, reference: &str) -> Result<bool, Failure>;

    // A cache: what cannot be kept or found is asked for again, so there are no failures.
    fn recall(&self, key: &str) -> Option<Vec<u8>>;
    /// For `lifetime` seconds.
    fn remember(&self, key: &str, value: &[u8], lifetime: u64);
}

/// A message on its way out.
pub(crate) trait Outgoing {
    /// A document by handle.
    type File;

    fn message_id(&self) -> String;
    fn message_type(&self) -> String;
    fn sender(&self) -> String;
    fn receiver(&self) -> String;
    /// Seconds since 1970-01-01T00:00:00Z.
    fn expires(&self) -> u64;
    fn uncertain(&self) -> bool;
    fn sbd(&self) -> Result<Vec<u8>, Failure>;
    fn files(&self) -> Vec<Self::File>;
    fn receiver_certificate(&self) -> Option<Vec<u8>>;
    fn checkpoint(&self, name: &str) -> Option<Vec<u8>>;
    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure>;
    fn keep(&self, name: &str, file: &Self::File) -> Result<Self::File, Failure>;
}

/// A message before it is accepted.
pub(crate) struct Draft<F> {
    pub(crate) message_type: String,
    pub(crate) sender: String,
    pub(crate) sbd: Vec<u8>,
    /// None while files can still be added.
    pub(crate) files: Option<Vec<F>>,
}

/// A message that left.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) message_id: String,
    pub(crate) conversation_id: String,
    pub(crate) document_type: String,
    pub(crate) sender: String,
    pub(crate) receiver: String,
    /// The forsendelse; empty when its id was not kept.
    pub(crate) reference: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) last_update: u64,
}
