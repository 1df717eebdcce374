//! An address service whose outside registers are in memory and count how often they are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use budstikke_message::identifier::{DocumentType, Identifier, Iso6523, Nhn, OrganisationNumber, Person, ProcessId};
use budstikke_message::x509::Certificate;

use crate::caller::{Caller, CallerToken};
use crate::data::{OwnOrganisation, Snapshot};
use crate::lookup::{Directory, Query, Registers, ServiceSettings, Services, Settings};
use crate::registers::{
    Account, Accounts, Address, Certificates, Contact, Contacts, HealthUnit, HealthUnits, Mailbox, Organisation,
    Organisations, Printer, ReceiverSystem, ReceiverSystems, RegisterError, Registered, Registrations, Resident,
    Residents,
};
use crate::rules::Rules;

pub(super) const RECEIVER: &str = "910076787";
pub(super) const SENDER: &str = "991825827";
pub(super) const CITIZEN: &str = "05839012391";
pub(super) const ACCOUNT: &str = "5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c10";

/// A certificate of its own for each name.
pub(super) fn certificate(name: &str) -> Certificate {
    static MADE: LazyLock<Mutex<BTreeMap<String, Certificate>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    made.entry(name.to_owned())
        .or_insert_with(|| self_signed(name, 2048))
        .clone()
}

pub(super) fn self_signed(name: &str, until: i32) -> Certificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(until, 1, 1);
    Certificate::from_der(parameters.self_signed(&key).unwrap().der()).unwrap()
}

/// `arkivmelding:administrasjon` in full.
pub(super) fn process(short: &str) -> ProcessId {
    format!("urn:no:difi:profile:{short}:ver1.0").parse().unwrap()
}

fn processes() -> &'static Snapshot {
    static PROCESSES: LazyLock<Snapshot> = LazyLock::new(|| Snapshot::with_default_processes().unwrap());
    &PROCESSES
}

pub(super) fn address(line: &str) -> Address {
    Address {
        lines: vec![line.to_owned(), "Bakgården".to_owned()],
        postal_code: Some("0001".to_owned()),
        postal_area: Some("OSLO".to_owned()),
        country: Some("NO".to_owned()),
    }
}

/// What the registers know. The default: the receiver and the sender exist, nobody is registered anywhere.
pub(super) struct Outside {
    asked: Mutex<BTreeMap<&'static str, usize>>,
    /// Registers that cannot be asked.
    pub(super) down: BTreeSet<&'static str>,
    /// What registers say instead of an answer.
    pub(super) failing: BTreeMap<&'static str, RegisterError>,
    pub(super) organisations: BTreeSet<&'static str>,
    pub(super) registrations: Vec<(DocumentType, ProcessId)>,
    pub(super) certificates: BTreeMap<&'static str, Certificate>,
    pub(super) levels: Vec<u8>,
    pub(super) contact: Option<Contact>,
    pub(super) resident: Option<Resident>,
    pub(super) unit_certificate: bool,
    pub(super) receives: bool,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            asked: Mutex::default(),
            down: BTreeSet::new(),
            failing: BTreeMap::new(),
            organisations: BTreeSet::from([RECEIVER, SENDER]),
            registrations: Vec::new(),
            certificates: BTreeMap::from([("DPO", certificate("receiver")), ("DPE", certificate("receiver"))]),
            levels: Vec::new(),
            contact: None,
            resident: Some(Resident {
                first_name: "Kari".to_owned(),
                middle_name: Some("Test".to_owned()),
                last_name: "Prøve".to_owned(),
                address: Some(address("Testveien 1")),
            }),
            unit_certificate: true,
            receives: true,
        }
    }
}

impl Outside {
    /// Registers the receiver in ELMA for a process, with its own document types.
    pub(super) fn register(&mut self, short: &str) {
        let process = process(short);
        for of in &processes().processes[&process].document_types {
            self.registrations.push((of.clone(), process.clone()));
        }
    }

    fn ask(&self, register: &'static str) -> Result<(), RegisterError> {
        *self.asked.lock().unwrap().entry(register).or_default() += 1;
        if self.down.contains(register) {
            let detail = "no answer in 5 s".to_owned();
            return Err(RegisterError::Unavailable { register, detail });
        }
        self.failing.get(register).map_or(Ok(()), |error| Err(error.clone()))
    }

    /// How often a register was asked.
    pub(super) fn asked(&self, register: &str) -> usize {
        self.asked.lock().unwrap().get(register).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Organisations for Outside {
    async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, RegisterError> {
        self.ask("BRREG")?;
        Ok(self.organisations.contains(number.as_str()).then(|| Organisation {
            number: number.clone(),
            name: "EKSEMPELETATEN".to_owned(),
            form: Some("ORGL".to_owned()),
            address: Some(address("Postboks 1 Sentrum")),
        }))
    }
}

#[async_trait]
impl Registrations for Outside {
    async fn by_document_type(
        &self,
        number: &OrganisationNumber,
        document_types: &[DocumentType],
    ) -> Result<Registered, RegisterError> {
        self.ask("ELMA")?;
        let mut found = Registered::new();
        let own = self.registrations.iter().filter(|_| number.as_str() == RECEIVER);
        for (of, process) in own.filter(|(of, _)| document_types.contains(of)) {
            found.entry(of.clone()).or_default().insert(process.clone());
        }
        Ok(found)
    }
}

#[async_trait]
impl Certificates for Outside {
    async fn certificate(&self, _: &OrganisationNumber, r#use: &str) -> Result<Option<Certificate>, RegisterError> {
        self.ask("virksert")?;
        Ok(self.certificates.get(r#use).cloned())
    }
}

#[async_trait]
impl ReceiverSystems for Outside {
    async fn receiver_systems(&self, _: &OrganisationNumber) -> Result<Vec<ReceiverSystem>, RegisterError> {
        self.ask("SvarUt")?;
        Ok(self
            .levels
            .iter()
            .map(|level| ReceiverSystem { level: *level })
            .collect())
    }
}

#[async_trait]
impl Contacts for Outside {
    async fn contact(&self, _: &Person, token: &CallerToken) -> Result<Option<Contact>, RegisterError> {
        self.ask("KRR")?;
        assert_eq!(token.secret(), "the caller's");
        Ok(self.contact.clone())
    }

    async fn printer(&self) -> Result<Printer, RegisterError> {
        self.ask("printer")?;
        Ok(Printer {
            supplier: "987464291".to_owned(),
            certificate: certificate("printer"),
        })
    }
}

#[async_trait]
impl Residents for Outside {
    async fn resident(&self, _: &Person) -> Result<Option<Resident>, RegisterError> {
        self.ask("FREG")?;
        Ok(self.resident.clone())
    }
}

#[async_trait]
impl HealthUnits for Outside {
    async fn unit(&self, identifier: &Nhn, _: &CallerToken) -> Result<Option<HealthUnit>, RegisterError> {
        self.ask("NHN")?;
        Ok((identifier.as_str() != "her-id:404").then(|| HealthUnit {
            her_id: 1_234_567,
            name: Some("Legekontoret".to_owned()),
            parent_her_id: Some(7),
            parent_name: Some("Kommunen".to_owned()),
            organisation: "974754096".to_owned(),
            certificate: self.unit_certificate.then(|| certificate("unit")),
        }))
    }
}

#[async_trait]
impl Accounts for Outside {
    async fn account(&self, id: &str) -> Result<Option<Account>, RegisterError> {
        self.ask("catalogue")?;
        Ok((id == ACCOUNT).then(|| Account {
            id: id.to_owned(),
            name: Some("Mottak".to_owned()),
            receives: self.receives,
            certificate: None,
        }))
    }
}

/// A person in KRR, of whom hold: `reserved`, `notifiable`, `active`, `mailbox`.
pub(super) fn contact(words: &[&str]) -> Contact {
    let holds = |word| words.contains(&word);
    Contact {
        reserved: holds("reserved"),
        active: holds("active"),
        notifiable: holds("notifiable"),
        email: Some("kari@example.no".to_owned()),
        mobile: Some("+4799999999".to_owned()),
        language: Some("nb".to_owned()),
        mailbox: holds("mailbox").then(|| Mailbox {
            address: "kari.prove#1234".to_owned(),
            supplier: "984661185".to_owned(),
            certificate: certificate("mailbox"),
        }),
    }
}

pub(super) struct World {
    pub(super) outside: Outside,
    pub(super) own: Vec<(&'static str, OwnOrganisation)>,
    pub(super) settings: Settings,
    pub(super) scopes: Option<BTreeSet<String>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            outside: Outside::default(),
            own: Vec::new(),
            settings: Settings::documented().unwrap(),
            scopes: None,
        }
    }
}

/// A world that is asked.
pub(super) struct Asked {
    pub(super) outside: Arc<Outside>,
    pub(super) directory: Directory,
    pub(super) caller: Caller,
}

impl World {
    pub(super) fn open(self) -> Asked {
        static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::built_in().unwrap());
        let outside = Arc::new(self.outside);
        let rules = RULES.clone();
        let mut data = processes().clone();
        let own = self.own.into_iter();
        data.organisations = own.map(|(number, own)| (number.parse().unwrap(), own)).collect();
        let caller = Caller {
            organisation: Iso6523::from(&SENDER.parse::<OrganisationNumber>().unwrap()),
            scopes: self.scopes.unwrap_or_else(|| rules.all_scopes()),
            token: CallerToken::new("the caller's".to_owned()),
        };
        Asked {
            directory: Directory {
                data: Arc::new(ArcSwap::from_pointee(data)),
                registers: registers(&outside),
                services: services(&rules),
                settings: self.settings,
                rules,
            },
            outside,
            caller,
        }
    }
}

fn registers(outside: &Arc<Outside>) -> Registers {
    Registers {
        organisations: Some(outside.clone()),
        registrations: Some(outside.clone()),
        certificates: Some(outside.clone()),
        receiver_systems: Some(outside.clone()),
        contacts: Some(outside.clone()),
        residents: Some(outside.clone()),
        health_units: Some(outside.clone()),
        accounts: Some(outside.clone()),
    }
}

fn services(rules: &Rules) -> Services {
    let names = rules.services_with_settings().into_iter();
    let of_one = |name: &str| ServiceSettings {
        endpoint_url: Some(format!("https://{}.example.no", name.to_lowercase())),
        service_code: Some("4192".to_owned()),
        service_edition_code: Some("270815".to_owned()),
        resource: Some("eformidling-dpo-meldingsutveksling".to_owned()),
        certificate: Some(certificate("svarut")),
    };
    names.map(|name| (name.clone(), of_one(name.as_str()))).collect()
}

pub(super) fn about(receiver: &str) -> Query {
    Query::about(Identifier::parse_any(receiver).unwrap())
}
