//! What can make no sense in `[certificates]` and in a profile of tokens: both programs have them.

use budstikke_message::identifier::OrganisationNumber;
use reqwest::Url;

use crate::config::{Certificates, Revocation, TokenProfile};

/// Calls `add` with the key below `[certificates]` and what is wrong with it.
pub(super) fn certificates(certificates: &Certificates, mut add: impl FnMut(&str, String)) {
    for (key, paths) in [
        ("trust-anchors", &certificates.trust_anchors),
        ("pinned", &certificates.pinned),
    ] {
        for path in paths.iter().filter(|path| !path.is_file()) {
            add(key, format!("no such file: {}", path.display()));
        }
    }
    for number in &certificates.suppliers {
        if number.parse::<OrganisationNumber>().is_err() {
            add("suppliers", "must be numbers of nine digits".into());
        }
    }
    if certificates.revocation == Revocation::Require && certificates.trust_anchors.is_empty() {
        let what =
            "\"require\" needs trust-anchors: the authority's word can be believed only when the authority is known";
        add("revocation", what.into());
    }
}

/// Calls `add` with the key below the profile and what is wrong with it.
pub(super) fn tokens(profile: &TokenProfile, mut add: impl FnMut(&str, String)) {
    let keystore = profile.keystore.as_ref().map(|keystore| &keystore.path);
    for (key, path) in [("keystore", keystore), ("jwk", profile.jwk.as_ref())] {
        if let Some(path) = path.filter(|path| !path.is_file()) {
            add(key, format!("no such file: {}", path.display()));
        }
    }
    let web = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    for (key, url) in [
        ("url", Some(&profile.url)),
        ("exchange-url", profile.exchange_url.as_ref()),
    ] {
        if url.is_some_and(|url| !web(url)) {
            add(key, "must be a URL with http or https".into());
        }
    }
    if profile.scopes.is_empty() {
        add("scopes", "must name at least one scope".into());
    }
    if profile.jwk.is_some() && profile.keystore.is_some() {
        add("jwk", "give either jwk or keystore, not both".into());
    }
    if let Some(own) = &profile.own_system_user
        && !profile.system_users.contains_key(own)
    {
        add("own-system-user", format!("{own} is not among system-users"));
    }
    if !profile.consumer_orgs.is_empty() && !profile.system_users.is_empty() {
        add(
            "consumer-orgs",
            "give either system-users or consumer-orgs, not both".into(),
        );
    }
}
