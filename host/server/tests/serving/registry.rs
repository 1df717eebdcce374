//! `budstikke registry` from outside.

use crate::hash;
use crate::process::{Process, curl};

const OPEN: &str = "[clients]\nopen = true\norganisation = \"991825827\"\n";

#[test]
fn an_address_service_answers_from_own_data_until_it_is_told_to_stop() {
    let password = hash("blåbærsyltetøy");
    let users = format!("[[server.users]]\nname = \"kari\"\npassword-hash = \"{password}\"\nroles = [\"admin\"]\n");
    let process = Process::address_service(&users, OPEN).start();
    let login = ["--user", "kari:blåbærsyltetøy"];
    let processes = "/adressetjeneste/api/v1/processes";
    assert_eq!(process.status("http", processes, &[]), "401");
    assert_eq!(process.status("http", processes, &["--user", "kari:feil"]), "401");
    let documented = process.curl("http", processes, &login);
    assert!(
        documented.contains("urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"),
        "{documented}"
    );
    assert_eq!(
        process.status("http", "/adressetjeneste/admin/processes", &login),
        "200"
    );
    assert_eq!(process.status("http", "/adressetjeneste/info/910076787", &[]), "404");

    let (refused, said) = process.imports("a.csv", "number,name\n91007678,A\n");
    assert!(
        !refused && said.contains("a.csv: line 2: number: must be nine digits"),
        "{said}"
    );
    let (taken, said) = process.imports("b.csv", "number,name,form\n910076787,EKSEMPELETATEN,ORGL\n");
    assert!(taken, "{said}");
    process.until("the running one sees what another process imported", |process| {
        process
            .curl("http", "/adressetjeneste/info/910076787", &[])
            .contains("EKSEMPELETATEN")
    });
    let jose = ["--header", "Accept: application/jose"];
    let signed = process.curl("http", "/adressetjeneste/info/910076787", &jose);
    assert_eq!(signed.split('.').count(), 3, "{signed}");
    let changes = process.curl("http", "/adressetjeneste/api/v1/changes", &login);
    assert!(changes.contains("budstikke registry import"), "{changes}");

    assert!(process.curl("http", "/health/readiness", &[]).contains("UP"));
    assert!(
        process
            .curl("http", "/prometheus", &[])
            .contains("budstikke_registry_requests_total")
    );
    process.ends();
}

#[test]
fn an_address_service_without_outside_registers_routes_by_own_data() {
    let services = "[services.DPV]\nendpoint-url = \"https://altinn.example\"\n[services.DPO]\n";
    let process = Process::address_service("", &format!("{OPEN}{services}")).start();
    let log = process.log();
    assert!(
        log.contains("there is no [registers.elma]: nobody is registered but by own data"),
        "{log}"
    );
    let organisations = "[[organisations]]\nnumber = \"910076787\"\nname = \"EKSEMPELETATEN\"\n\
         registrations = [\"urn:no:difi:profile:arkivmelding:administrasjon:ver1.0\"]\n\
         [[organisations]]\nnumber = \"991825827\"\nname = \"DIGITALISERINGSDIREKTORATET\"\n";
    let (taken, said) = process.imports("organisations.toml", organisations);
    assert!(taken, "{said}");
    let of = |number: &str, name: &str, level: &str| {
        format!("/adressetjeneste/identifier/{number}/process/urn:no:difi:profile:arkivmelding:{name}:ver1.0{level}")
    };
    process.until("look-ups use what was imported", |process| {
        process.status("http", &of("991825827", "administrasjon", ""), &[]) == "200"
    });
    // Nobody registered it for anything: its letters go where everybody has a mailbox, but not those of level 4.
    let mailbox = process.curl("http", &of("991825827", "administrasjon", ""), &[]);
    assert!(
        mailbox.contains(r#""identifier":"DPV""#) && mailbox.contains("https://altinn.example"),
        "{mailbox}"
    );
    assert_eq!(
        process.status("http", &of("991825827", "administrasjon", "?securityLevel=4"), &[]),
        "400"
    );
    // Registered, but the certificate is missing, which must not send it another way.
    let missing = process.curl("http", &of("910076787", "administrasjon", ""), &[]);
    assert!(missing.contains("certificate"), "{missing}");
    assert_eq!(
        process.status("http", &of("910076787", "administrasjon", ""), &[]),
        "404"
    );
    let other = process.curl("http", &of("910076787", "skatterOgAvgifter", ""), &[]);
    assert!(other.contains(r#""identifier":"DPV""#), "{other}");
    let explained = process.curl(
        "http",
        &of("991825827", "administrasjon", "").replace("/identifier/", "/explain/"),
        &[],
    );
    assert!(explained.contains("arkivmelding-everybody-else"), "{explained}");
    assert_eq!(process.status("http", "/adressetjeneste/info/938801363", &[]), "404");
    process.ends();
}

#[test]
fn a_page_of_another_site_reaches_nothing() {
    let process = Process::address_service("", OPEN).start();
    let foreign = [
        "--header",
        "Sec-Fetch-Site: cross-site",
        "--header",
        "Sec-Fetch-Mode: no-cors",
    ];
    assert_eq!(
        process.status("http", "/adressetjeneste/info/910076787", &foreign),
        "403"
    );
    process.ends();
}

#[test]
fn a_link_on_another_site_leads_to_the_administration_and_a_form_there_changes_nothing() {
    let password = hash("blåbærsyltetøy");
    let server = format!(
        "context-path = \"/manage\"\n\
         [[server.users]]\nname = \"kari\"\npassword-hash = \"{password}\"\nroles = [\"admin\"]\n"
    );
    let process = Process::address_service(&server, OPEN).start();
    let login = ["--user", "kari:blåbærsyltetøy"];
    let link = [
        "--header",
        "Sec-Fetch-Site: cross-site",
        "--header",
        "Sec-Fetch-Mode: navigate",
    ];
    let page = "/manage/admin/processes";
    assert_eq!(process.status("http", page, &[&login[..], &link[..]].concat()), "200");
    let process_of = |name: &str| format!("action=save&identifier={name}&category=AVTALT");
    let post = |name: &str, headers: &[&str]| {
        let form = process_of(name);
        let data = ["--data", form.as_str()];
        process.status("http", page, &[&login[..], headers, &data[..]].concat())
    };
    for foreign in [
        &link[..],
        &["--header", "Origin: https://example.com"][..],
        &["--header", "Origin: null"][..],
    ] {
        assert_eq!(post("p:foreign", foreign), "403", "{foreign:?}");
    }
    assert_eq!(post("p:own", &["--header", "Sec-Fetch-Site: same-origin"]), "303");
    let shown = process.curl("http", page, &login);
    assert!(shown.contains("p:own") && !shown.contains("p:foreign"), "{shown}");
    process.ends();
}

#[test]
fn nobody_can_start_an_open_address_service_by_mistake() {
    let log = Process::address_service("", "").refuses();
    assert!(log.contains("clients: nobody may ask"), "{log}");
    let process = Process::address_service("", OPEN);
    let file = process.path("budstikke.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("127.0.0.1:0", "0.0.0.0:0")).unwrap();
    let log = process.refuses();
    assert!(log.contains("clients.open: everybody who reaches"), "{log}");
}

#[test]
fn health_and_metrics_can_have_an_address_of_their_own() {
    let management = "[management]\nlisten = \"127.0.0.1:0\"\n";
    let process = Process::address_service("", &format!("{management}{OPEN}")).start();
    assert_eq!(process.status("http", "/prometheus", &[]), "404");
    assert_eq!(process.status("http", "/adressetjeneste/jwk", &[]), "200");
    let log = process.log();
    let told = log
        .lines()
        .find(|line| line.contains("health and metrics are ready"))
        .unwrap();
    let (_, port) = told.split_once("127.0.0.1:").unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let own = format!("http://127.0.0.1:{port}");
    assert_eq!(curl(&format!("{own}/health/readiness"), &[]), r#"{"status":"UP"}"#);
    assert!(curl(&format!("{own}/health"), &[]).contains(r#""db":{"status":"UP"}"#));
    let metrics = curl(&format!("{own}/prometheus"), &[]);
    assert!(metrics.contains("budstikke_registry_own_data_change 1"), "{metrics}");
    let not_there = curl(&format!("{own}/adressetjeneste/jwk"), &[]);
    assert!(not_there.contains(r#""status":404"#), "{not_there}");
    process.ends();
}
