//! Password hashes as they stand in the configuration: argon2 in PHC form, and bcrypt as Java's framework writes it.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// What stands before a hash where Spring's `DelegatingPasswordEncoder` wrote it.
const PREFIXES: [&str; 3] = ["{bcrypt}", "{argon2}", "{argon2@SpringSecurity_v5_8}"];
/// What one verification may cost at most: everybody who knows the address can ask for one. Memory in KiB.
const MEMORY: u32 = 256 * 1024;
const PASSES: u32 = 20;
const LANES: u32 = 16;
const BCRYPT_COST: u32 = 15;
/// Longest password that is hashed, bytes.
const PASSWORD: usize = 1024;

/// Why a hash cannot be used. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HashError {
    /// Neither of the two forms.
    #[error(
        "it is neither argon2 in PHC form ($argon2id$v=19$…) nor bcrypt ($2b$…); budstikke hash-password makes one"
    )]
    Unknown,
    /// The right form, and damaged.
    #[error("it is damaged: {0} of the hash cannot be read; budstikke hash-password makes a new one")]
    Damaged(&'static str),
    /// Verification would take too much of the machine.
    #[error("it costs too much to verify: at most 256 MiB of memory, 20 passes, 16 lanes, or bcrypt cost 15")]
    TooDear,
}

/// Why no hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Nothing to hash.
    #[error("the password is empty")]
    Empty,
    /// More than anybody types.
    #[error("the password is longer than 1024 bytes")]
    TooLong,
    /// The library or the system refused.
    #[error("the hash cannot be computed")]
    Failed,
}

/// A hash that can be verified against.
#[derive(Clone)]
pub(crate) enum PasswordHash {
    Argon2(Box<Phc>),
    Bcrypt(String),
}

impl PasswordHash {
    /// Reads a hash, and checks that verifying is affordable.
    pub(crate) fn parse(text: &str) -> Result<Self, HashError> {
        let text = text.trim();
        let text = PREFIXES
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        if text.starts_with("$argon2") {
            let hash = Phc::new(text).map_err(|_| HashError::Damaged("the text"))?;
            if !["argon2id", "argon2i", "argon2d"].contains(&hash.algorithm.as_str()) {
                return Err(HashError::Unknown);
            }
            let params = Params::try_from(&hash).map_err(|_| HashError::Damaged("a parameter"))?;
            if hash.salt.is_none() || hash.hash.is_none() {
                return Err(HashError::Damaged("the salt or the end"));
            }
            if params.m_cost() > MEMORY || params.t_cost() > PASSES || params.p_cost() > LANES {
                return Err(HashError::TooDear);
            }
            return Ok(Self::Argon2(Box::new(hash)));
        }
        if text.starts_with("$2") {
            // Exactly 60 characters, all of them decoded: what passes here can be verified against.
            let parts: bcrypt::HashParts = text.parse().map_err(|_| HashError::Damaged("the text"))?;
            if parts.get_cost() > BCRYPT_COST {
                return Err(HashError::TooDear);
            }
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        Err(HashError::Unknown)
    }

    /// Whether the password is the one. Takes from milliseconds to a second, all of it computing.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        if password.len() > PASSWORD {
            return false;
        }
        match self {
            Self::Argon2(hash) => Argon2::default().verify_password(password, &**hash).is_ok(),
            // Looks at the first 72 bytes, as Java does.
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }
}

/// The hash of a password for the configuration: argon2id, 19 MiB, two passes, one lane (OWASP's recommendation).
pub(crate) fn hashed(password: &str) -> Result<String, PasswordError> {
    match password.len() {
        0 => return Err(PasswordError::Empty),
        1..=PASSWORD => {}
        _ => return Err(PasswordError::TooLong),
    }
    let mut salt = [0_u8; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| PasswordError::Failed)?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What libxcrypt makes of "hemmelig".
    const BCRYPT: &str = "$2y$04$abcdefghijklmnopqrstuuWmL4JtIt1luPpPxSJbKR3CQv3k4mbvm";

    fn accepts(hash: &str, password: &str) -> bool {
        PasswordHash::parse(hash).unwrap().verify(password.as_bytes())
    }

    #[test]
    fn a_password_opens_its_hash_and_no_other_does() {
        let hash = hashed("blåbærsyltetøy").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(accepts(&hash, "blåbærsyltetøy"));
        for wrong in ["", "blåbærsyltetøy ", "Blåbærsyltetøy", "bl\u{61}\u{30a}bærsyltetøy"] {
            assert!(!accepts(&hash, wrong), "{wrong}");
        }
        assert_ne!(hash, hashed("blåbærsyltetøy").unwrap(), "each has its own salt");
    }

    #[test]
    fn hashes_of_java_are_taken_as_they_are() {
        for hash in [
            BCRYPT.to_owned(),
            format!("{{bcrypt}}{BCRYPT}"),
            BCRYPT.replace("$2y", "$2a"),
        ] {
            assert!(accepts(&hash, "hemmelig"), "{hash}");
            assert!(!accepts(&hash, "hemmelig2"), "{hash}");
        }
        // The reference vector of argon2's own command: argon2 somesalt -id -t 2 -m 16 -p 1 <<< password
        let reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(accepts(reference, "password"));
        assert!(accepts(
            &format!("{{argon2@SpringSecurity_v5_8}}{reference}"),
            "password"
        ));
    }

    #[test]
    fn what_is_no_hash_is_refused_and_not_repeated() {
        for (text, error) in [
            ("hemmelig", HashError::Unknown),
            ("", HashError::Unknown),
            ("{noop}hemmelig", HashError::Unknown),
            ("{MD5}X03MO1qnZdYdgyfeuILPmQ==", HashError::Unknown),
            (
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
                HashError::Damaged("the salt or the end"),
            ),
            (
                "$argon2id$v=19$m=x,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                HashError::Damaged("a parameter"),
            ),
            ("$2b$10$short", HashError::Damaged("the text")),
        ] {
            assert_eq!(PasswordHash::parse(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn a_hash_that_would_eat_the_machine_is_refused() {
        let tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        for dear in ["m=262145,t=2,p=1", "m=65536,t=21,p=1", "m=65536,t=2,p=17"] {
            let hash = format!("$argon2id$v=19${dear}{tail}");
            assert_eq!(PasswordHash::parse(&hash).err(), Some(HashError::TooDear), "{dear}");
        }
        let dear = BCRYPT.replace("$04$", "$16$");
        assert_eq!(PasswordHash::parse(&dear).err(), Some(HashError::TooDear));
    }

    #[test]
    fn an_empty_or_endless_password_is_not_hashed() {
        assert_eq!(hashed(""), Err(PasswordError::Empty));
        assert_eq!(hashed(&"x".repeat(1025)), Err(PasswordError::TooLong));
        let hash = PasswordHash::parse(&hashed("x").unwrap()).unwrap();
        assert!(!hash.verify("x".repeat(100_000).as_bytes()));
    }
}
