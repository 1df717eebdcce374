//! Random values from the host's generator.

use std::fmt::Write as _;

use crate::bindings::wasi::random::random;

/// A random UUID (version 4) in its usual 36 characters.
pub fn uuid() -> String {
    let (high, low) = (random::get_random_u64(), random::get_random_u64());
    uuid_of((u128::from(high) << 64) | u128::from(low))
}

/// The version 4 UUID of 128 random bits; six of them are overwritten by version and variant (RFC 9562, 5.4).
pub fn uuid_of(bits: u128) -> String {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0b11 << 62;
    let bits = (bits & !VERSION & !VARIANT) | (0x4 << 76) | (0b10 << 62);
    let mut text = String::with_capacity(36);
    for (place, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::uuid_of;

    #[test]
    fn a_uuid_carries_version_and_variant() {
        assert_eq!(uuid_of(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid_of(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            uuid_of(0x5d2a_6c1e_6f0b_4a57_9c43_0a7c_7b1d_9e10),
            "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10"
        );
    }
}
