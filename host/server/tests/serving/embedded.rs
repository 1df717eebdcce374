//! `budstikke serve` with an address service in it.

use std::fs;
use std::sync::LazyLock;

use serde_json::Value;

use crate::process::Process;

const OPEN: &str = "open = true\nmanage-open = [\"health\"]\n";
const SERVICES: &str = r#"
[services.DPO]
endpoint-url = "https://dpo.example"
resource = "letters"

[services.DPV]
endpoint-url = "https://dpv.example"
"#;
const ADMINISTRASJON: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
const CERTIFIED: &str = "910076787";
const UNREGISTERED: &str = "974720760";
const UNCERTIFIED: &str = "987464291";
const NOBODY: &str = "938801363";

static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
    made.cert.pem()
});

fn organisations() -> String {
    format!(
        "[[organisations]]\nnumber = \"{CERTIFIED}\"\nname = \"EKSEMPELETATEN\"\nform = \"ORGL\"\n\
         registrations = [\"{ADMINISTRASJON}\"]\ncertificates = {{ DPO = \"\"\"{}\"\"\" }}\n\
         address = {{ lines = [\"Postboks 1\"], postal-code = \"0101\", postal-area = \"OSLO\", country = \"Norge\" }}\n\
         [[organisations]]\nnumber = \"{UNREGISTERED}\"\nname = \"SMÅETATEN\"\n\
         [[organisations]]\nnumber = \"{UNCERTIFIED}\"\nname = \"NYETATEN\"\nregistrations = [\"{ADMINISTRASJON}\"]\n",
        *CERTIFICATE
    )
}

/// An integrasjonspunkt with an address service in it that knows the organisations; not started yet.
fn embedded() -> Process {
    let process = Process::new(&format!("{OPEN}[registry]\nembedded = \"registry.toml\"\n"));
    fs::write(process.path("registry.toml"), SERVICES).unwrap();
    process
}

fn filled(process: &Process) {
    let (taken, said) = process.imports_into("registry.toml", "organisations.toml", &organisations());
    assert!(taken, "{said}");
}

#[test]
fn an_embedded_address_service_gives_the_same_answers_as_one_that_is_asked_over_http() {
    let open = "[clients]\nopen = true\norganisation = \"991825827\"\n";
    let service = Process::address_service("", &format!("{open}{SERVICES}"));
    let (taken, said) = service.imports("organisations.toml", &organisations());
    assert!(taken, "{said}");
    let service = service.start();
    let url = format!("http://{}/adressetjeneste", service.address());
    let remote = Process::new(&format!("{OPEN}[registry]\nurl = \"{url}\"\n")).start();
    let embedded = embedded();
    filled(&embedded);
    let embedded = embedded.start();
    let mut found = 0;
    for receiver in [
        CERTIFIED,
        UNREGISTERED,
        UNCERTIFIED,
        NOBODY,
        "05839012391",
        "her-id:7",
        "adresse",
    ] {
        let mut paths = vec![
            format!("/api/capabilities/{receiver}"),
            format!("/servicerecord/{receiver}"),
        ];
        for process in [
            "arkivmelding:administrasjon",
            "arkivmelding:taushetsbelagt",
            "avtalt:avtalt",
            "ukjent:ukjent",
        ] {
            for level in ["", "&securityLevel=3", "&securityLevel=4"] {
                paths.push(format!(
                    "/api/capabilities/{receiver}?process=urn:no:difi:profile:{process}:ver1.0{level}"
                ));
            }
        }
        for path in paths {
            let status = remote.status("http", &path, &[]);
            assert_eq!(embedded.status("http", &path, &[]), status, "{path}");
            if status == "200" {
                let answer =
                    |process: &Process| -> Value { serde_json::from_str(&process.curl("http", &path, &[])).unwrap() };
                assert_eq!(answer(&embedded), answer(&remote), "{path}");
                found += 1;
            }
        }
    }
    assert!(found >= 12, "{found} answers were compared");
    for process in [service, remote, embedded] {
        process.ends();
    }
}

#[test]
fn what_is_imported_counts_for_the_next_question() {
    let process = embedded().start();
    let path = format!("/api/capabilities/{CERTIFIED}?process={ADMINISTRASJON}");
    assert_eq!(process.status("http", &path, &[]), "404");
    filled(&process);
    process.until("the import is seen", |process| {
        process.status("http", &path, &[]) == "200"
    });
    let found: Value = serde_json::from_str(&process.curl("http", &path, &[])).unwrap();
    assert_eq!(found["capabilities"][0]["serviceIdentifier"], "DPO", "{found}");
    let health: Value = serde_json::from_str(&process.curl("http", "/manage/health", &[])).unwrap();
    let details = &health["components"]["registry"]["details"];
    assert_eq!(
        (&details["embedded"], &details["ownDataReachable"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    process.ends();
}

#[test]
fn a_way_is_explained_with_the_steps_of_the_address_service() {
    let process = embedded();
    let explain = |receiver: &str, more: &[&str]| {
        let what = ["--receiver", receiver, "--process", ADMINISTRASJON];
        process.tells(&["route", "explain"], &[&what, more].concat())
    };
    let (explained, said) = explain(CERTIFIED, &[]);
    assert!(!explained && said.contains("there is no database at"), "{said}");
    filled(&process);
    let (explained, said) = explain(CERTIFIED, &[]);
    assert!(explained, "{said}");
    for line in [
        "The address service was asked.",
        "    registered-for-process: yes, says own data",
        "  rule arkivmelding-registered decides",
        "  because the receiver is registered for this process",
        "  record dpo: made, service DPO",
        "  DPO: urn:no:difi:arkivmelding:xsd::arkivmelding, sealed",
    ] {
        assert!(said.lines().any(|told| told == line), "{line} is not in:\n{said}");
    }
    let (explained, said) = explain(NOBODY, &[]);
    assert!(
        explained && said.contains("There is no way: the registry does not know the receiver"),
        "{said}"
    );
    let (explained, said) = explain(UNREGISTERED, &["--security-level", "4"]);
    assert!(explained, "{said}");
    assert!(
        said.contains("rule arkivmelding-no-level-4 decides") && said.contains("at security level 4."),
        "{said}"
    );
}
