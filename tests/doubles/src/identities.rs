//! Test organisations: a key and a certificate each, made on the spot and signed by a test authority.

use std::path::{Path, PathBuf};
use std::{fs, io};

use p12_keystore::{Certificate as StoredCertificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};

use crate::configuration::{Client, RegistrationError};
use crate::jwk::private_jwk;
use crate::maskinporten::key::{KeyError, PublicKey};
use crate::organisation::{NotAnOrganisation, Organisation};

/// Password of a `.p12` made without another one.
pub const PASSWORD: &str = "changeit";

/// Subject attribute `serialNumber`, where older *virksomhetssertifikat* carry the organisation number.
const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];
/// Subject attribute `organizationIdentifier`, where newer ones do.
const ORGANISATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];
const AUTHORITY: &str = "test-ca";
const ALIAS: &str = "virksomhet";

/// A test organisation cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not an organisation number.
    #[error(transparent)]
    Organisation(#[from] NotAnOrganisation),
    /// Key or certificate cannot be made.
    #[error("cannot make a key or certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The JWK cannot be made.
    #[error("cannot make the JWK: {0}")]
    Jwk(#[from] x509_cert::der::Error),
    /// The JWK that was made cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The PKCS#12 file cannot be made.
    #[error("cannot make the PKCS#12 file: {0}")]
    Pkcs12(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// An organisation with an RSA-2048 key and a certificate. The files lie in the folder it was made in, as
/// `<org>.key.pem` (PKCS#8), `<org>.cert.pem`, `<org>.p12` and `<org>.jwk.json`, beside those of the authority, `test-ca.*.pem`.
/// Keys lie open: for tests only.
#[derive(Clone, Debug)]
pub struct TestOrganisation {
    organisation: Organisation,
    password: String,
    dir: PathBuf,
    certificate_pem: String,
    // Without the private part, which has no place in a debug print.
    jwk_key: PublicKey,
}

impl TestOrganisation {
    /// Makes the organisation with the password [`PASSWORD`]. Files of the same name are overwritten; an authority
    /// that is in the folder already is used again.
    ///
    /// # Errors
    /// The number is no organisation number, or a file cannot be written.
    pub fn create(dir: impl AsRef<Path>, number: &str) -> Result<Self, IdentityError> {
        Self::create_with_password(dir, number, PASSWORD)
    }

    /// Makes the organisation with another password for the `.p12`.
    ///
    /// # Errors
    /// As for [`TestOrganisation::create`].
    pub fn create_with_password(dir: impl AsRef<Path>, number: &str, password: &str) -> Result<Self, IdentityError> {
        let dir = dir.as_ref();
        let organisation: Organisation = number.parse()?;
        fs::create_dir_all(dir).map_err(|source| IdentityError::File {
            path: dir.to_owned(),
            source,
        })?;
        let (issuer, authority_der) = authority(dir)?;
        let key = rsa_key()?;
        let certificate = leaf(&organisation)?.signed_by(&key, &issuer)?;
        let jwk = private_jwk(key.serialized_der(), &format!("{}-key", organisation.number()))?.to_string();
        let this = Self {
            password: password.to_owned(),
            dir: dir.to_owned(),
            certificate_pem: certificate.pem(),
            jwk_key: PublicKey::from_jwk(&jwk)?,
            organisation,
        };
        write(&this.key_path(), key.serialize_pem().as_bytes())?;
        write(&this.certificate_path(), this.certificate_pem.as_bytes())?;
        write(&this.p12_path(), &pkcs12(&key, &certificate, &authority_der, password)?)?;
        write(&this.jwk_path(), jwk.as_bytes())?;
        Ok(this)
    }

    /// The nine digits.
    pub fn number(&self) -> &str {
        self.organisation.number()
    }

    /// Password of the `.p12`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Alias of the key in the `.p12`.
    #[allow(clippy::unused_self, reason = "a property of the file like the others")]
    pub fn alias(&self) -> &'static str {
        ALIAS
    }

    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// `<org>.key.pem`, PKCS#8.
    pub fn key_path(&self) -> PathBuf {
        self.dir.join(format!("{}.key.pem", self.number()))
    }

    /// `<org>.cert.pem`.
    pub fn certificate_path(&self) -> PathBuf {
        self.dir.join(format!("{}.cert.pem", self.number()))
    }

    /// `<org>.p12`, with the key, the certificate and the authority's certificate.
    pub fn p12_path(&self) -> PathBuf {
        self.dir.join(format!("{}.p12", self.number()))
    }

    /// `<org>.jwk.json`: the private key as JWK, with `kid` `<org>-key`.
    pub fn jwk_path(&self) -> PathBuf {
        self.dir.join(format!("{}.jwk.json", self.number()))
    }

    /// `test-ca.cert.pem`.
    pub fn authority_path(&self) -> PathBuf {
        self.dir.join(format!("{AUTHORITY}.cert.pem"))
    }

    /// A Maskinporten client of this organisation that signs with its certificate.
    ///
    /// # Errors
    /// None in practice; the certificate is our own.
    pub fn client(&self, id: &str) -> Result<Client, RegistrationError> {
        Client::with_certificate(id, self.number(), &self.certificate_pem)
    }

    /// A Maskinporten client of this organisation that signs with its JWK.
    pub fn jwk_client(&self, id: &str) -> Client {
        Client::new(id, self.organisation.clone(), self.jwk_key.clone())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    fs::write(path, bytes).map_err(|source| IdentityError::File {
        path: path.to_owned(),
        source,
    })
}

fn rsa_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
}

/// The authority in the folder, made if there is none. Its certificate is always made anew, which changes nothing that
/// a chain is checked by.
fn authority(dir: &Path) -> Result<(Issuer<'static, KeyPair>, Vec<u8>), IdentityError> {
    let path = dir.join(format!("{AUTHORITY}.key.pem"));
    let key = match fs::read_to_string(&path) {
        Ok(pem) => KeyPair::from_pem(&pem)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = rsa_key()?;
            write(&path, key.serialize_pem().as_bytes())?;
            key
        }
        Err(source) => return Err(IdentityError::File { path, source }),
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&[(DnType::CountryName, "NO"), (DnType::CommonName, "Budstikke Test CA")]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params);
    let certificate = params.self_signed(&key)?;
    write(&dir.join(format!("{AUTHORITY}.cert.pem")), certificate.pem().as_bytes())?;
    Ok((Issuer::new(params, key), certificate.der().to_vec()))
}

fn leaf(organisation: &Organisation) -> Result<CertificateParams, rcgen::Error> {
    let number = organisation.number();
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name(&[
        (DnType::CountryName, "NO"),
        (DnType::OrganizationName, &format!("Test {number}")),
        (DnType::CommonName, &format!("Test {number}")),
        (DnType::CustomDnType(SERIAL_NUMBER.to_vec()), number),
        (
            DnType::CustomDnType(ORGANISATION_IDENTIFIER.to_vec()),
            &format!("NTRNO-{number}"),
        ),
    ]);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params);
    Ok(params)
}

fn name(attributes: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in attributes {
        name.push(kind.clone(), *value);
    }
    name
}

fn valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
}

fn pkcs12(key: &KeyPair, leaf: &Certificate, authority: &[u8], password: &str) -> Result<Vec<u8>, IdentityError> {
    let broken = |error: p12_keystore::error::Error| IdentityError::Pkcs12(error.to_string());
    let private = PrivateKey::from_der(&key.serialize_der()).map_err(broken)?;
    let leaf = StoredCertificate::from_der(leaf.der()).map_err(broken)?;
    let authority = StoredCertificate::from_der(authority).map_err(broken)?;
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new(ALIAS.as_bytes(), private, [leaf, authority]);
    store.add_entry(ALIAS, KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().map_err(broken)
}
