//! HTTP over `wasi:http`, blocking, with documents streamed by the host.
//!
//! ```no_run
//! use budstikke_sdk::http::Request;
//! # fn upload(package: &budstikke_sdk::Document, token: &str) -> Result<(), budstikke_sdk::Failure> {
//! let response = Request::post("https://service.example/api/files")
//!     .bearer(token)
//!     .document(package, "application/octet-stream")
//!     .send()?;
//! response.success("Service api error")?;
//! # Ok(())
//! # }
//! ```

mod address;
mod classify;
mod error;
mod multipart;
pub(crate) mod pump;
mod request;
mod response;

pub use address::{Address, in_query, without_secrets};
pub use classify::{MAX_ERROR_BODY, classify, error_text, is_success};
pub use error::{HttpError, Reach};
pub use multipart::{Multipart, Piece};
pub use request::{Method, Request, Timeouts};
pub use response::Response;
