use super::*;

const REST: &str = r#""kontoid":"5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10","integrasjon-id":"7b1c8a52-0000-4000-8000-000000000000","integrasjon-passord":"p""#;

fn out(extra: &str) -> Result<Settings, SettingError> {
    from_json(&format!(
        r#"{{"ut":{{"endpoint-url":"https://svarut.ks.no",{REST}{extra}}}}}"#
    ))
}

fn inn(extra: &str) -> Result<Settings, SettingError> {
    from_json(&format!(
        r#"{{"inn":{{"base-url":"https://svarut.ks.no/tjenester/svarinn","username":"u","password":"p"{extra}}}}}"#
    ))
}

fn key(error: &SettingError) -> String {
    error.to_string().split('`').nth(1).map(str::to_owned).unwrap()
}

#[test]
fn the_address_and_an_account_are_all_that_must_be_said() {
    let settings = out("").unwrap();
    assert_eq!(
        (settings.protocol, settings.encrypted, settings.receipts),
        (Protocol::Rest, true, false)
    );
    assert!(settings.inn.is_none());
    let out = settings.out.unwrap();
    assert_eq!(out.endpoint, "https://svarut.ks.no");
    assert_eq!(
        out.ws_endpoint,
        "https://svarut.ks.no/tjenester/forsendelseservice/ForsendelsesServiceV9"
    );
    assert_eq!((out.token_profile.as_str(), out.scope.as_str()), ("ks", "ks:fiks"));
    assert_eq!(
        (out.accounting_code, out.digital_only, out.seal),
        (None, false, Seal::Oaep)
    );
    assert_eq!(out.not_printed, ["*"]);
    assert_eq!(out.upload_limit, 1_073_741_824);
    assert_eq!(
        (out.lifetime_hours, out.idle_timeout, out.uncertain_wait, out.track_days),
        (24, 960, 960, 90)
    );
    let inn = inn("").unwrap().inn.unwrap();
    assert_eq!(inn.fallback_sender, "999999999");
    assert_eq!(inn.process, "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0");
    assert_eq!(inn.document_type, "urn:no:difi:arkivmelding:xsd::arkivmelding");
    assert_eq!(
        (inn.poll_interval, inn.max_per_poll, inn.reject_permanently),
        (900, 50, false)
    );
}

#[test]
fn every_setting_of_sending_is_heeded() {
    let settings = from_json(&format!(
        r#"{{"protocol":"rest","kryptert":false,"generate-arkivmelding-receipts":true,"ut":{{"endpoint-url":"https://a",
        "ws-endpoint-url":"https://b/c","token-profile":"t","scope":"s","konteringskode":"Å-1_.","kun-digital-levering":true,
        "ekskluderes-fra-print":["docx"],"upload-size-limit":7,"default-ttl-hours":48,"idle-timeout":20,"uncertain-wait":0,
        "seal":"pkcs1","track-days":5,{REST},"paa-vegne-av":{{"987464291":{{{REST}}}}}}}}}"#
    ))
    .unwrap();
    assert!(!settings.encrypted && settings.receipts && settings.lifetime_hours() == 48);
    let out = settings.out.unwrap();
    assert_eq!(
        (out.ws_endpoint.as_str(), out.token_profile.as_str(), out.scope.as_str()),
        ("https://b/c", "t", "s")
    );
    assert_eq!(out.accounting_code.as_deref(), Some("Å-1_."));
    assert!(out.digital_only && out.not_printed == ["docx"] && out.upload_limit == 7);
    assert_eq!(
        (out.idle_timeout, out.uncertain_wait, out.seal, out.track_days),
        (20, 0, Seal::Pkcs1, 5)
    );
    assert!(out.others["987464291"] == out.own.unwrap());
}

#[test]
fn every_setting_of_receiving_is_heeded() {
    let inn = inn(concat!(
        r#","fallback-sender-org-nr":"910076787","process":"p","document-type":"d","poll-interval":60,"max-per-poll":5"#,
        r#","reject-permanently":true,"paa-vegne-av":{"987464291":{"username":"å","password":"q"}}"#
    ))
    .unwrap()
    .inn
    .unwrap();
    assert_eq!(
        (
            inn.fallback_sender.as_str(),
            inn.process.as_str(),
            inn.document_type.as_str()
        ),
        ("910076787", "p", "d")
    );
    assert!(inn.reject_permanently && inn.poll_interval == 60 && inn.max_per_poll == 5);
    assert_eq!(inn.others["987464291"].user, "å");
}

#[test]
fn an_address_of_an_old_configuration_is_understood() {
    let old = from_json(&format!(
        r#"{{"ut":{{"endpoint-url":"https://svarut.ks.no/tjenester/forsendelseservice/ForsendelsesServiceV6",{REST}}}}}"#
    ));
    let out = old.unwrap().out.unwrap();
    assert_eq!(out.endpoint, "https://svarut.ks.no");
    assert!(out.ws_endpoint.ends_with("/forsendelseservice/ForsendelsesServiceV9"));
}

#[test]
fn each_protocol_needs_its_own_half_of_an_account_and_no_more() {
    let soap = |account: &str| {
        from_json(&format!(
            r#"{{"protocol":"soap","ut":{{"endpoint-url":"https://a",{account}}}}}"#
        ))
    };
    assert!(soap(r#""username":"u","password":"p""#).is_ok());
    assert_eq!(key(&soap(REST).err().unwrap()), "ut.username");
    assert_eq!(key(&soap(r#""username":"u""#).err().unwrap()), "ut.password");
    assert_eq!(
        key(&soap(r#""username":"u:v","password":"p""#).err().unwrap()),
        "ut.username"
    );
    let rest = from_json(r#"{"ut":{"endpoint-url":"https://a","username":"u","password":"p"}}"#);
    assert_eq!(key(&rest.err().unwrap()), "ut.kontoid");
    assert!(
        out(r#","username":"","password":"""#).is_ok(),
        "empty is as good as absent"
    );
}

#[test]
fn a_wrong_setting_is_named_and_never_shown() {
    assert_eq!(key(&from_json("{}").err().unwrap()), "ut");
    assert_eq!(key(&from_json(r#"{"inn":{"enable":false}}"#).err().unwrap()), "ut");
    assert_eq!(key(&from_json(r#"{"inn":{}}"#).err().unwrap()), "inn.base-url");
    assert_eq!(key(&from_json(r#"{"protocol":"V9"}"#).err().unwrap()), "protocol");
    for (name, value) in [
        ("ut.endpoint", r#""https://b""#),
        ("ut.ws-endpoint-url", r#""https://b/""#),
        ("ut.konteringskode", r#""hemmelig kode""#),
        ("ut.ekskluderes-fra-print", r#""docx""#),
        ("ut.seal", r#""hemmelig""#),
        ("ut.upload-size-limit", "0"),
        ("ut.default-ttl-hours", "0"),
        ("ut.idle-timeout", "5"),
        ("ut.track-days", "0"),
        ("ut.paa-vegne-av.hemmelig", "{}"),
        ("ut.paa-vegne-av.987464291.kontoid", "{}"),
        ("ut.paa-vegne-av.987464291.user", "{}"),
    ] {
        let mut parts = name.splitn(3, '.').skip(1);
        let first = parts.next().unwrap();
        let text = match parts.next() {
            None => format!(r#","{first}":{value}"#),
            Some("987464291.user") => format!(r#","{first}":{{"987464291":{{"user":1}}}}"#),
            Some(rest) => format!(r#","{first}":{{"{}":{value}}}"#, rest.split('.').next().unwrap()),
        };
        let error = out(&text).err().unwrap_or_else(|| panic!("{name} was taken"));
        assert_eq!(key(&error), name);
        assert!(!error.to_string().replace("av.hemmelig", "").contains("hemmelig"));
    }
    for (name, value) in [
        ("inn.fallback-sender-org-nr", r#""12""#),
        ("inn.poll-interval", "1"),
        ("inn.max-per-poll", "0"),
        ("inn.mailOnError", "true"),
        ("inn.enable", r#""ja""#),
    ] {
        let error = inn(&format!(r#","{}":{value}"#, &name[4..])).err().unwrap();
        assert_eq!(key(&error), name);
    }
    let wrong = out("").unwrap().out.unwrap().own.unwrap();
    assert_eq!(wrong.integration_password, "p");
    let not_a_uuid = from_json(
        r#"{"ut":{"endpoint-url":"https://a","kontoid":"1","integrasjon-id":"2","integrasjon-passord":"p"}}"#,
    );
    assert_eq!(key(&not_a_uuid.err().unwrap()), "ut.kontoid");
}

#[test]
fn the_description_carries_the_rules_of_the_service() {
    let description = out("").unwrap().description();
    assert_eq!(
        (description.services[0].id.as_str(), description.poll_interval),
        ("DPF", None)
    );
    let rules = format!("{:?}", description.services[0].rules);
    for rule in ["UploadLimit(1073741824)", "LifetimeHours(24)", "Checked"] {
        assert!(rules.contains(rule), "{rule} in {rules}");
    }
    let receiving = inn("").unwrap().description();
    assert_eq!(receiving.poll_interval, Some(900));
    assert!(!format!("{:?}", receiving.services[0].rules).contains("UploadLimit"));
}

/// What the annotated configuration shows of us, as the host gives it. Secrets are resolved.
fn example() -> String {
    let file = include_str!("../../../../examples/budstikke.toml");
    let ours = file.split_once("#   [adapters.dpf]\n").unwrap().1;
    let ours = ours.split_once("\n# ---- ").unwrap().0;
    let lines = ours.lines().filter_map(|line| line.strip_prefix("#   "));
    let table: toml::Table = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
    let mut settings = serde_json::to_value(&table["adapters"]["dpf"]["settings"]).unwrap();
    resolve(&mut settings);
    settings.to_string()
}

fn resolve(value: &mut serde_json::Value) {
    let Some(table) = value.as_object_mut() else { return };
    if table.contains_key("env") {
        *value = serde_json::Value::from("secret");
        return;
    }
    table.values_mut().for_each(resolve);
}

#[test]
fn the_example_shows_every_setting_and_tells_the_defaults() {
    let shown = from_json(&example()).unwrap();
    let (shown_out, default) = (shown.out.clone().unwrap(), out("").unwrap());
    let default_out = default.out.unwrap();
    let plain = |out: Outgoing| Outgoing {
        own: None,
        others: std::collections::BTreeMap::new(),
        ..out
    };
    assert!(plain(shown_out.clone()) == plain(default_out));
    assert!(shown_out.own.is_some() && shown_out.others.contains_key("987464291"));
    let (shown_inn, default_inn) = (shown.inn.unwrap(), inn("").unwrap().inn.unwrap());
    let plain = |inn: Incoming| Incoming {
        own: None,
        others: std::collections::BTreeMap::new(),
        ..inn
    };
    assert!(plain(shown_inn) == plain(default_inn));
    assert_eq!(
        (shown.protocol, shown.encrypted, shown.receipts),
        (default.protocol, default.encrypted, default.receipts)
    );
    let example: serde_json::Value = serde_json::from_str(&example()).unwrap();
    let keys = |table: &serde_json::Value| table.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&example).len(), KEYS.len());
    for (table, known) in [("ut", outgoing::KEYS.as_slice()), ("inn", incoming::KEYS.as_slice())] {
        for key in known {
            assert!(keys(&example[table]).iter().any(|shown| shown == key), "{table}.{key}");
        }
    }
}
