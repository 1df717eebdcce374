//! HTTPS: the certificate of the server, and its exchange while the server runs.

mod material;
mod reload;

use std::io;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::CERTIFICATE_WARNING_DAYS;
use crate::config;
pub(crate) use material::TlsError;
use material::{Material, read};
pub(super) use reload::watch;
use reload::{Seen, seen};

/// The certificate that callers meet, for those who want to know until when; none without TLS.
#[derive(Debug, Clone, Default)]
pub struct ServerCertificate(Arc<ArcSwapOption<Certificate>>);

impl ServerCertificate {
    /// The one in use.
    pub fn current(&self) -> Option<Arc<Certificate>> {
        self.0.load_full()
    }
}

/// The key and chain that a handshake gets.
#[derive(Debug)]
struct InUse(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// See the module.
pub(super) struct Tls {
    settings: config::Tls,
    /// The files as they were just before they were read for the first time.
    first: Seen,
    in_use: Arc<InUse>,
    shown: ServerCertificate,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the files that the configuration names.
    pub(super) fn new(settings: config::Tls) -> Result<Self, TlsError> {
        let first = seen(&settings);
        let material = read(&settings)?;
        warn_of_expiry(&material.certificate);
        let in_use = Arc::new(InUse(ArcSwap::from_pointee(material.certified)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Library)?
            .with_no_client_auth()
            .with_cert_resolver(in_use.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let shown = ServerCertificate::default();
        shown.0.store(Some(Arc::new(material.certificate)));
        Ok(Self {
            settings,
            first,
            in_use,
            shown,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// What callers meet from the next handshake on, always up to date.
    pub(super) fn shown(&self) -> ServerCertificate {
        self.shown.clone()
    }

    /// One handshake.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }

    /// Reads the files anew. What cannot be used changes nothing.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let Material { certified, certificate } = read(&self.settings)?;
        let (begin, end, now) = (certificate.not_before(), certificate.not_after(), Timestamp::now());
        if end <= now {
            return Err(TlsError::Expired(end));
        }
        if begin > now {
            return Err(TlsError::NotYet { begin, end });
        }
        warn_of_expiry(&certificate);
        tracing::info!(
            serial = certificate.serial(),
            end = %certificate.not_after(),
            "the server has a new certificate"
        );
        self.in_use.0.store(Arc::new(certified));
        self.shown.0.store(Some(Arc::new(certificate)));
        Ok(())
    }
}

fn warn_of_expiry(certificate: &Certificate) {
    let end = certificate.not_after();
    let days = (end - Timestamp::now()).get_seconds() / 86_400;
    if end <= Timestamp::now() {
        tracing::error!(%end, "the server's certificate has expired: callers will refuse it");
    } else if days < CERTIFICATE_WARNING_DAYS {
        tracing::warn!(%end, days, "the server's certificate expires soon");
    }
}
