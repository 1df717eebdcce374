//! An invented organisation. Its key protects nothing.

use std::sync::LazyLock;

use budstikke_message::keystore::{Identity, Keystore};
use jiff::Timestamp;

/// Key and certificate.
pub(super) static IDENTITY: LazyLock<Identity> =
    LazyLock::new(|| Keystore::from_pem(include_bytes!("../../identity.pem")).unwrap());

/// A moment at which the certificate is valid.
pub(super) static MOMENT: LazyLock<Timestamp> = LazyLock::new(|| "2027-06-01T12:00:00Z".parse().unwrap());
