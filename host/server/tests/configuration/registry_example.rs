//! `examples/registry.toml` shows every setting of the address service, and tells the truth about it.

use std::fs;

use budstikke::config::{AddressServer, AddressService, Role, RuleSettings};
use toml::{Table, Value};

use crate::coverage::missing_of;
use crate::example::uncommented;

const EXAMPLE: &str = include_str!("../../../../examples/registry.toml");

/// The example in a folder with the files that it names.
fn installed(text: &str) -> Result<AddressService, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    let keys = [
        "server.pem",
        "server.key",
        "signing.p12",
        "sas-token",
        "ks-password",
        "maskinporten.p12",
    ];
    for file in keys {
        fs::write(folder.path().join("keys").join(file), "").unwrap();
    }
    for inside in ["receivers", "authorities"] {
        fs::create_dir(folder.path().join(inside)).unwrap();
    }
    for file in ["rules.toml", "receivers/svarut.pem", "authorities/buypass.pem"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    AddressService::parse(text, &folder.path().join("registry.toml")).map_err(|problems| problems.to_string())
}

#[test]
fn the_example_is_a_configuration_without_problems() {
    let config = installed(EXAMPLE).unwrap();
    assert_eq!(config.server.users[0].roles, [Role::Admin]);
    assert_eq!(config.clients.issuers[0].url, "https://test.maskinporten.no/");
    assert!(config.registers.contains_key("svarut"));
    let without_keys = EXAMPLE.replace("keys/signing.p12", "keys/none.p12");
    assert!(
        installed(&without_keys)
            .unwrap_err()
            .contains("signing.keystore: no such file")
    );
}

#[test]
fn every_setting_of_the_address_service_is_in_the_example() {
    let mut file = uncommented(EXAMPLE);
    // These stand in the other example.
    let limits = file["server"]["limits"].as_table_mut().unwrap();
    let others = crate::example::limits();
    limits.extend(others.into_iter().filter(|(key, _)| key != "connections"));
    assert_eq!(missing_of("AddressService", &file), Vec::<String>::new());
    file["server"].as_table_mut().unwrap().remove("context-path").unwrap();
    file["clients"]["issuers"][0]
        .as_table_mut()
        .unwrap()
        .remove("audience")
        .unwrap();
    assert_eq!(
        missing_of("AddressService", &file),
        ["server.context-path", "clients.issuers.audience"]
    );
}

#[test]
fn what_the_example_calls_defaults_are_the_defaults() {
    let config: AddressService = toml::from_str(EXAMPLE).unwrap();
    let default = AddressServer::default();
    assert_eq!(
        (
            config.server.listen,
            &config.server.context_path,
            config.server.drain_time
        ),
        (default.listen, &default.context_path, default.drain_time)
    );
    assert_eq!(config.server.limits, default.limits);
    assert!(!config.clients.open && !config.clients.open_on_network);
    let (rules, default) = (&config.rules, RuleSettings::default());
    assert_eq!(
        (&rules.default_process, &rules.information, &rules.decisions),
        (&default.default_process, &default.information, &default.decisions)
    );
}

#[test]
fn no_secret_stands_in_the_example() {
    let file: Table = uncommented(EXAMPLE);
    let secrets = [
        &file["server"]["users"][0]["password-hash"],
        &file["server"]["tls"]["keystore"]["password"],
        &file["store"]["postgres"]["url"],
        &file["signing"]["keystore"]["password"],
        &file["sas-token"]["value"],
    ];
    assert!(secrets.iter().all(|secret| Value::is_table(secret)));
}
