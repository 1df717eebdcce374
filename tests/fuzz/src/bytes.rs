//! Cutting an input into the parts that a target needs.

use std::io::{self, Read};

/// What stands before the first byte of this value, and what behind; nothing behind when there is none.
pub(crate) fn split(input: &[u8], at: u8) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == at) {
        Some(place) => (&input[..place], &input[place + 1..]),
        None => (input, &[]),
    }
}

/// Gives what it holds one byte at a time, as a slow network does.
pub(crate) struct Drop<'a>(pub(crate) &'a [u8]);

impl Read for Drop<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(1);
        self.0.read(&mut out[..most])
    }
}
