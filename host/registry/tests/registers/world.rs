//! Stand-ins of all registers, and registers that ask them.

use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use budstikke_doubles::{
    Content, Doubles, DoublesConfig, FREG_API_KEY, INTEGRATION_ID, INTEGRATION_PASSWORD, TestOrganisation,
};
use budstikke_message::identifier::{DocumentType, Identifier, Nhn, OrganisationNumber, Person, ProcessId};
use budstikke_message::x509::Certificate;
use budstikke_registry::caller::CallerToken;
use budstikke_registry::registers::certificate::{CertificateCheck, ValidToday};
use budstikke_registry::registers::settings::RegisterSettings;
use budstikke_registry::registers::token::TokenSource;
use budstikke_registry::registers::{RegisterError, Registers};
use tempfile::TempDir;

/// Nothing is kept and nothing is waited for.
pub const BARE: &str = "answer-ms = 5000, kept-ms = 0, absent-kept-ms = 0, last-good-ms = 0, failures = 0, retries = 0";

pub const ORGANISATION: &str = "910076787";
pub const PERSON: &str = "05839012391";
pub const ACCOUNT: &str = "f0e1d2c3-0011-4a5b-8c7d-0123456789ab";
pub const OUR_TOKEN: &str = "our-own-token";
pub const ARKIVMELDING: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding";
pub const ADMINISTRASJON: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
pub const DPO_PROCESS: &str = "cenbii-procid-ubl::urn:no:difi:profile:dpo:ver1.0";

pub struct World {
    pub doubles: Doubles,
    pub tokens: Arc<OurTokens>,
    pub check: Arc<dyn CertificateCheck>,
    dir: TempDir,
}

/// Gives out its tokens one after the other, the next one when one is refused; the last one again and again.
pub struct OurTokens {
    pub tokens: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl TokenSource for OurTokens {
    async fn token(&self) -> Result<CallerToken, RegisterError> {
        let tokens = self.tokens.lock().unwrap();
        let token = tokens.first().ok_or(RegisterError::Unavailable {
            register: "Maskinporten",
            detail: "no token".to_owned(),
        })?;
        Ok(CallerToken::new((*token).to_owned()))
    }

    async fn refused(&self, token: &CallerToken) {
        let mut tokens = self.tokens.lock().unwrap();
        if tokens.len() > 1 {
            tokens.retain(|known| *known != token.secret());
        }
    }
}

impl World {
    pub async fn start() -> Self {
        let doubles = Doubles::start(DoublesConfig::default()).await.unwrap();
        doubles.registers().accept_ks_token(OUR_TOKEN);
        Self {
            doubles,
            tokens: Arc::new(OurTokens {
                tokens: Mutex::new(vec![OUR_TOKEN]),
            }),
            check: Arc::new(ValidToday),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn put(&self, content: Content) {
        self.doubles.registers().put(content);
    }

    /// Settings of all registers, with these limits for each.
    pub fn settings(&self, limits: &str) -> RegisterSettings {
        let anchor = self.file("krr-ca.pem", self.doubles.registers().krr_authority());
        self.settings_with(limits, &format!("trust-anchors = [\"{anchor}\"]"))
    }

    /// The same, with another word on whom to believe.
    pub fn settings_with(&self, limits: &str, trust: &str) -> RegisterSettings {
        let url = self.doubles.url();
        let limits = format!("limits = {{ {limits} }}\n");
        let print_limits = format!("print-{limits}");
        let text = format!(
            r#"
            [brreg]
            url = "{url}/brreg/"
            {limits}
            [elma]
            url = "{url}/smp"
            {limits}
            [virksert]
            url = "{url}/virksert/"
            uses = {{ DPO = "{DPO_PROCESS}" }}
            {limits}
            [svarut]
            url = "{url}/svarut/api/v2"
            integrasjon-id = "{INTEGRATION_ID}"
            integrasjon-passord = "{INTEGRATION_PASSWORD}"
            {limits}
            [krr]
            url = "{url}/krr/rest/v1/personer"
            print-url = "{url}/krr/rest/v2/printSertifikat"
            {trust}
            {limits}
            {print_limits}
            [freg]
            url = "{url}/freg"
            api-key = "{FREG_API_KEY}"
            {limits}
            [nhn]
            url = "{url}/nhn/{{identifier}}"
            {limits}
            [fiks]
            url = "{url}/fiks/fiks-io/katalog/api/v1"
            integrasjon-id = "{INTEGRATION_ID}"
            integrasjon-passord = "{INTEGRATION_PASSWORD}"
            {limits}
            "#
        );
        toml::from_str(&text).unwrap()
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub fn open(&self, settings: &RegisterSettings) -> Registers {
        let tokens: Arc<dyn TokenSource> = self.tokens.clone();
        Registers::from_settings(settings, &tokens, &self.check).unwrap()
    }

    pub fn registers(&self, limits: &str) -> Registers {
        self.open(&self.settings(limits))
    }
}

/// A certificate of the organisation, in PEM. Made once.
pub fn pem() -> &'static str {
    static PEM: OnceLock<String> = OnceLock::new();
    PEM.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        TestOrganisation::create(dir.path(), ORGANISATION)
            .unwrap()
            .certificate_pem()
            .to_owned()
    })
}

pub fn certificate() -> Certificate {
    Certificate::from_pem(pem().as_bytes()).unwrap()
}

pub fn organisation() -> OrganisationNumber {
    ORGANISATION.parse().unwrap()
}

pub fn person() -> Person {
    Person::parse(PERSON).unwrap()
}

pub fn nhn(text: &str) -> Nhn {
    match Identifier::parse_any(text).unwrap() {
        Identifier::Nhn(nhn) => nhn,
        other => panic!("{other:?} is no identifier of Norsk Helsenett"),
    }
}

pub fn token() -> CallerToken {
    CallerToken::new("the-callers-token".to_owned())
}

pub fn arkivmelding() -> DocumentType {
    ARKIVMELDING.parse().unwrap()
}

pub fn administrasjon() -> ProcessId {
    ADMINISTRASJON.parse().unwrap()
}
