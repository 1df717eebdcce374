//! Accounts at KS: our own, and those of the organisations that we act for.

use std::collections::BTreeMap;

use budstikke_sdk::settings::{SettingError, Settings};

use super::Protocol;

/// What one sender reaches SvarUt by. Which half is there follows from the protocol.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// `kontoid`: the konto, a UUID (REST).
    pub konto: String,
    /// `integrasjon-id`: the integrasjon, a UUID (REST).
    pub integration: String,
    /// `integrasjon-passord` (REST).
    pub integration_password: String,
    /// `username` and `password` (SOAP).
    pub login: Login,
}

/// A user name and its password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// Without a colon.
    pub user: String,
    /// Any text.
    pub password: String,
}

pub(super) const ACCOUNT_KEYS: [&str; 5] = [
    "username",
    "password",
    "kontoid",
    "integrasjon-id",
    "integrasjon-passord",
];
pub(super) const LOGIN_KEYS: [&str; 2] = ["username", "password"];

/// The account that stands in a table; none when nothing of it is there. What belongs to the other protocol may stand there too, for an
/// operator who changes from one to the other.
pub(super) fn account(given: &Settings, protocol: Protocol) -> Result<Option<Account>, SettingError> {
    let wanted: &[&str] = match protocol {
        Protocol::Rest => &ACCOUNT_KEYS[2..],
        Protocol::Soap => &LOGIN_KEYS,
    };
    if !any(given, wanted)? {
        return Ok(None);
    }
    Ok(Some(match protocol {
        Protocol::Rest => Account {
            konto: uuid(given, "kontoid")?,
            integration: uuid(given, "integrasjon-id")?,
            integration_password: header(given, "integrasjon-passord")?,
            login: Login::default(),
        },
        Protocol::Soap => Account {
            login: required_login(given)?,
            ..Account::default()
        },
    }))
}

/// The login that stands in a table; none when neither half of it is there.
pub(super) fn login(given: &Settings) -> Result<Option<Login>, SettingError> {
    any(given, &LOGIN_KEYS)?.then(|| required_login(given)).transpose()
}

/// A table by organisation number.
pub(super) fn by_organisation<T>(
    given: &Settings,
    known: &[&str],
    read: impl Fn(&Settings) -> Result<Option<T>, SettingError>,
    missing: &str,
) -> Result<BTreeMap<String, T>, SettingError> {
    let mut found = BTreeMap::new();
    let Some(table) = given.table("paa-vegne-av")? else {
        return Ok(found);
    };
    for number in table.keys() {
        if !is_organisation(number) {
            return Err(SettingError::invalid(
                &table.name(number),
                "must be an organisation number",
            ));
        }
        let Some(account) = table.table(number)? else {
            continue;
        };
        account.refuse_unknown(known)?;
        let value = read(&account)?.ok_or_else(|| SettingError::Missing(account.name(missing)))?;
        found.insert(number.to_owned(), value);
    }
    Ok(found)
}

/// Nine digits.
pub(crate) fn is_organisation(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether one of the keys has a text that is not empty.
fn any(given: &Settings, keys: &[&str]) -> Result<bool, SettingError> {
    for key in keys {
        if given.text(key)?.is_some_and(|text| !text.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn required_login(given: &Settings) -> Result<Login, SettingError> {
    let user = given.required_text("username")?;
    if user.contains(':') {
        return Err(SettingError::invalid(
            &given.name("username"),
            "must not have a colon in it",
        ));
    }
    Ok(Login {
        user: user.to_owned(),
        password: given.required_text("password")?.to_owned(),
    })
}

fn uuid(given: &Settings, key: &str) -> Result<String, SettingError> {
    let text = given.required_text(key)?;
    if crate::id::is_uuid(text) {
        Ok(text.to_owned())
    } else {
        Err(SettingError::invalid(&given.name(key), "must be a UUID"))
    }
}

/// A text that can stand in a header.
fn header(given: &Settings, key: &str) -> Result<String, SettingError> {
    let text = given.required_text(key)?;
    if text.chars().any(char::is_control) {
        return Err(SettingError::invalid(&given.name(key), "must be one line"));
    }
    Ok(text.to_owned())
}
