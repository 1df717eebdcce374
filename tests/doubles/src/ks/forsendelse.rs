//! One forsendelse, whichever way it came.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A forsendelse at KS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Forsendelse {
    /// Its id: made by KS, or by the sender over SOAP.
    pub id: Uuid,
    /// Organisation number of the konto that it was sent from; empty when it was put into SvarInn.
    pub sender: String,
    /// `rest`, `soap` or `svarinn`.
    pub came_by: String,
    /// When it came.
    pub date: Timestamp,
    /// `eksternReferanse`.
    pub external_reference: Option<String>,
    /// `forsendelsestype`.
    pub kind: Option<String>,
    /// `tittel`.
    pub title: String,
    /// 3 or 4.
    pub level: u8,
    /// To whom.
    pub receiver: Party,
    /// To whom answers go.
    pub answers_to: Option<Party>,
    /// Which forsendelse it answers.
    pub answers: Option<Uuid>,
    /// Whether it may not be printed.
    pub digital_only: bool,
    /// `metadataFraAvleverendeSystem`, as SvarInn writes it; null when there is none.
    pub metadata: Value,
    /// Its documents, in order.
    pub documents: Vec<Document>,
    /// What became of it, in SvarUt's words.
    pub status: String,
    /// When that was.
    pub changed: Timestamp,
    /// The number of times that SvarInn handed it out.
    pub downloads: u32,
    /// `feilmelding` of each mottakFeilet.
    pub rejections: Vec<String>,
    /// Whether it waits in SvarInn.
    pub waits: bool,
    /// What came, without documents: the JSON, or the XML as a text.
    pub raw: Value,
}

impl Default for Forsendelse {
    fn default() -> Self {
        let now = Timestamp::now();
        Self {
            id: Uuid::new_v4(),
            sender: String::new(),
            came_by: "svarinn".to_owned(),
            date: now,
            external_reference: None,
            kind: None,
            title: "Brev".to_owned(),
            level: 3,
            receiver: Party::default(),
            answers_to: None,
            answers: None,
            digital_only: false,
            metadata: Value::Null,
            documents: Vec::new(),
            status: "MOTTATT".to_owned(),
            changed: now,
            downloads: 0,
            rejections: Vec::new(),
            waits: false,
            raw: Value::Null,
        }
    }
}

/// A sender or receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Party {
    /// Organisation number or person number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Postal address, if there is one.
    pub address: Option<Address>,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Up to three lines.
    pub lines: Vec<String>,
    /// Postal code.
    pub code: String,
    /// Place.
    pub place: String,
    /// Country, as it was written.
    pub country: Option<String>,
}

/// A document. At the door for people its content is text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// `filnavn`.
    pub name: String,
    /// `mimeType`.
    pub media_type: String,
    /// Whether it is kept from print; none when nobody said.
    #[serde(default)]
    pub not_printed: Option<bool>,
    /// The content, decrypted.
    #[serde(with = "text")]
    pub content: Vec<u8>,
}

mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(deserializer).map(String::into_bytes)
    }
}

impl Forsendelse {
    /// A forsendelse that somebody outside has sent, for SvarInn.
    pub fn to(receiver: &str) -> Self {
        Self {
            receiver: Party {
                number: receiver.to_owned(),
                name: format!("Organisasjon {receiver}"),
                address: None,
            },
            ..Self::default()
        }
    }

    /// The same with a text as one more document.
    #[must_use]
    pub fn with_document(mut self, name: &str, media_type: &str, content: &str) -> Self {
        self.documents.push(Document {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            not_printed: None,
            content: content.as_bytes().to_vec(),
        });
        self
    }

    pub(super) fn become_status(&mut self, status: &str) {
        if self.status != status {
            status.clone_into(&mut self.status);
            self.changed = Timestamp::now();
        }
    }

    /// As it stands in SvarInn's list. Spec: DPF and DPFIO, 9.3.
    pub(super) fn in_list(&self) -> Value {
        let files: Vec<Value> = self
            .documents
            .iter()
            .map(|document| {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &document.content);
                json!({
                    "filnavn": document.name, "mimetype": document.media_type,
                    "sha256hash": hex::encode(digest), "dokumentType": null, "size": document.content.len(),
                })
            })
            .collect();
        json!({
            "id": self.id, "tittel": self.title, "date": self.date.as_millisecond(),
            "downloadUrl": format!("/forsendelse/{}", self.id), "niva": self.level.to_string(),
            "status": "Klar for mottak", "filmetadata": files, "mottaker": party(&self.receiver),
            "svarSendesTil": self.answers_to.as_ref().map(party), "avsender": null,
            "metadataFraAvleverendeSystem": self.metadata,
            "metadataForImport": {
                "sakssekvensnummer": 0, "saksaar": 0, "journalposttype": null, "journalstatus": null,
                "dokumentetsDato": null, "tittel": null,
            },
            "svarPaForsendelse": self.answers, "forsendelseType": self.kind,
            "eksternRef": self.external_reference, "avgivendeSystem": "", "lenker": [],
        })
    }
}

fn party(party: &Party) -> Value {
    let address = party.address.clone().unwrap_or_default();
    let line = |place: usize| address.lines.get(place).cloned();
    let person = party.number.len() == 11;
    json!({
        "navn": party.name, "adresse1": line(0), "adresse2": line(1), "adresse3": line(2),
        "postnr": address.code, "poststed": address.place, "land": address.country.unwrap_or_default(),
        "orgnr": if person { "" } else { &party.number },
        "fnr": person.then_some(&party.number),
    })
}
