//! What a certificate says about itself beside names and times.

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityInfoAccessSyntax, CrlDistributionPoints, KeyUsage};

use super::Fault;

/// `id-ad-ocsp`
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extensions {
    /// Its key may encrypt; also when it does not say what its key is for.
    pub(super) for_encryption: bool,
    /// Where to ask whether it was called back.
    pub(super) responders: Vec<String>,
    /// Where the lists are of what was called back.
    pub(super) lists: Vec<String>,
}

impl Extensions {
    /// Reads them.
    pub(super) fn of(der: &[u8]) -> Result<Self, Fault> {
        let unreadable = |error: der::Error| Fault::Unreadable(error.to_string());
        let certificate = x509_cert::Certificate::from_der(der).map_err(unreadable)?;
        let certificate = certificate.tbs_certificate();
        let usage = certificate.get_extension::<KeyUsage>().map_err(unreadable)?;
        let access = certificate
            .get_extension::<AuthorityInfoAccessSyntax>()
            .map_err(unreadable)?;
        let points = certificate
            .get_extension::<CrlDistributionPoints>()
            .map_err(unreadable)?;
        let responders = access.into_iter().flat_map(|(_, access)| access.0);
        let points = points.into_iter().flat_map(|(_, points)| points.0);
        let names = points.filter_map(|point| match point.distribution_point {
            Some(DistributionPointName::FullName(names)) => Some(names),
            _ => None,
        });
        Ok(Self {
            for_encryption: usage.is_none_or(|(_, usage)| usage.key_encipherment() || usage.data_encipherment()),
            responders: responders
                .filter(|described| described.access_method == OCSP)
                .filter_map(|described| url(&described.access_location))
                .collect(),
            lists: names.flatten().filter_map(|name| url(&name)).collect(),
        })
    }
}

fn url(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
        _ => None,
    }
}
