use std::time::Duration;

use super::text::parse;
use super::*;

/// A folder with these files and a key; the first one is read, with these environment variables.
fn read_files(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (Result<Config, String>, Vec<String>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("eformidling-key.asc"), "key").unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut warnings = Vec::new();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let read = read_with(&folder.path().join(files[0].0), &variable, &mut |warning| {
        warnings.push(warning);
    });
    let home = folder.path().to_owned();
    let told = |problems: Problems| problems.to_string().replace(&format!("{}/", home.display()), "");
    (read.map_err(told), warnings, home.clone())
}

const MINIMAL: &str = "\
difi.move.org.number=991825827
kosmos.integrasjonspunkt.baseURL=http://localhost:9093
kosmos.mail.recipient=drift@example.no
kosmos.mail.from=noreply@example.no
spring.mail.host=smtp.example.no
spring.mail.port=25
kosmos.verification.publicKeyPaths[0]=file:eformidling-key.asc
";

#[test]
fn the_file_of_the_guide_is_read_with_every_default() {
    let (config, warnings, folder) = read_files(&[("kosmos-local.properties", MINIMAL)], &[]);
    let config = config.unwrap();
    let java = config.targets[0].java.as_ref().unwrap();
    assert_eq!(config.organisation.number, "991825827");
    assert_eq!(config.environment, Environment::Staging);
    assert_eq!(config.schedule.cron, "0 30 5,19,21 * * MON-FRI");
    assert_eq!(java.home, folder);
    assert_eq!(java.keys, [folder.join("eformidling-key.asc")]);
    assert_eq!(
        java.repository,
        "https://github.com/felleslosninger/efm-integrasjonspunkt/"
    );
    assert_eq!(
        (java.launch.time, java.launch.poll),
        (Duration::from_secs(150), Duration::from_secs(1))
    );
    assert_eq!((java.blocklist.enabled, java.blocklist.hours), (false, 2));
    assert!(java.soak.time.is_zero(), "as the Java KOSMOS: good when it is ready");
    assert_eq!(java.removed_environment, ["spring", "kosmos"]);
    let mail = config.notify.mail.unwrap();
    assert_eq!(
        (mail.host.as_str(), mail.port, mail.tls),
        ("smtp.example.no", Some(25), MailTls::None)
    );
    assert_eq!(warnings.len(), 1, "that it is staging: {warnings:?}");
}

#[test]
fn names_are_read_however_they_are_spelt() {
    let text = "\
kosmos.orgnumber: ${difi.move.org.number}
difi.move.org.number 910076787
KOSMOS.Integrasjonspunkt.PROFILE = production
kosmos.launch-timeout-in-ms=2000
kosmos.launchPollIntervalInMs=100
kosmos.integrasjonspunkt.earlyBird=TRUE
kosmos.integrasjonspunkt.supportedMajorVersion=4.1.0
kosmos.integrasjonspunkt.baseurl=http://${host:localhost}:${port}
port=9094
kosmos.groupid=/digdir
kosmos.verification.public-key-paths=eformidling-key.asc, file:eformidling-key.asc
kosmos.mail.append-subject=Test\\u00f8y \\
    p\u{e5} to linjer
kosmos.mail.recipient=drift@example.no
kosmos.mail.from=noreply@example.no
";
    let (config, warnings, _) = read_files(
        &[("kosmos-local.properties", text)],
        &[("SPRING_MAIL_HOST", "post.example.no")],
    );
    let config = config.unwrap();
    let java = config.targets[0].java.as_ref().unwrap();
    assert_eq!((config.environment, config.early_bird), (Environment::Production, true));
    assert_eq!(java.launch.time, Duration::from_secs(2));
    assert_eq!(java.management.url, "http://localhost:9094");
    assert_eq!(java.repository, "https://github.com/digdir/efm-integrasjonspunkt/");
    assert_eq!(java.keys.len(), 2);
    assert_eq!(config.policies[0].settings["supported-major"], "4.1.0");
    let mail = config.notify.mail.unwrap();
    assert_eq!(mail.append_subject.as_deref(), Some("Testøy på to linjer"));
    assert_eq!(mail.host, "post.example.no");
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn the_number_may_stand_beside_it_and_the_environment_is_stronger_than_that() {
    let files = [
        ("kosmos-local.properties", "kosmos.integrasjonspunkt.profile=dev\n"),
        (
            "integrasjonspunkt-local.properties",
            "difi.move.org.number=991825827\nkosmos.shutdownRetries=9\n",
        ),
    ];
    let (config, ..) = read_files(&files, &[("KOSMOS_SHUTDOWNRETRIES", "5")]);
    let config = config.unwrap();
    assert_eq!(config.organisation.number, "991825827");
    assert_eq!(config.targets[0].java.as_ref().unwrap().shutdown.retries, 5);
    assert!(
        config.targets[0].java.as_ref().unwrap().launch.include_log,
        "as dev does"
    );
}

#[test]
fn every_problem_is_named_by_file_line_and_key_and_no_value_is_told() {
    let text = "\
# a comment
kosmos.orgnumber=991825828
kosmos.launchTimeoutInMs=soon
kosmos.integrasjonspunkt.profile=prod
kosmos.schedulerCronExpression=0 61 * * * *
kosmos.integrasjonspunkt.baseURL=ftp://x
kosmos.verification.publicKeyPaths[0]=file:nokkel.asc
kosmos.mail.from=secret
kosmos.integrasjonspunkt.infoURL=${a}
a=${b}
b=${a}
";
    let (config, ..) = read_files(&[("kosmos-local.properties", text)], &[]);
    let told = config.unwrap_err();
    for line in [
        "kosmos-local.properties:2: kosmos.orgnumber: must be nine digits",
        "kosmos-local.properties:3: kosmos.launchTimeoutInMs: must be a number of milliseconds greater than 0",
        "kosmos-local.properties:4: kosmos.integrasjonspunkt.profile: must be dev, itest, staging or production",
        "kosmos-local.properties:5: kosmos.schedulerCronExpression: is no cron expression",
        "kosmos-local.properties:6: kosmos.integrasjonspunkt.baseURL: must be a URL",
        "kosmos-local.properties:7: kosmos.verification.publicKeyPaths[0]: no such file",
        "kosmos-local.properties:8: kosmos.mail.from: must be a mail address",
        "kosmos-local.properties:9: kosmos.integrasjonspunkt.infoURL: its placeholders stand for each other",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn without_an_organisation_number_it_says_where_one_may_stand() {
    let (config, ..) = read_files(
        &[("kosmos-local.properties", "kosmos.integrasjonspunkt.profile=dev\n")],
        &[],
    );
    assert!(config.unwrap_err().contains("difi.move.org.number: is missing"));
}

#[test]
fn what_means_nothing_is_told_with_its_line() {
    let text = format!("{MINIMAL}kosmos.mavenCentral=https://repo\nkosmos.integrasjonspunkt.erly-bird=true\n");
    let (config, warnings, _) = read_files(&[("kosmos-local.properties", &text)], &[]);
    config.unwrap();
    assert!(
        warnings
            .iter()
            .any(|told| told.contains(":8: kosmos.mavenCentral: belongs to an older")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|told| told.contains(":9: kosmos.integrasjonspunkt.erly-bird: is not known"))
    );
}

#[test]
fn a_broken_escape_is_named_by_its_line() {
    let (config, ..) = read_files(&[("kosmos-local.properties", "a=b\nc=\\u12\n")], &[]);
    assert!(
        config
            .unwrap_err()
            .contains("kosmos-local.properties:2: \\u must be followed")
    );
}

#[test]
fn lines_are_read_as_java_reads_them() {
    let text = "a = 1\nb:2\nc 3\n  d\\ e=f\\=g\\\\\n! not = this\n# nor = that\nh\ni=\\\n  j\n";
    let entries = parse(text).unwrap();
    let read: Vec<(&str, &str, usize)> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.value.as_str(), entry.line))
        .collect();
    assert_eq!(
        read,
        [
            ("a", "1", 1),
            ("b", "2", 2),
            ("c", "3", 3),
            ("d e", "f=g\\", 4),
            ("h", "", 7),
            ("i", "j", 8)
        ]
    );
}
