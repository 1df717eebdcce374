//! The JSON of a forsendelse, with the limits of every field (Spec: DPF and DPFIO, 6.2).

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::forsendelse::{self, Forsendelse, Party};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrganisasjonForsendelse {
    tittel: String,
    mottaker: Mottaker,
    #[serde(default)]
    kryptert: Option<bool>,
    #[serde(default)]
    kun_digital_levering: Option<bool>,
    #[serde(default)]
    sikkerhetsniva: Option<String>,
    #[serde(default)]
    #[serde(rename = "utskriftskonfigurasjon")]
    _utskriftskonfigurasjon: Option<Utskrift>,
    #[serde(default)]
    konteringskode: Option<String>,
    #[serde(default)]
    ekstern_referanse: Option<String>,
    #[serde(default)]
    korrelasjonsid: Option<String>,
    #[serde(default)]
    forsendelsestype: Option<String>,
    #[serde(default)]
    svar_pa_forsendelse_id: Option<Uuid>,
    #[serde(default)]
    svar_sendes_til: Option<SvarSendesTil>,
    #[serde(default)]
    metadata_fra_avleverende_system: Option<Metadata>,
    dokumenter: Vec<Dokument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Utskrift {
    #[serde(rename = "tosidig")]
    _tosidig: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Mottaker {
    navn: String,
    digital_id: String,
    #[serde(default)]
    adresse: Option<Adresse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SvarSendesTil {
    navn: String,
    r#type: String,
    digital_id: String,
    adresse: Adresse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adresse {
    adresselinje1: String,
    #[serde(default)]
    adresselinje2: Option<String>,
    #[serde(default)]
    adresselinje3: Option<String>,
    #[serde(default)]
    postnummer: Option<String>,
    poststed: String,
    #[serde(default)]
    landkode: Option<String>,
}

#[expect(clippy::struct_field_names, reason = "the names are the service's")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Metadata {
    #[serde(default)]
    saksaar: Option<i64>,
    #[serde(default)]
    sakssekvensnummer: Option<i64>,
    #[serde(default)]
    journalaar: Option<i64>,
    #[serde(default)]
    journalsekvensnummer: Option<i64>,
    #[serde(default)]
    journalpostnummer: Option<i64>,
    #[serde(default)]
    journalposttype: Option<String>,
    #[serde(default)]
    journalstatus: Option<String>,
    #[serde(default)]
    journaldato: Option<jiff::Timestamp>,
    #[serde(default)]
    dokumentets_dato: Option<jiff::Timestamp>,
    #[serde(default)]
    tittel: Option<String>,
    #[serde(default)]
    saksbehandler: Option<String>,
    #[serde(default)]
    ekstra_metadata: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    key: String,
    value: String,
}

/// A document as it is announced.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Dokument {
    pub(super) filnavn: String,
    pub(super) mime_type: String,
    #[serde(default)]
    pub(super) skal_ekskluderes_fra_utskrift: Option<bool>,
}

/// The forsendelse without its documents, what is announced of them, and whether they are encrypted.
pub(super) fn read(json: &[u8]) -> Result<(Forsendelse, Vec<Dokument>, bool), String> {
    let body: OrganisasjonForsendelse = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    check(&body)?;
    let raw = serde_json::from_slice(json).unwrap_or_default();
    let level = match body.sikkerhetsniva.as_deref() {
        None | Some("BETYDELIG") => 3,
        Some("HOYESTE") => 4,
        Some(other) => return Err(format!("sikkerhetsniva is {other:.50}")),
    };
    let forsendelse = Forsendelse {
        came_by: "rest".to_owned(),
        external_reference: body.ekstern_referanse,
        kind: body.forsendelsestype,
        title: body.tittel,
        level,
        receiver: Party {
            number: body.mottaker.digital_id,
            name: body.mottaker.navn,
            address: body.mottaker.adresse.map(address),
        },
        answers_to: body.svar_sendes_til.map(|to| Party {
            number: to.digital_id,
            name: to.navn,
            address: Some(address(to.adresse)),
        }),
        answers: body.svar_pa_forsendelse_id,
        digital_only: body.kun_digital_levering == Some(true),
        metadata: body.metadata_fra_avleverende_system.map_or(Value::Null, metadata),
        raw,
        ..Forsendelse::default()
    };
    Ok((forsendelse, body.dokumenter, body.kryptert == Some(true)))
}

fn address(adresse: Adresse) -> forsendelse::Address {
    let further = [adresse.adresselinje2, adresse.adresselinje3].into_iter().flatten();
    forsendelse::Address {
        lines: std::iter::once(adresse.adresselinje1).chain(further).collect(),
        code: adresse.postnummer.unwrap_or_default(),
        place: adresse.poststed,
        country: adresse.landkode,
    }
}

fn metadata(metadata: Metadata) -> Value {
    let millis = |date: Option<jiff::Timestamp>| date.map(jiff::Timestamp::as_millisecond);
    let pairs = metadata.ekstra_metadata.unwrap_or_default();
    let pairs: Vec<Value> = pairs
        .into_iter()
        .map(|pair| json!({ "key": pair.key, "value": pair.value }))
        .collect();
    json!({
        "sakssekvensnummer": metadata.sakssekvensnummer, "saksaar": metadata.saksaar,
        "journalaar": metadata.journalaar, "journalsekvensnummer": metadata.journalsekvensnummer,
        "journalpostnummer": metadata.journalpostnummer, "journalposttype": metadata.journalposttype,
        "journalstatus": metadata.journalstatus, "journaldato": millis(metadata.journaldato),
        "dokumentetsDato": millis(metadata.dokumentets_dato), "tittel": metadata.tittel,
        "saksBehandler": metadata.saksbehandler, "ekstraMetadata": pairs,
    })
}

fn check(body: &OrganisasjonForsendelse) -> Result<(), String> {
    let mut texts = vec![
        ("tittel", Some(&body.tittel), 1000),
        ("mottaker.navn", Some(&body.mottaker.navn), 100),
        ("konteringskode", body.konteringskode.as_ref(), 20),
        ("eksternReferanse", body.ekstern_referanse.as_ref(), 100),
        ("korrelasjonsid", body.korrelasjonsid.as_ref(), 100),
        ("forsendelsestype", body.forsendelsestype.as_ref(), 100),
    ];
    if !(9..=11).contains(&body.mottaker.digital_id.len()) {
        return Err("mottaker.digitalId has 9 to 11 characters".to_owned());
    }
    let addresses = [
        body.mottaker.adresse.as_ref(),
        body.svar_sendes_til.as_ref().map(|to| &to.adresse),
    ];
    for adresse in addresses.into_iter().flatten() {
        texts.extend([
            ("adresselinje1", Some(&adresse.adresselinje1), 70),
            ("adresselinje2", adresse.adresselinje2.as_ref(), 70),
            ("adresselinje3", adresse.adresselinje3.as_ref(), 70),
            ("postnummer", adresse.postnummer.as_ref(), 20),
            ("poststed", Some(&adresse.poststed), 70),
            ("landkode", adresse.landkode.as_ref(), 2),
        ]);
    }
    if let Some(to) = &body.svar_sendes_til {
        let digits = to.digital_id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !["PERSON", "ORGANISASJON", "NHN_MOTTAKER"].contains(&to.r#type.as_str()) {
            return Err("svarSendesTil has an unknown type, or an id that is none".to_owned());
        }
        texts.extend([
            ("svarSendesTil.navn", Some(&to.navn), 100),
            ("digitalId", Some(&to.digital_id), 11),
        ]);
    }
    for dokument in &body.dokumenter {
        texts.extend([
            ("filnavn", Some(&dokument.filnavn), 226),
            ("mimeType", Some(&dokument.mime_type), 127),
        ]);
    }
    if let Some(metadata) = &body.metadata_fra_avleverende_system {
        check_numbers(metadata)?;
        texts.extend([
            ("journalposttype", metadata.journalposttype.as_ref(), 100),
            ("journalstatus", metadata.journalstatus.as_ref(), 100),
            ("metadata.tittel", metadata.tittel.as_ref(), 1000),
            ("saksbehandler", metadata.saksbehandler.as_ref(), 100),
        ]);
        let pairs = metadata.ekstra_metadata.as_deref().unwrap_or_default();
        for (place, pair) in pairs.iter().enumerate() {
            texts.extend([("key", Some(&pair.key), 100), ("value", Some(&pair.value), 500)]);
            if pairs[..place]
                .iter()
                .any(|other| (&other.key, &other.value) == (&pair.key, &pair.value))
            {
                return Err("ekstraMetadata must be unique".to_owned());
            }
        }
    }
    for (name, text, most) in texts {
        if text.is_some_and(|text| text.is_empty() || text.chars().count() > most) {
            return Err(format!("{name} has 1 to {most} characters"));
        }
    }
    Ok(())
}

fn check_numbers(metadata: &Metadata) -> Result<(), String> {
    let numbers = [
        ("saksaar", metadata.saksaar, 1000),
        ("journalaar", metadata.journalaar, 1000),
        ("sakssekvensnummer", metadata.sakssekvensnummer, 1),
        ("journalsekvensnummer", metadata.journalsekvensnummer, 1),
        ("journalpostnummer", metadata.journalpostnummer, 1),
    ];
    for (name, number, least) in numbers {
        if number.is_some_and(|number| number < least) {
            return Err(format!("{name} is at least {least}"));
        }
    }
    if metadata.ekstra_metadata.as_ref().is_some_and(|pairs| pairs.len() > 20) {
        return Err("ekstraMetadata has at most 20 entries".to_owned());
    }
    Ok(())
}
