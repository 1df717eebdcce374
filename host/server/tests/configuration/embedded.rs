//! An address service in the integrasjonspunkt: what is wrong with it is said by the file, line and key where it is wrong.

use budstikke::config::Config;

use crate::installation::Installation;

const FILE: &str = "registry.toml";

/// The example with an address service whose file has this in it.
fn installation(registry: &str) -> Installation {
    let installation = Installation::new();
    installation.change("[registry]", &format!("[registry]\nembedded = \"{FILE}\" # here"));
    installation.put(FILE, registry);
    installation
}

#[track_caller]
fn problems(installation: &Installation) -> Vec<String> {
    let problems = Config::read(&installation.file()).map(drop).unwrap_err();
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_is_enough() {
    let config = Config::read(&installation("").file()).unwrap();
    assert!(config.registry.embedded.unwrap().ends_with(FILE));
}

#[test]
fn what_is_about_clients_means_nothing_there() {
    let all = "[server]\nlisten = \"0.0.0.0:80\"\n[clients]\nopen = true\n[management]\nlisten = \"0.0.0.0:80\"\n\
         [signing]\nkeystore = { path = \"none.p12\" }\n";
    Config::read(&installation(all).file()).unwrap();
}

#[test]
fn what_is_wrong_in_its_file_is_told_by_that_file() {
    for (text, told) in [
        ("[store]\nfoldr = \"x\"\n", ":2: store.foldr: unknown field `foldr`"),
        (
            "\n[services.ONE]\ncertificate = \"none.pem\"\n",
            ":3: services.ONE.certificate: no such file",
        ),
        (
            "[store.postgres]\nurl = \"x\"\nwriters = 0\n",
            ":3: store.postgres.writers: unknown field",
        ),
    ] {
        let installation = installation(text);
        let found = problems(&installation);
        let place = installation.file().with_file_name(FILE).display().to_string();
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("{place}{told}")),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let installation = installation("");
    installation.remove(FILE);
    let found = problems(&installation);
    let expected = format!("{}registry.embedded: no such file: ", installation.place("embedded = "));
    assert!(found.len() == 1 && found[0].starts_with(&expected), "{found:?}");
}

#[test]
fn there_is_one_address_service_and_it_has_what_it_means() {
    for (keys, told) in [
        (
            "url = \"https://a.no\"",
            "registry.embedded: give either url or embedded, not both",
        ),
        (
            "jwk-url = \"https://a.no\"",
            "registry.jwk-url: means nothing without url",
        ),
    ] {
        let installation = Installation::new();
        installation.change("[registry]", &format!("[registry]\nembedded = \"{FILE}\"\n{keys}"));
        installation.put(FILE, "");
        let found = problems(&installation);
        assert!(found.len() == 1 && found[0].contains(told), "{found:?}");
    }
    let installation = Installation::new();
    let token = "token-profile = \"altinn\"\nscopes = [\"altinn:broker.read\"]";
    installation.change("[registry]", &format!("[registry]\nembedded = \"{FILE}\"\n{token}"));
    installation.put(FILE, "");
    Config::read(&installation.file()).unwrap();
}

#[test]
fn check_looks_at_what_only_a_start_would_see() {
    let installation = installation("[rules]\noff = [\"nothing-such\"]\n").with_plugin();
    let output = installation.check();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!(
        "{}registry.embedded: [rules] off: no rule asks for nothing-such",
        installation.place("embedded = ")
    );
    assert!(told.starts_with(&expected) && told.lines().count() == 1, "{told}");
    assert_eq!(output.status.code(), Some(1));
}
