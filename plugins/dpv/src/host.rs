//! What the adapter asks of the outside. The real answers are in [`crate::live`], scripted ones in the tests.

use budstikke_sdk::http::{HttpError, Method, Piece};
use budstikke_sdk::{Delivery, Failure};

/// One HTTP request.
pub(crate) struct Call<'a, F> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) form: Option<&'a Form<'a, F>>,
}

/// A form with files that the host streams.
pub(crate) struct Form<'a, F> {
    /// With the boundary.
    pub(crate) content_type: String,
    pub(crate) pieces: Vec<Piece<&'a F>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
    /// The whole body of a 2xx answer, of another one the first 4 KiB.
    pub(crate) body: Vec<u8>,
}

/// The host, as one adapter sees it.
pub(crate) trait Host {
    /// A document by handle.
    type File;

    // Who we are, and who others are.
    fn token(&self, profile: &str, scope: &str) -> Result<String, Failure>;
    fn token_was_refused(&self, token: &str);
    /// The name of an organisation by its nine digits. None when nobody has the number, or no name is known.
    fn name_of(&self, organisation: &str) -> Result<Option<String>, Failure>;

    // Outside.
    fn http(&self, call: Call<'_, Self::File>) -> Result<Answer, HttpError>;
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> u64;
    fn uuid(&self) -> String;
    fn info(&self, text: &str);
    fn warn(&self, text: &str);

    // Files.
    fn name(&self, file: &Self::File) -> String;
    fn title(&self, file: &Self::File) -> Option<String>;
    /// Bytes.
    fn size(&self, file: &Self::File) -> Option<u64>;
    fn read(&self, file: &Self::File, limit: u32) -> Result<Vec<u8>, Failure>;

    // The incoming queue.
    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<Delivery, Failure>;
    fn was_handled(&self, reference: &str) -> Result<bool, Failure>;
}

/// What a message says about itself, accepted or not.
pub(crate) trait Written {
    /// A document by handle.
    type File;

    fn message_id(&self) -> String;
    fn process(&self) -> String;
    fn message_type(&self) -> String;
    fn sender(&self) -> String;
    fn receiver(&self) -> String;
    fn sbd(&self) -> Result<Vec<u8>, Failure>;
    /// The resource at Altinn that the registry says to send it under.
    fn resource(&self) -> Option<String>;
}

/// A message that is about to be accepted.
pub(crate) trait Proposed: Written {
    /// None while files can still be added.
    fn files(&self) -> Option<Vec<Self::File>>;
}

/// A message on its way out.
pub(crate) trait Outgoing: Written {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn expires(&self) -> u64;
    fn uncertain(&self) -> bool;
    fn files(&self) -> Vec<Self::File>;
    fn checkpoint(&self, name: &str) -> Option<Vec<u8>>;
    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure>;
}
