//! Files that operators write.
//!
//! [`read`] reads a TOML file into a value that makes sense, or gives [`Problems`] that name file, line and key, and never a value.
//! A [`Secret`] can stand elsewhere; sizes and times have units ([`quantity`]).
#![forbid(unsafe_code)]

mod file;
mod place;
mod problem;
pub mod quantity;
mod secret;
mod told;

pub use file::{File, parse, read};
pub use place::{Lines, key_at, line_at, place_of};
pub use problem::{Problem, Problems};
pub use quantity::{QuantityError, parse_size, parse_time};
pub use secret::Secret;
pub use told::{Told, without_values};
