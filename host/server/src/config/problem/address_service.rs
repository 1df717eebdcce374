//! What can make no sense in the file of the address service.

use std::path::Path;

use budstikke_message::identifier::{ProcessId, ServiceId};

use super::{Problems, outside, server};
use crate::config::{AddressService, Role, Server, Signing};

/// Everything that a parser cannot see.
pub(in crate::config) fn sense(config: &AddressService, file: &Path, text: &str) -> Problems {
    let mut problems = Problems::default();
    for (key, what) in faults_of_serving(config) {
        problems.add(file, text, &key.iter().map(String::as_str).collect::<Vec<_>>(), what);
    }
    problems.0.extend(sense_of_embedded(config, file, text).0);
    problems
}

/// The same for one that nobody asks from outside.
pub(in crate::config) fn sense_of_embedded(config: &AddressService, file: &Path, text: &str) -> Problems {
    let mut problems = Problems::default();
    for (key, what) in faults_of_look_ups(config) {
        problems.add(file, text, &key.iter().map(String::as_str).collect::<Vec<_>>(), what);
    }
    problems
}

/// Clients, what they call, and what they get.
fn faults_of_serving(config: &AddressService) -> Vec<(Vec<String>, String)> {
    let own = &config.server;
    let below_server = |key: &[&str]| {
        std::iter::once("server")
            .chain(key.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    let mut faults: Vec<(Vec<String>, String)> = Vec::new();
    let front = Server {
        open: own.users.is_empty(),
        users: own.users.clone(),
        ..own.front()
    };
    server::sense(&front, |key, what| faults.push((below_server(key), what)));
    if own.users.iter().any(|user| user.roles != [Role::Admin]) {
        let what = "each user must have roles = [\"admin\"]; there is nothing else to do here";
        faults.push((below_server(&["users"]), what.into()));
    }
    if let Some(what) = unfit_context_path(&own.context_path) {
        faults.push((below_server(&["context-path"]), what.into()));
    }
    let of_clients = config.clients.faults(own.listen).into_iter();
    faults.extend(of_clients.map(|(key, what)| (std::iter::once("clients".to_owned()).chain(key).collect(), what)));
    let mut add = |key: &[&str], what: String| faults.push((key.iter().map(|part| (*part).to_owned()).collect(), what));
    match &config.signing {
        None => add(&["signing"], "is missing: clients want signed answers".into()),
        Some(Signing { keystore }) if !keystore.path.is_file() => {
            let what = format!("no such file: {}", keystore.path.display());
            add(&["signing", "keystore"], what);
        }
        Some(_) => {}
    }
    if let Some(management) = &config.management
        && management.listen == own.listen
        && own.listen.port() != 0
    {
        add(
            &["management", "listen"],
            "is the address of [server]; leave [management] out to have both there".into(),
        );
    }
    if config.sas_token.as_ref().is_some_and(|token| token.scopes.is_empty()) {
        add(
            &["sas-token", "scopes"],
            "must name at least one scope: a key is not for everybody".into(),
        );
    }
    faults
}

/// Rules, services, registers.
fn faults_of_look_ups(config: &AddressService) -> Vec<(Vec<String>, String)> {
    let mut faults = Vec::new();
    let mut add = |key: &[&str], what: String| faults.push((key.iter().map(|part| (*part).to_owned()).collect(), what));
    let rules = &config.rules;
    if let Some(file) = rules.file.as_ref().filter(|file| !file.is_file()) {
        add(&["rules", "file"], format!("no such file: {}", file.display()));
    }
    let processes = std::iter::once(("default-process", &rules.default_process))
        .chain(rules.information.iter().map(|process| ("information", process)))
        .chain(rules.decisions.iter().map(|process| ("decisions", process)));
    for (key, process) in processes {
        if let Err(error) = process.parse::<ProcessId>() {
            add(&["rules", key], format!("{process}: {error}"));
        }
    }
    for (name, service) in &config.services {
        if let Err(error) = name.parse::<ServiceId>() {
            add(&["services", name], error.to_string());
        }
        if let Some(file) = service.certificate.as_ref().filter(|file| !file.is_file()) {
            add(
                &["services", name, "certificate"],
                format!("no such file: {}", file.display()),
            );
        }
    }
    match config.registers() {
        Ok(registers) if config.token.is_none() => {
            let named = [
                ("svarut", registers.svarut.is_some()),
                ("fiks", registers.fiks.is_some()),
            ];
            for (name, _) in named.iter().filter(|(_, there)| *there) {
                add(&["registers", name], "wants a token of our own: add [token]".into());
            }
        }
        Ok(_) => {}
        Err((key, what)) => {
            let key: Vec<&str> = std::iter::once("registers")
                .chain(key.iter().map(String::as_str))
                .collect();
            add(&key, what);
        }
    }
    if let Some(token) = &config.token {
        outside::tokens(&token.profile(), |key, what| add(&["token", key], what));
    }
    outside::certificates(&config.certificates, |key, what| add(&["certificates", key], what));
    faults
}

fn unfit_context_path(path: &str) -> Option<&'static str> {
    let fits = |segment: &str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let whole = path.is_empty() || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(fits));
    (!whole)
        .then_some("must be empty, or a path such as /adressetjeneste: a slash before each name and none at the end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.pem"), "").unwrap();
        let file = folder.path().join("registry.toml");
        let found = AddressService::parse(text, &file).err().unwrap_or_default();
        let named = format!("{}:", file.display());
        found
            .0
            .iter()
            .map(|problem| problem.to_string().replace(&named, ""))
            .collect()
    }

    const SIGNING: &str = "[signing]\nkeystore = { path = 'key.pem' }\n";
    const TOKEN_URL: &str = "[token]\nurl = 'ftp://hush:hush@issuer.example'\naudience = 'a'\nclient-id = 'b'\n\
                             scopes = []\nkeystore = { path = 'none.p12' }\njwk = 'none.json'\n";
    const ISSUER: &str = "[[clients.issuers]]\nurl = 'https://issuer.example/'\n";

    #[test]
    fn what_is_needed_is_enough() {
        assert_eq!(problems(&format!("{SIGNING}{ISSUER}")), Vec::<String>::new());
    }

    #[test]
    fn what_makes_no_sense_is_told_by_line_and_key() {
        for (text, told) in [
            (
                "[server]\ncontext-path = 'x'\n",
                "2: server.context-path: must be empty, or a path",
            ),
            (
                "[server]\ncontext-path = '/x/'\n",
                "2: server.context-path: must be empty, or a path",
            ),
            (
                "[server.limits]\nheaders = 1\n",
                "2: server.limits.headers: must be from 10 to 1000",
            ),
            (
                "[[server.users]]\nname = 'a'\npassword-hash = 'x'\n",
                "1: server.users: each user must have roles = [\"admin\"]",
            ),
            (
                "[management]\nlisten = '127.0.0.1:8080'\n",
                "2: management.listen: is the address of [server]",
            ),
            (
                "[sas-token]\nvalue = 'x'\nscopes = []\n",
                "3: sas-token.scopes: must name at least one scope",
            ),
            (
                "[store.postgres]\nurl = 'x'\nwriters = 4\n",
                "3: store.postgres.writers: unknown field `writers`",
            ),
            (
                "[certificates]\nrevocation = 'require'\n",
                "2: certificates.revocation: \"require\" needs trust-anchors",
            ),
            (
                "[certificates]\ntrust-anchors = ['none.pem']\n",
                "2: certificates.trust-anchors: no such file",
            ),
            (
                "[certificates]\npinned = ['none.pem']\n",
                "2: certificates.pinned: no such file",
            ),
            (
                "[certificates]\nsuppliers = ['1']\n",
                "2: certificates.suppliers: must be numbers of nine digits",
            ),
            (TOKEN_URL, "2: token.url: must be a URL with http or https"),
            (TOKEN_URL, "5: token.scopes: must name at least one scope"),
            (TOKEN_URL, "6: token.keystore: no such file"),
            (TOKEN_URL, "7: token.jwk: no such file"),
            (TOKEN_URL, "7: token.jwk: give either jwk or keystore, not both"),
            (
                "[server]\nlisten = 'hush'\n",
                "2: server.listen: invalid socket address syntax",
            ),
            (
                "[registers.freg]\nurl = 'https://x'\napi-key = 5839012391\n",
                "1: registers.freg: invalid type: integer, expected a string",
            ),
            ("[rules]\nfile = 'none.toml'\n", "2: rules.file: no such file"),
            ("[rules]\ndecisions = ['']\n", "2: rules.decisions: "),
            (
                "[services.ONE]\ncertificate = 'none.pem'\n",
                "2: services.ONE.certificate: no such file",
            ),
            (
                "[registers.brreg]\nurll = 'x'\n",
                "1: registers.brreg: unknown field `urll`",
            ),
            (
                "[registers.freg]\nurl = 'https://x'\napi-key = { env = 'BUDSTIKKE_NOT_SET' }\n",
                "3: registers.freg.api-key: the environment variable BUDSTIKKE_NOT_SET is not set",
            ),
            (
                "[registers.svarut]\nurl = 'https://x'\nintegrasjon-id = 'a'\nintegrasjon-passord = 'b'\n",
                "1: registers.svarut: wants a token of our own",
            ),
            ("[server]\ncolour = 1\n", "2: server.colour: unknown field"),
            ("[clients]\nopen = true\n", "1: clients.organisation: must say who"),
        ] {
            let found = problems(&format!("{text}{SIGNING}{ISSUER}"));
            assert!(found.iter().any(|found| found.starts_with(told)), "{text}: {found:?}");
            let hidden = ["hush", "5839012391"];
            assert!(
                !found
                    .iter()
                    .any(|found| hidden.iter().any(|value| found.contains(value))),
                "{found:?}"
            );
        }
        let unsigned = problems(ISSUER);
        assert!(
            unsigned[0].ends_with("signing: is missing: clients want signed answers"),
            "{unsigned:?}"
        );
        let nobody = problems(SIGNING);
        assert!(nobody[0].contains("clients: nobody may ask"), "{nobody:?}");
        let missing = problems(&format!("{ISSUER}[signing]\nkeystore = {{ path = 'none.pem' }}\n"));
        assert!(missing[0].contains("signing.keystore: no such file"), "{missing:?}");
    }

    #[test]
    fn open_clients_on_a_network_are_refused_unless_said_twice() {
        let open = "[server]\nlisten = '0.0.0.0:8080'\n[clients]\nopen = true\norganisation = '991825827'\n";
        let found = problems(&format!("{open}{SIGNING}"));
        assert!(found[0].contains("clients.open: everybody who reaches"), "{found:?}");
        assert!(problems(&format!("{open}open-on-network = true\n{SIGNING}")).is_empty());
    }
}
