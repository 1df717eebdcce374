//! What can be put into the registers, in code or as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something that a register knows. Documents are what the register answers, as it is.
///
/// As JSON, in a file of the program or at the door for people: `{"put":"unit","number":"910076787","document":{…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "put", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Content {
    /// A unit of Enhetsregisteret.
    Unit {
        /// Organisation number.
        number: String,
        /// The answer.
        document: Value,
    },
    /// A sub-unit of Enhetsregisteret.
    SubUnit {
        /// Organisation number.
        number: String,
        /// The answer.
        document: Value,
    },
    /// A registration in ELMA.
    Registration {
        /// Organisation number.
        number: String,
        /// Document type, without scheme.
        document_type: String,
        /// Processes.
        processes: Vec<String>,
    },
    /// A certificate in virksert.
    Certificate {
        /// Organisation number.
        number: String,
        /// Process, as virksert calls it.
        process: String,
        /// The certificate, in PEM; anything else is handed out as it is.
        pem: String,
    },
    /// An entry of SvarUt's mottakersystemer.
    ReceiverSystem {
        /// Organisation number.
        number: String,
        /// The entry.
        document: Value,
    },
    /// A person in KRR.
    Contact {
        /// Person number.
        person: String,
        /// The entry.
        document: Value,
    },
    /// KRR's printer.
    Printer {
        /// The answer.
        document: Value,
    },
    /// A person in Folkeregisteret.
    Resident {
        /// Person number.
        person: String,
        /// The answer.
        document: Value,
    },
    /// A unit at Norsk Helsenett.
    HealthUnit {
        /// `her-id:…` or `fastlege-for:…`.
        identifier: String,
        /// The answer.
        document: Value,
    },
    /// An account of Fiks IO.
    Account {
        /// UUID.
        id: String,
        /// The answer.
        document: Value,
    },
    /// The public key of an account.
    AccountKey {
        /// UUID of the account.
        id: String,
        /// The answer.
        document: Value,
    },
}

impl Content {
    /// Reads one, or a list of them.
    ///
    /// # Errors
    /// Something else than content.
    pub fn all_from_json(json: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        match serde_json::from_slice(json)? {
            Value::Array(list) => list.into_iter().map(serde_json::from_value).collect(),
            one => Ok(vec![serde_json::from_value(one)?]),
        }
    }

    /// A unit with a postal address.
    pub fn unit(number: &str, name: &str, form: &str) -> Self {
        Self::Unit {
            number: number.to_owned(),
            document: json!({
                "organisasjonsnummer": number,
                "navn": name,
                "organisasjonsform": { "kode": form, "beskrivelse": "" },
                "postadresse": {
                    "land": "Norge", "landkode": "NO", "postnummer": "0101", "poststed": "OSLO",
                    "adresse": ["Postboks 1 Sentrum"], "kommune": "OSLO", "kommunenummer": "0301",
                },
                "registrertIMvaregisteret": false,
                "_links": {},
            }),
        }
    }

    /// A sub-unit, which has no postal address.
    pub fn sub_unit(number: &str, name: &str) -> Self {
        Self::SubUnit {
            number: number.to_owned(),
            document: json!({
                "organisasjonsnummer": number,
                "navn": name,
                "organisasjonsform": { "kode": "BEDR" },
                "beliggenhetsadresse": {
                    "land": "Norge", "postnummer": "0468", "poststed": "OSLO", "adresse": ["Portveien 2"],
                },
            }),
        }
    }

    /// A registration for one document type.
    pub fn registration(number: &str, document_type: &str, processes: &[&str]) -> Self {
        Self::Registration {
            number: number.to_owned(),
            document_type: document_type.to_owned(),
            processes: processes.iter().map(ToString::to_string).collect(),
        }
    }

    /// A certificate for one process of virksert.
    pub fn certificate(number: &str, process: &str, pem: &str) -> Self {
        Self::Certificate {
            number: number.to_owned(),
            process: process.to_owned(),
            pem: pem.to_owned(),
        }
    }

    /// A receiver system for every type of forsendelse.
    pub fn receiver_system(number: &str, level: u8) -> Self {
        Self::ReceiverSystem {
            number: number.to_owned(),
            document: json!({
                "id": uuid::Uuid::new_v4(), "navn": "Sak", "organisasjonsnummer": number, "forsendelseType": null,
                "niva": level,
            }),
        }
    }

    /// An active person who can be notified, without a mailbox.
    pub fn contact(person: &str) -> Self {
        Self::Contact {
            person: person.to_owned(),
            document: json!({
                "personidentifikator": person,
                "reservasjon": "NEI",
                "status": "AKTIV",
                "varslingsstatus": "KAN_VARSLES",
                "kontaktinformasjon": {
                    "epostadresse": "kari@example.no", "epostadresse_oppdatert": "2026-01-01T00:00:00Z",
                    "mobiltelefonnummer": "+4799999999", "mobiltelefonnummer_oppdatert": "2026-01-01T00:00:00Z",
                },
                "spraak": "nb",
            }),
        }
    }

    /// A person with a mailbox.
    pub fn contact_with_mailbox(person: &str, supplier: &str, address: &str, pem: &str) -> Self {
        Self::contact(person).with("sertifikat", json!(pem)).with(
            "digital_post",
            json!({ "postkasseadresse": address, "postkasseleverandoeradresse": supplier }),
        )
    }

    /// The printer. Its certificate goes out as base64 without PEM's lines, as KRR's does.
    pub fn printer(supplier: &str, pem: &str) -> Self {
        Self::Printer {
            document: json!({ "postkasseleverandoerAdresse": supplier, "x509Sertifikat": bare(pem) }),
        }
    }

    /// A person with an address that is not secret.
    pub fn resident(person: &str, first_name: &str, last_name: &str) -> Self {
        Self::Resident {
            person: person.to_owned(),
            document: json!({
                "personIdentifikator": person,
                "navn": {
                    "fornavn": first_name, "mellomnavn": null, "etternavn": last_name,
                    "forkortetNavn": format!("{last_name} {first_name}"),
                },
                "postadresse": {
                    "adresselinje": ["Testveien 1"], "postnummer": "0001", "poststed": "OSLO", "landkode": "NO",
                    "adressegradering": "ugradert",
                },
            }),
        }
    }

    /// A unit of the health service.
    pub fn health_unit(identifier: &str, her_id: u64, organisation: &str, pem: &str) -> Self {
        Self::HealthUnit {
            identifier: identifier.to_owned(),
            document: json!({
                "parentHerId": 8, "parentName": "Prøvekontoret", "herId": her_id, "name": "Fastlegen",
                "derCertificate": bare(pem), "orgNumber": organisation,
            }),
        }
    }

    /// An account that can be written to.
    pub fn account(id: &str, name: &str, organisation: &str) -> Self {
        Self::Account {
            id: id.to_owned(),
            document: json!({
                "fiksOrgId": uuid::Uuid::new_v4(), "fiksOrgNavn": name, "kontoId": id, "kontoNavn": name,
                "organisasjonsnummer": organisation, "kommunenummer": null,
                "status": {
                    "gyldigAvsender": true, "gyldigMottaker": true, "melding": "", "antallKonsumenter": 1,
                    "antallUavhentedeMeldinger": 0,
                },
            }),
        }
    }

    /// The public key of an account.
    pub fn account_key(id: &str, pem: &str) -> Self {
        Self::AccountKey {
            id: id.to_owned(),
            document: json!({ "nokkel": pem, "valid": true, "statusMessage": "", "serial": "1" }),
        }
    }

    /// The same with another member in its document. Content without a document stays as it is.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        if let Some(Value::Object(document)) = self.document() {
            document.insert(member.to_owned(), value);
        }
        self
    }

    /// The same without a member in its document.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        if let Some(Value::Object(document)) = self.document() {
            document.remove(member);
        }
        self
    }

    fn document(&mut self) -> Option<&mut Value> {
        match self {
            Self::Unit { document, .. }
            | Self::SubUnit { document, .. }
            | Self::ReceiverSystem { document, .. }
            | Self::Contact { document, .. }
            | Self::Printer { document }
            | Self::Resident { document, .. }
            | Self::HealthUnit { document, .. }
            | Self::Account { document, .. }
            | Self::AccountKey { document, .. } => Some(document),
            Self::Registration { .. } | Self::Certificate { .. } => None,
        }
    }
}

/// Base64 of a certificate in PEM, on one line. What is no PEM stays as it is.
pub(super) fn bare(pem: &str) -> String {
    let inner: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    if pem.contains("-----BEGIN") && STANDARD.decode(&inner).is_ok() {
        return inner;
    }
    pem.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_the_same_as_json() {
        let content = Content::registration("910076787", "urn:a::b", &["urn:p"]);
        let text = serde_json::to_string(&content).unwrap();
        assert!(
            text.starts_with(r#"{"put":"registration""#) && text.contains("document_type"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), content);
    }

    #[test]
    fn members_come_and_go() {
        let Content::Unit { document, .. } = Content::unit("910076787", "E", "ORGL")
            .with("slettedato", json!("2020-01-01"))
            .without("postadresse")
        else {
            panic!("a unit stays a unit");
        };
        assert_eq!(document["slettedato"], "2020-01-01");
        assert!(document.get("postadresse").is_none());
    }
}
