//! The Online Certificate Status Protocol (RFC 6960), as far as one certificate is asked about.

#![allow(clippy::unnested_or_patterns, reason = "the derive macro of Choice writes them")]

use aws_lc_rs::digest;
use budstikke_message::x509::Certificate;
use budstikke_registry::registers::chain;
use der::asn1::{AnyRef, BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use der::{Choice, Decode as _, Encode as _, Enumerated, Sequence};
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};
use x509_cert::ext::Extensions;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::anchors::Anchor;
use super::revocation::{Standing, Told};

/// SHA-1: the one digest that all responders know. It only names the certificate.
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
/// `id-pkix-ocsp-basic`
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// `id-kp-OCSPSigning`, 1.3.6.1.5.5.7.3.9
const OCSP_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
/// How far the clocks of a responder and of this machine may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How long an answer holds that does not say.
const UNSAID: SignedDuration = SignedDuration::from_mins(10);

/// Why an answer says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OcspError {
    /// No OCSP.
    #[error("the answer is no OCSP response: {0}")]
    Format(#[from] der::Error),
    /// The responder did not answer the question.
    #[error("the responder refuses to answer ({0:?})")]
    Refused(ResponseStatus),
    /// Another kind of answer than the basic one.
    #[error("the answer is of a kind that is not known here")]
    Kind,
    /// It is about other certificates.
    #[error("the answer is about another certificate")]
    Another,
    /// The responder does not know the certificate.
    #[error("the responder does not know the certificate")]
    Unknown,
    /// Made too long ago, or in the future.
    #[error("the answer is not of now")]
    NotNow,
    /// Nobody who may say so has signed it.
    #[error("the signature of the answer does not hold: {0}")]
    Signature(String),
}

#[derive(Sequence)]
struct Request {
    tbs: TbsRequest,
}

#[derive(Sequence)]
struct TbsRequest {
    list: Vec<SingleRequest>,
}

#[derive(Sequence)]
struct SingleRequest {
    certificate: CertificateId,
}

/// `CertID`
#[derive(Clone, PartialEq, Eq, Sequence)]
struct CertificateId {
    algorithm: AlgorithmIdentifierOwned,
    issuer_name: OctetString,
    issuer_key: OctetString,
    serial: SerialNumber,
}

#[derive(Sequence)]
struct Response {
    status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes>,
}

/// `OCSPResponseStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enumerated)]
#[repr(u8)]
pub(super) enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Sequence)]
struct ResponseBytes {
    kind: ObjectIdentifier,
    response: OctetString,
}

#[derive(Sequence)]
struct BasicResponse<'a> {
    /// Kept as it came: these bytes are signed.
    data: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<AnyRef<'a>>>,
}

#[derive(Sequence)]
struct ResponseData {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "first")]
    version: u8,
    responder: Responder,
    produced: GeneralizedTime,
    responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

fn first() -> u8 {
    0
}

#[derive(Choice)]
enum Responder {
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", constructed = "true")]
    Name(Name),
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    Key(OctetString),
}

#[derive(Sequence)]
struct SingleResponse {
    certificate: CertificateId,
    status: Status,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum Status {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(Revoked),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Sequence)]
struct Revoked {
    at: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<Reason>,
}

/// `CRLReason`; 7 is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enumerated)]
#[repr(u8)]
enum Reason {
    Unspecified = 0,
    KeyCompromise = 1,
    AuthorityCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    Cessation = 5,
    Hold = 6,
    RemoveFromList = 8,
    PrivilegeWithdrawn = 9,
    AttributeAuthorityCompromise = 10,
}

/// The question about one certificate.
pub(super) struct Question(CertificateId);

impl Question {
    /// `issuer`: the certificate of its authority.
    pub(super) fn about(certificate: &Certificate, issuer: &Certificate) -> Result<Self, der::Error> {
        let sha1 = |bytes: &[u8]| {
            let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
            OctetString::new(digest.as_ref())
        };
        let asked = x509_cert::Certificate::from_der(certificate.der())?;
        let issuer = x509_cert::Certificate::from_der(issuer.der())?;
        let issuer = issuer.tbs_certificate();
        Ok(Self(CertificateId {
            algorithm: AlgorithmIdentifierOwned {
                oid: SHA1,
                parameters: Some(der::Any::null()),
            },
            issuer_name: sha1(&issuer.subject().to_der()?)?,
            issuer_key: sha1(issuer.subject_public_key_info().subject_public_key.raw_bytes())?,
            serial: asked.tbs_certificate().serial_number().clone(),
        }))
    }

    /// `OCSPRequest`, without a nonce: responders that answer from a list ignore it.
    pub(super) fn to_der(&self) -> Result<Vec<u8>, der::Error> {
        let certificate = self.0.clone();
        let tbs = TbsRequest {
            list: vec![SingleRequest { certificate }],
        };
        Request { tbs }.to_der()
    }

    /// Reads the answer, and believes it when the authority or somebody whom it has appointed has signed it.
    pub(super) fn answered(&self, answer: &[u8], issuer: &Anchor, now: Timestamp) -> Result<Told, OcspError> {
        let response = Response::from_der(answer)?;
        if response.status != ResponseStatus::Successful {
            return Err(OcspError::Refused(response.status));
        }
        let bytes = response
            .bytes
            .filter(|bytes| bytes.kind == BASIC)
            .ok_or(OcspError::Kind)?;
        let basic = BasicResponse::from_der(bytes.response.as_bytes())?;
        let data = basic.data.to_der()?;
        signed(&basic, &data, issuer, now)?;
        let data = ResponseData::from_der(&data)?;
        let same = |single: &&SingleResponse| self.is_about(&single.certificate);
        let single = data.responses.iter().find(same).ok_or(OcspError::Another)?;
        let until = until(single, now)?;
        let standing = match single.status {
            Status::Good(_) => Standing::Good,
            Status::Revoked(_) => Standing::Revoked,
            Status::Unknown(_) => return Err(OcspError::Unknown),
        };
        Ok(Told { standing, until })
    }

    /// The parameters of the digest may be left out or null.
    fn is_about(&self, other: &CertificateId) -> bool {
        let own = &self.0;
        own.algorithm.oid == other.algorithm.oid
            && (&own.issuer_name, &own.issuer_key, &own.serial)
                == (&other.issuer_name, &other.issuer_key, &other.serial)
    }
}

fn until(single: &SingleResponse, now: Timestamp) -> Result<Timestamp, OcspError> {
    let this = timestamp(&single.this_update)?;
    let until = match &single.next_update {
        Some(next) => timestamp(next)?,
        None => this.saturating_add(UNSAID).map_err(|_| OcspError::NotNow)?,
    };
    let early = this.saturating_sub(SKEW).map_err(|_| OcspError::NotNow)?;
    let late = until.saturating_add(SKEW).map_err(|_| OcspError::NotNow)?;
    if early <= now && now <= late {
        Ok(until)
    } else {
        Err(OcspError::NotNow)
    }
}

fn timestamp(time: &GeneralizedTime) -> Result<Timestamp, OcspError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| OcspError::NotNow)?;
    Timestamp::from_second(seconds).map_err(|_| OcspError::NotNow)
}

/// Signed by the authority itself, or by a responder with a certificate of the authority for that purpose.
fn signed(basic: &BasicResponse<'_>, data: &[u8], issuer: &Anchor, now: Timestamp) -> Result<(), OcspError> {
    let own = CertificateDer::from(issuer.certificate.der());
    let mut last = match verified(&own, basic, data) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    for certificate in basic.certificates.iter().flatten() {
        let der = CertificateDer::from(certificate.to_der()?);
        let appointed = EndEntityCert::try_from(&der).and_then(|responder| {
            responder
                .verify_for_usage(
                    ALL_VERIFICATION_ALGS,
                    std::slice::from_ref(&issuer.trusted),
                    &[],
                    chain::unix(now),
                    KeyUsage::required(OCSP_SIGNING),
                    None,
                    None,
                )
                .map(drop)
        });
        match appointed.and_then(|()| verified(&der, basic, data)) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(OcspError::Signature(last.to_string()))
}

fn verified(signer: &CertificateDer<'_>, basic: &BasicResponse<'_>, data: &[u8]) -> Result<(), webpki::Error> {
    let signer = EndEntityCert::try_from(signer)?;
    let fitting = ALL_VERIFICATION_ALGS
        .iter()
        .filter(|algorithm| algorithm.signature_alg_id().as_ref() == basic.algorithm.value());
    let mut last = webpki::Error::InvalidSignatureForPublicKey;
    for algorithm in fitting {
        match signer.verify_signature(*algorithm, data, basic.signature.raw_bytes()) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
