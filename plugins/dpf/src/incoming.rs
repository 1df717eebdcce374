//! A forsendelse as a message: its SBD and its arkivmelding.
//!
//! Spec: DPF and DPFIO, 9.5 and 9.6.

use budstikke_sdk::arkivmelding::{
    Arkivmelding, Dokumentbeskrivelse, Envelope, Journalpost, Korrespondansepart, Metadata, Saksmappe,
};
use serde_json::json;

use crate::codes::{JOURNALPOSTTYPE, JOURNALSTATUS};
use crate::file_names::FileNames;
use crate::host::Host;
use crate::oslo;
use crate::sbd::Made;
use crate::settings::{Incoming, is_organisation};
use crate::svarinn::{Party, Waiting};

/// Seconds by which a message is older than its making: clocks of receivers may be behind.
const OLDER: i64 = 5;

/// A message that waits for its files.
pub(crate) struct Message {
    /// `0192:974720760`.
    pub(crate) sender: String,
    pub(crate) receiver: String,
    /// JSON.
    pub(crate) sbd: Vec<u8>,
    /// XML.
    pub(crate) arkivmelding: String,
}

/// A text of an error says what is wrong, for the operator.
pub(crate) fn message<H: Host>(
    host: &H,
    inn: &Incoming,
    lifetime_hours: u32,
    waiting: &Waiting,
) -> Result<Message, String> {
    if !is_organisation(&waiting.mottaker.orgnr) {
        return Err("its mottaker has no organisation number".to_owned());
    }
    let sender = match waiting.svar_sendes_til.orgnr.trim() {
        number if is_organisation(number) => number,
        // Old clients cannot say who they are. Spec: DPF and DPFIO, 14, sharp edge 19.
        _ => &inn.fallback_sender,
    };
    let (sender, receiver) = (format!("0192:{sender}"), format!("0192:{}", waiting.mottaker.orgnr));
    let now = i64::try_from(host.now()).unwrap_or(i64::MAX);
    let answers = Some(waiting.svar_pa_forsendelse.as_str()).filter(|text| !text.is_empty());
    let sbd = Made {
        sender: &sender,
        receiver: &receiver,
        message_id: &waiting.id,
        conversation_id: &waiting.id,
        process: &inn.process,
        document_type: &inn.document_type,
        message_type: "arkivmelding",
        created: now - OLDER,
        expires: now + i64::from(lifetime_hours) * 3600,
        receiver_reference: answers,
        body: json!({}),
    }
    .write();
    Ok(Message {
        sender,
        receiver,
        sbd,
        arkivmelding: arkivmelding(host, waiting, now)?,
    })
}

fn arkivmelding<H: Host>(host: &H, waiting: &Waiting, now: i64) -> Result<String, String> {
    let metadata = &waiting.metadata_fra_avleverende_system;
    let told = |(words, warning): (&'static str, Option<String>)| {
        if let Some(warning) = warning {
            host.warn(&format!("forsendelse {}: {warning}", waiting.id));
        }
        Some(words.to_owned())
    };
    let mut names = FileNames::new();
    let documents = waiting.filmetadata.iter().map(|file| {
        let name = names.next(&file.filnavn);
        Dokumentbeskrivelse {
            system_id: Some(host.uuid()),
            title: Some(name.clone()),
            files: vec![name],
            ..Dokumentbeskrivelse::default()
        }
    });
    let documents = documents.collect();
    let pieces = metadata.ekstra_metadata.iter().map(|pair| Metadata {
        // An absent one is told as Java tells it.
        name: pair.key.clone().unwrap_or_default(),
        value: Some(pair.value.clone()),
    });
    let number = |number: Option<i64>| Some(number.unwrap_or(0));
    let arkivmelding = Arkivmelding {
        saksmappe: Saksmappe {
            system_id: Some(host.uuid()),
            year: metadata.saksaar,
            sequence_number: metadata.sakssekvensnummer,
            responsible: metadata.saks_behandler.clone().filter(|name| !name.is_empty()),
            ..Saksmappe::default()
        },
        journalpost: Journalpost {
            system_id: Some(host.uuid()),
            title: Some(title(waiting)),
            public_title: Some(waiting.tittel.clone()),
            year: Some(metadata.journalaar.unwrap_or_else(|| oslo::year_of(now))),
            sequence_number: number(metadata.journalsekvensnummer),
            number: number(metadata.journalpostnummer),
            kind: told(JOURNALPOSTTYPE.words(metadata.journalposttype.as_deref())),
            status: told(JOURNALSTATUS.words(metadata.journalstatus.as_deref())),
            date: Some(oslo::date_of(metadata.journaldato.unwrap_or(now * 1000))),
            document_date: metadata.dokumentets_dato.map(oslo::date_of),
            parties: sender(waiting).into_iter().collect(),
            metadata: pieces.collect(),
            documents,
        },
    };
    let time = metadata
        .dokumentets_dato
        .map_or_else(|| oslo::time_of(now), oslo::midnight_of);
    let envelope = Envelope {
        system: "Integrasjonspunkt",
        message_id: &waiting.id,
        time: &time,
        file_count: 0,
    };
    arkivmelding.write(&envelope).map_err(|error| {
        let key = if error.0.is_empty() { "null" } else { &error.0 };
        format!(
            "Unable to build XML for virksomhetsspesifikkeMetadata, cant create key from ekstraMetadata value: {key}"
        )
    })
}

/// The number of a citizen who wrote by eDialog goes into the title, where the receiver's archive looks for it.
fn title(waiting: &Waiting) -> String {
    let metadata = &waiting.metadata_fra_avleverende_system;
    let title = if metadata.tittel.is_empty() {
        &waiting.tittel
    } else {
        &metadata.tittel
    };
    match waiting.svar_sendes_til.fnr.as_str() {
        "" => title.clone(),
        person => format!("{title} (eDialog fra {person})"),
    }
}

/// Whom to answer; where the forsendelse does not say, who sent it. Spec: DPF and DPFIO, 14, sharp edge 23.
fn sender(waiting: &Waiting) -> Option<Korrespondansepart> {
    let (to, from) = (&waiting.svar_sendes_til, &waiting.avsender);
    let known = |party: &Party| {
        let texts = [&party.navn, &party.adresse1, &party.postnr, &party.poststed];
        texts
            .into_iter()
            .any(|text| text.as_ref().is_some_and(|text| !text.is_empty()))
    };
    let party = if known(to) {
        to.clone()
    } else if from.navn.is_some() {
        Party {
            navn: from.navn.clone(),
            adresse1: from.adresselinje1.clone(),
            adresse2: from.adresselinje2.clone(),
            adresse3: from.adresselinje3.clone(),
            postnr: from.postnr.clone(),
            poststed: from.poststed.clone(),
            ..Party::default()
        }
    } else {
        return None;
    };
    // The first line stands as it is, empty or not; the others only when there is something in them.
    let further = [party.adresse2, party.adresse3].into_iter().flatten();
    let further = further.filter(|line| !line.trim().is_empty());
    Some(Korrespondansepart {
        kind: Some("Avsender".to_owned()),
        // The schema wants a name.
        name: Some(party.navn.unwrap_or_default()),
        lines: party.adresse1.into_iter().chain(further).collect(),
        postal_code: party.postnr,
        place: party.poststed,
        country: party.land,
        ..Korrespondansepart::default()
    })
}

#[cfg(test)]
mod tests;
