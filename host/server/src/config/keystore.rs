//! Opens the keystores that the configuration names.

use anyhow::Context as _;
use budstikke_message::keystore::{Identity, Keystore as Reader};

use super::Keystore;

/// The key and certificates of a keystore. PEM when the file name says so, else PKCS#12.
pub fn open_keystore(keystore: &Keystore) -> anyhow::Result<Identity> {
    let name = keystore.path.display().to_string();
    let bytes = std::fs::read(&keystore.path).with_context(|| format!("the keystore {name}"))?;
    if keystore
        .path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("pem"))
    {
        return Reader::from_pem(&bytes).with_context(|| format!("the keystore {name}"));
    }
    let password = match &keystore.password {
        Some(password) => password
            .value()
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("the password of the keystore {name}"))?,
        None => String::new(),
    };
    Reader::from_pkcs12(&bytes, &password, keystore.alias.as_deref()).with_context(|| format!("the keystore {name}"))
}
