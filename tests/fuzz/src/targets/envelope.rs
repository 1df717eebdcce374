//! An envelope that arrives, sealed to us or to anybody.

use std::io::Read;

use budstikke_message::cms::{CmsError, EnvelopeReader};

use super::identity::IDENTITY;
use crate::bytes::Drop;

/// Shorter content could be the same by chance.
const TELLING: usize = 16;

pub(super) fn check(input: &[u8]) {
    let (first, second) = (open(input), open(input));
    let slow = open(Drop(input));
    // Where the content key cannot be decrypted a random one is used, lest the error tell why. Then nothing is the same twice.
    if let (Ok(first), Ok(second)) = (first, second)
        && first == second
        && first.len() >= TELLING
    {
        assert!(first.len() < input.len(), "sealing does not compress");
        assert!(slow.is_ok_and(|slow| slow == first), "one byte at a time");
    }
}

fn open(input: impl Read) -> Result<Vec<u8>, CmsError> {
    let mut reader = EnvelopeReader::open(input, &IDENTITY)?;
    let mut content = Vec::new();
    let read = reader.read_to_end(&mut content);
    assert_eq!(reader.is_complete(), read.is_ok());
    assert!(read.is_ok() || !reader.is_authenticated());
    read.map(|_| content).map_err(CmsError::from_io)
}
