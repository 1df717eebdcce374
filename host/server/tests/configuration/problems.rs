//! What is wrong is said by file, line and key.

use budstikke::config::Config;

use crate::installation::Installation;

/// Exchanges a piece of the example, and expects one problem: at the line that begins so, with words that begin so.
#[track_caller]
fn problem(from: &str, to: &str, line: &str, words: &str) {
    let installation = Installation::new();
    installation.change(from, to);
    let problems = Config::read(&installation.file()).map(drop).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    let expected = format!("{}{words}", installation.place(line));
    assert!(
        problems.to_string().starts_with(&expected),
        "expected: {expected}\nfound:    {problems}"
    );
}

#[test]
fn an_unknown_key_is_named() {
    problem(
        "poll-seconds = 5",
        "pol-seconds = 5",
        "pol-seconds",
        "plugins.pol-seconds: unknown field `pol-seconds`",
    );
    problem(
        "\nmemory =",
        "\nmemmory =",
        "memmory",
        "adapters.dpo.limits.memmory: unknown field `memmory`",
    );
    problem("[store]", "[stor]", "[stor]", "stor: unknown field `stor`");
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    problem(
        "lock-minutes = 5",
        "lock-minutes = \"five\"",
        "lock-minutes",
        "messages.lock-minutes: invalid type: string",
    );
    problem(
        "services = [\"DPO\"]",
        "services = \"DPO\"",
        "services",
        "adapters.dpo.services: invalid type: string",
    );
    let key = "registry.receivers.capabilities.security-levels";
    problem(
        "levels = [3, 4]",
        "levels = 3",
        "security-levels",
        &format!("{key}: invalid type: integer"),
    );
}

#[test]
fn a_rule_of_retention_that_means_nothing_is_named() {
    problem(
        "days = 365",
        "days = 0",
        "days = 0",
        "retention.days: must be from 1 to 36500",
    );
    problem(
        "statuses = [\"LEVERT\", \"LEST\"]",
        "statuses = [\"LEVERT\", \"SENDT\"]",
        "statuses = ",
        "retention.statuses: SENDT ends no conversation",
    );
    problem(
        "remove = \"set-aside\"",
        "remove = \"set-aside\"\nprocesses = [\"p\"]",
        "processes = [\"p\"]",
        "retention.processes: means nothing for \"set-aside\"",
    );
    problem(
        "remove = \"set-aside\"",
        "remove = \"everything\"",
        "remove = \"everything\"",
        "retention.remove: unknown variant, expected ",
    );
}

#[test]
fn a_quantity_or_host_that_cannot_be_read_is_named() {
    problem(
        "cpu-time = \"5s\"",
        "cpu-time = \"soon\"",
        "cpu-time",
        "adapters.dpo.limits.cpu-time: the value is not a time",
    );
    problem("http = [\"https://", "http = [\"", "http", "adapters.dpo.grants.http: ");
}

#[test]
fn a_secret_of_the_wrong_shape_is_named() {
    problem(
        "{ env = \"BUDSTIKKE",
        "{ var = \"BUDSTIKKE",
        "password",
        "organisation.keystore.password: expected a text, { env = ",
    );
}

#[test]
fn a_missing_value_is_named() {
    problem(
        "component = \"dpo.wasm\"\n",
        "",
        "[adapters.dpo]",
        "adapters.dpo: missing field `component`",
    );
}

#[test]
fn broken_toml_is_named_by_its_line() {
    problem("poll-seconds = 5", "poll-seconds = = 5", "poll-seconds", "");
}

#[test]
fn a_number_out_of_range_is_named() {
    problem(
        "lock-minutes = 5",
        "lock-minutes = 0",
        "lock-minutes",
        "messages.lock-minutes: must be from 1 to 1440",
    );
    problem(
        "poll-seconds = 5",
        "poll-seconds = 0",
        "poll-seconds",
        "plugins.poll-seconds: must be at least 1",
    );
    problem(
        "retry-seconds = [20",
        "retry-seconds = [0",
        "retry-seconds",
        "messages.retry-seconds: must be",
    );
    problem(
        "number = \"991825827\"",
        "number = \"99\"",
        "number",
        "organisation.number: must be nine digits",
    );
}

#[test]
fn a_webhook_setting_out_of_range_is_named() {
    for (from, to, words) in [
        (
            "keep-hours = 72",
            "keep-hours = 0",
            "keep-hours: must be from 1 to 8760",
        ),
        (
            "keep-hours = 72",
            "keep-hours = 8761",
            "keep-hours: must be from 1 to 8760",
        ),
        (
            "read-time = \"10s\"",
            "read-time = 0",
            "read-time: must be from 1ms to 5min",
        ),
        (
            "read-time = \"10s\"",
            "read-time = \"6min\"",
            "read-time: must be from 1ms to 5min",
        ),
        (
            "retry-seconds = [10",
            "retry-seconds = [0",
            "retry-seconds: must be one or more numbers of at least 1",
        ),
    ] {
        // Other tables have keys of these names, with other values.
        problem(from, to, to, &format!("webhooks.{words}"));
    }
    problem(
        "allow = [\"https://*.example.no\"",
        "allow = [\"example.no\"",
        "allow = ",
        "webhooks.allow: the value is no HTTP grant",
    );
}

#[test]
fn a_service_on_the_status_queue_that_nobody_serves_is_named() {
    problem(
        "status-queue = [\"DPO\"]",
        "status-queue = [\"DPX\"]",
        "status-queue",
        "messages.status-queue: no adapter serves DPX",
    );
}

#[test]
fn a_service_that_is_served_twice_is_named() {
    let twice = "[adapters.other]\ncomponent = \"o.wasm\"\nservices = [\"DPO\"] # again\n\n[[registry.receivers]]";
    let words = "adapters.other.services: DPO is served by [adapters.dpo] already";
    problem("[[registry.receivers]]", twice, "services = [\"DPO\"] # again", words);
}

#[test]
fn a_token_profile_that_nobody_wrote_is_named() {
    let words = "adapters.dpo.grants.tokens: there is no [tokens.altin]";
    problem("tokens = [\"altinn\"]", "tokens = [\"altin\"]", "tokens", words);
}

#[test]
fn a_token_profile_signs_with_one_key() {
    let both = "[tokens.altinn-jwk]\nkeystore = { path = \"keys/maskinporten.p12\" }";
    problem(
        "[tokens.altinn-jwk]",
        both,
        "jwk = ",
        "tokens.altinn-jwk.jwk: give either jwk or keystore",
    );
}

#[test]
fn a_token_profile_without_an_address_or_scopes_is_named() {
    problem(
        "url = \"https://maskinporten.no/token\"",
        "url = \"maskinporten.no/token\"",
        "url = \"maskinporten",
        "tokens.altinn.url: must be a URL with http or https",
    );
    problem(
        "scopes = [\"altinn:broker.read\", \"altinn:broker.write\"]",
        "scopes = []",
        "scopes = []",
        "tokens.altinn.scopes: must name at least one scope",
    );
}

#[test]
fn a_system_user_of_our_own_must_be_listed() {
    let words = "tokens.altinn.own-system-user: 0192:974720760 is not among system-users";
    problem(
        "own-system-user = \"0192:991825827",
        "own-system-user = \"0192:974720760",
        "own-system-user",
        words,
    );
}

#[test]
fn organisations_are_acted_for_in_one_way_only() {
    problem(
        "# consumer-orgs = [\"0192:987464291\"]",
        "consumer-orgs = [\"0192:987464291\"]",
        "consumer-orgs = [\"0192:987464291\"]",
        "tokens.altinn.consumer-orgs: give either system-users or consumer-orgs, not both",
    );
}

#[test]
fn a_missing_file_is_named() {
    for (file, line, key) in [
        (
            "keys/virksomhet.p12",
            "[organisation.keystore]",
            "organisation.keystore",
        ),
        (
            "keys/maskinporten.p12",
            "[tokens.altinn.keystore]",
            "tokens.altinn.keystore",
        ),
        ("keys/maskinporten.jwk.json", "jwk = ", "tokens.altinn-jwk.jwk"),
        (
            "keys/proxy-ca.pem",
            "extra-authorities",
            "adapters.dpo.extra-authorities",
        ),
        (
            "receivers/974720760.pem",
            "[[registry.receivers]]",
            "registry.receivers: receiver number 1",
        ),
        (
            "receivers/print.pem",
            "[[registry.without-receiver]]",
            "registry.without-receiver: entry number 1",
        ),
    ] {
        let installation = Installation::new();
        installation.remove(file);
        let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
        let start = format!("{}{key}: no such file: ", installation.place(line));
        assert!(
            problems.starts_with(&start) && problems.ends_with(file),
            "expected: {start}\nfound:    {problems}"
        );
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
}

#[test]
fn a_message_type_that_makes_no_sense_is_named() {
    for (from, to, line, words) in [
        (
            "type = \"byggesak\"",
            "type = \"avtalt\"",
            "type",
            "messages.types.type: the message type 'avtalt' is in the table already",
        ),
        (
            "type = \"byggesak\"",
            "type = \"Bygge sak\"",
            "type",
            "messages.types.type: the message type 'Bygge sak' must be",
        ),
        (
            "xsd::byggesak",
            "xsd::sak",
            "standard",
            "messages.types.standard: the document type 'urn:no:eksempel:byggesak:xsd::sak' of",
        ),
        (
            "receipt = false",
            "receipt = true",
            "files",
            "messages.types.files: a receipt has no files",
        ),
        (
            "files = \"required\"",
            "files = \"none\"",
            "needs-primary",
            "messages.types.needs-primary: a message without files",
        ),
        (
            "files = \"required\"",
            "files = \"many\"",
            "files",
            "messages.types.files: unknown variant, expected ",
        ),
        (
            "response = \"urn:no:eksempel:profile:byggesak:svar:ver1.0\"",
            "response = \"\"",
            "response = ",
            "messages.processes.response: the process is empty",
        ),
        (
            "id = \"urn:no:eksempel:profile:byggesak:soknad:ver1.0\"",
            "id = \"urn:no:difi:profile:avtalt:avtalt:ver1.0\"",
            "id = ",
            "messages.processes.id: the process urn:no:difi:profile:avtalt:avtalt:ver1.0 belongs to eFormidling",
        ),
    ] {
        problem(from, to, line, words);
    }
}

#[test]
fn the_second_of_two_message_types_is_named_by_its_own_line() {
    let second =
        "[[messages.types]]\ntype = \"nabovarsel\"\nstandard = \"urn:x::annet\" # second\n\n[[messages.processes]]";
    let words = "messages.types.standard: the document type 'urn:x::annet'";
    problem("[[messages.processes]]", second, "standard = \"urn:x::annet\"", words);
}

#[test]
fn a_schema_that_cannot_be_used_is_named() {
    for (schema, words) in [
        (
            "{ \"type\": ",
            "the schema is no JSON: EOF while parsing a value at line 1",
        ),
        ("{ \"type\": \"tekst\" }", "at /type of the schema: "),
        (
            "{ \"$ref\": \"https://example.com/sak.json\" }",
            "the schema refers to something outside itself",
        ),
        ("{ \"pattern\": \"(?=a)b\" }", "at "),
    ] {
        let installation = Installation::new();
        installation.put("types/byggesak.schema.json", schema);
        let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
        let start = format!("{}messages.types.schema: ", installation.place("schema = "));
        assert!(problems.starts_with(&start), "expected: {start}\nfound:    {problems}");
        assert!(
            problems.contains(&format!("byggesak.schema.json: {words}")),
            "{schema}: {problems}"
        );
    }
    let installation = Installation::new();
    installation.remove("types/byggesak.schema.json");
    let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
    assert!(
        problems.contains("messages.types.schema: ") && problems.contains("No such file"),
        "{problems}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = Config::read("nowhere/budstikke.toml".as_ref())
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        problems.starts_with("nowhere/budstikke.toml: cannot be read: "),
        "{problems}"
    );
}

#[test]
fn several_problems_are_all_said() {
    let installation = Installation::new();
    installation.change("lock-minutes = 5", "lock-minutes = 0");
    installation.remove("keys/maskinporten.jwk.json");
    let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
    assert_eq!(problems.lines().count(), 2, "{problems}");
}

#[test]
fn a_server_that_nobody_may_call_is_named() {
    let installation = Installation::new();
    installation.without_users("open = false");
    let problems = Config::read(&installation.file()).map(drop).unwrap_err().to_string();
    let expected = format!(
        "{}server: nobody may call: add [[server.users]], or set open",
        installation.place("[server]")
    );
    assert!(problems.starts_with(&expected), "{problems}");
    installation.without_users("open = true");
    assert!(Config::read(&installation.file()).is_ok());
}

#[test]
fn an_open_server_with_users_is_named() {
    problem(
        "open = false",
        "open = true",
        "open",
        "server.open: true together with [[server.users]]",
    );
}

#[test]
fn a_user_that_can_make_no_sense_is_named() {
    let place = "[[server.users]]";
    for (from, to, words) in [
        (
            "\"drift\"",
            "\"fagsystem\"",
            "user number 2 (fagsystem): there is a user with this name already",
        ),
        (
            "\"drift\"",
            "\"dr:ift\"",
            "user number 2 (dr:ift): the name must not be empty",
        ),
        ("\"drift\"", "\"\"", "user number 2 (): the name must not be empty"),
        (
            "[\"operator\"]",
            "[]",
            "user number 2 (drift): roles must name at least one role",
        ),
    ] {
        problem(from, to, place, &format!("server.users: {words}"));
    }
    problem(
        "roles = [\"operator\"]",
        "roles = [\"root\"]",
        "roles = [\"root\"]",
        "server.users.roles: unknown variant, expected one of `fagsystem`, `operator`, `admin`",
    );
    problem(
        "roles = [\"operator\"]",
        "roles = [\"admin\"]",
        place,
        "server.users: admin is a role of the address service",
    );
}

#[test]
fn only_what_monitoring_and_an_updater_ask_can_be_opened_below_manage() {
    problem(
        "manage-open = [\"health\"]",
        "manage-open = [\"set-aside\"]",
        "manage-open",
        "server.manage-open: unknown variant, expected one of `health`, `info`, `shutdown`",
    );
}

#[test]
fn a_certificate_comes_from_one_place() {
    let place = "[server.tls]";
    problem(
        "# keystore = { path",
        "keystore = { path = \"keys/virksomhet.p12\" } # { path",
        place,
        "server.tls: give either certificate and key, or keystore, not both",
    );
    problem(
        "key = \"keys/server.key\"\n",
        "",
        place,
        "server.tls: needs certificate and key, or keystore",
    );
    problem(
        "keys/server.key",
        "keys/nowhere.key",
        "key = \"keys/nowhere",
        "server.tls.key: no such file: ",
    );
    problem(
        "keys/server.pem",
        "keys/nowhere.pem",
        "certificate",
        "server.tls.certificate: no such file: ",
    );
    let keystore = "certificate = \"keys/server.pem\"\n# PEM file with the private key, without a password: RSA, ECDSA or Ed25519.\nkey = \"keys/server.key\"";
    problem(
        keystore,
        "keystore = { path = \"keys/nowhere.p12\" }",
        "keystore = { path = \"keys/nowhere.p12",
        "server.tls.keystore: no such file: ",
    );
}

#[test]
fn a_limit_of_the_server_that_is_out_of_range_is_named() {
    for (from, to, words) in [
        (
            "header-bytes = \"32KiB\"",
            "header-bytes = 4095",
            "must be from 4096 to 131072",
        ),
        ("headers = 100", "headers = 9", "must be from 10 to 1000"),
        (
            "header-time = \"30s\"",
            "header-time = \"999ms\"",
            "must be from 1 to 3600 seconds",
        ),
        ("idle-time = \"5m\"", "idle-time = 0", "must be from 1 to 3600 seconds"),
        (
            "json-bytes = \"16MiB\"",
            "json-bytes = \"2GiB\"",
            "must be from 1024 to 1073741824",
        ),
        (
            "request-bytes = \"500MiB\"",
            "request-bytes = \"2000GiB\"",
            "must be from 1024 to 1099511627776",
        ),
        (
            "part-bytes = \"5MiB\"",
            "part-bytes = 1",
            "must be from 1024 to 1099511627776",
        ),
        (
            "part-bytes = \"5MiB\"",
            "part-bytes = \"501MiB\"",
            "is more than request-bytes",
        ),
        ("parts = 1000", "parts = 0", "must be from 1 to 100000"),
        (
            "silence-time = \"5m\"",
            "silence-time = \"2h\"",
            "must be from 1 to 3600 seconds",
        ),
        (
            "read-time = \"5m\"",
            "read-time = \"0s\"",
            "must be from 1 to 3600 seconds",
        ),
        ("connections = 500", "connections = 0", "must be from 1 to 100000"),
    ] {
        let (key, _) = to.split_once(' ').unwrap();
        problem(from, to, to, &format!("server.limits.{key}: {words}"));
    }
    problem(
        "idle-time = \"5m\"",
        "idle-time = true",
        "idle-time",
        "server.limits.idle-time: expected a whole number",
    );
}

/// What `[registry]` lacks of an address service to be asked.
fn service(keys: &str) -> String {
    format!("[registry]\n{keys}")
}

#[test]
fn an_address_service_that_cannot_be_asked_is_named() {
    for (keys, line, words) in [
        (
            "url = \"adresse\"",
            "url = \"adresse\"",
            "registry.url: must be a URL with http or https",
        ),
        (
            "url = \"ftp://a.no\"",
            "url = \"ftp://a.no\"",
            "registry.url: must be a URL with http or https",
        ),
        (
            "url = \"https://a.no?x=1\"",
            "url = \"https://a.no?x=1\"",
            "registry.url: must not have a query",
        ),
        (
            "token-profile = \"altinn\" # mine\nscopes = [\"altinn:broker.read\"]",
            "token-profile = \"altinn\" # mine",
            "registry.token-profile: means nothing without url or embedded",
        ),
        (
            "url = \"https://a.no\"\ntoken-profile = \"x\"",
            "token-profile = \"x\"",
            "registry.token-profile: there is no [tokens.x]",
        ),
        (
            "url = \"https://a.no\"\ntoken-profile = \"altinn\"",
            "[registry]",
            "registry.scopes: must name at least one scope",
        ),
        (
            "url = \"https://a.no\"\ntoken-profile = \"altinn\"\nscopes = [\"x\"] # other",
            "scopes = [\"x\"]",
            "registry.scopes: [tokens.altinn] does not list the scope x",
        ),
        (
            "url = \"https://a.no\"\nscopes = [\"x\"] # other",
            "scopes = [\"x\"]",
            "registry.scopes: means nothing without token-profile",
        ),
        (
            "url = \"http://registry.example.no\"\ntoken-profile = \"adressetjenesten\"\nscopes = [\"eformidling:dpo\"]",
            "url = \"http://registry.example.no\"",
            "registry.url: must be https beside token-profile",
        ),
        (
            "url = \"http://127.0.0.1:8080\"\ntoken-profile = \"adressetjenesten\"\nscopes = [\"eformidling:dpo\"]\n\
             jwk-url = \"http://registry.example.no/jwk\"",
            "jwk-url = \"http://registry.example.no/jwk\"",
            "registry.jwk-url: must be https beside token-profile",
        ),
    ] {
        problem("[registry]", &service(keys), line, words);
    }
    problem(
        "read-time = \"30s\"",
        "read-time = \"30m\"",
        "read-time = \"30m\"",
        "registry.read-time: must be from 1ms to 5min",
    );
    problem(
        "cache-seconds = 300",
        "cache-seconds = 90000",
        "cache-seconds",
        "registry.cache-seconds: must be from 0 to 86400",
    );
    problem(
        "stale-hours = 72",
        "stale-hours = 9000",
        "stale-hours",
        "registry.stale-hours: must be from 0 to 8760",
    );
}

#[test]
fn a_rule_of_routing_that_means_nothing_is_named() {
    let rule = |keys: &str| format!("[[routing]] # here\n{keys}\n\n[certificates]");
    let reason = "reason = \"r\"";
    for (keys, line, words) in [
        (
            reason.to_owned(),
            "[[routing]] # here",
            "routing.prefer: give exactly one of prefer, forbid and pin",
        ),
        (
            format!("forbid = \"A\"\npin = \"dpo\"\n{reason}"),
            "[[routing]] # here",
            "routing.prefer: give exactly one of prefer, forbid and pin",
        ),
        (
            format!("prefer = \"A\"\n{reason}"),
            "prefer = \"A\"",
            "routing.prefer: no adapter serves A",
        ),
        (
            format!("pin = \"a\"\n{reason}"),
            "pin = \"a\"",
            "routing.pin: there is no [adapters.a]",
        ),
        (
            format!("pin = \"dpo\"\npin-digest = \"sha256:AB\"\n{reason}"),
            "pin-digest = \"sha256:AB\"",
            "routing.pin-digest: must be sha256: and 64 hexadecimal digits",
        ),
        (
            format!(
                "service = \"DPO\"\npin = \"dpo\"\npin-digest = \"sha256:{}\"\n{reason}",
                "a".repeat(64)
            ),
            "pin-digest = \"sha256:aaaa",
            "routing.pin-digest: cannot stand beside service",
        ),
        (
            format!("process = \"a*b\"\nforbid = \"A\"\n{reason}"),
            "process = \"a*b\"",
            "routing.process: may have a * at its end only",
        ),
        (
            "forbid = \"A\"".to_owned(),
            "[[routing]] # here",
            "routing.reason: must say why",
        ),
    ] {
        problem("[certificates]", &rule(&keys), line, words);
    }
}

#[test]
fn a_check_of_certificates_that_cannot_be_made_is_named() {
    problem(
        "trust-anchors = []",
        "trust-anchors = [\"no.pem\"]",
        "trust-anchors",
        "certificates.trust-anchors: no such file",
    );
    problem(
        "revocation = \"prefer\"",
        "revocation = \"require\"",
        "revocation",
        "certificates.revocation: \"require\" needs trust-anchors",
    );
    problem(
        "suppliers = []",
        "suppliers = [\"12\"]",
        "suppliers",
        "certificates.suppliers: must be numbers of nine digits",
    );
}
