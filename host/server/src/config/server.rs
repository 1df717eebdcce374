//! `[server]`: where the API is, who may call it, and how much a caller may take.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{Keystore, Secret};
use budstikke_settings::quantity::{size, time};

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Address of the API. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Writes the address that was taken to this file, when the server is ready.
    pub address_file: Option<PathBuf>,
    /// After the signal to stop: how long calls are still answered while the readiness says that no more are wanted. As long as a
    /// load balancer takes to notice.
    #[serde(deserialize_with = "time")]
    pub drain_time: Duration,
    /// Nobody is asked for a password. Only without users.
    pub open: bool,
    /// What needs no login below `/manage`.
    pub manage_open: Vec<ManagePart>,
    /// `POST /manage/shutdown` stops the process.
    pub shutdown: bool,
    /// `/api/x/` is served as `/api/x`.
    pub allow_deprecated_trailing_slash: bool,
    /// `[[server.users]]`: who may call.
    pub users: Vec<User>,
    /// `[server.tls]`: HTTPS instead of HTTP.
    pub tls: Option<Tls>,
    /// `[server.limits]`
    pub limits: ServerLimits,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9093)),
            address_file: None,
            drain_time: Duration::ZERO,
            open: false,
            manage_open: Vec::new(),
            shutdown: false,
            allow_deprecated_trailing_slash: false,
            users: Vec::new(),
            tls: None,
            limits: ServerLimits::default(),
        }
    }
}

impl Server {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        self.address_file.as_mut().map(fix);
        for user in &mut self.users {
            user.password_hash.resolve_path(base);
        }
        if let Some(tls) = &mut self.tls {
            tls.resolve_paths(base);
        }
    }
}

/// The first segment of a path below `/manage` that may be opened to everybody: what monitoring and updaters ask, and nothing
/// that changes or shows messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManagePart {
    /// `/manage/health`, `/manage/health/liveness`, `/manage/health/readiness`
    Health,
    /// `/manage/info`
    Info,
    /// `/manage/shutdown`, for updaters that cannot log in.
    Shutdown,
}

impl ManagePart {
    /// As it stands in the path.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Info => "info",
            Self::Shutdown => "shutdown",
        }
    }
}

/// `[[server.users]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Name that the caller gives.
    pub name: String,
    /// What `budstikke hash-password` prints, or a bcrypt hash.
    pub password_hash: Secret,
    /// What it may.
    #[serde(default = "fagsystem")]
    pub roles: Vec<Role>,
}

fn fagsystem() -> Vec<Role> {
    vec![Role::Fagsystem]
}

/// What a user may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The API.
    Fagsystem,
    /// Everything below `/manage`.
    Operator,
    /// The own data of the address service.
    Admin,
}

/// `[server.tls]`: either two PEM files or a keystore.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// PEM file: the server's certificate, then those that vouch for it.
    pub certificate: Option<PathBuf>,
    /// PEM file: the private key.
    pub key: Option<PathBuf>,
    /// PKCS#12 with both.
    pub keystore: Option<Keystore>,
}

impl Tls {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        self.certificate.as_mut().map(fix);
        self.key.as_mut().map(fix);
        if let Some(keystore) = &mut self.keystore {
            keystore.resolve_paths(base);
        }
    }
}

/// `[server.limits]`: how much one caller may take. Sizes are bytes or text such as `128MiB`; times are seconds or text such
/// as `30s`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerLimits {
    /// Bytes of the headers of one request, its path included.
    #[serde(deserialize_with = "size")]
    pub header_bytes: usize,
    /// Headers of one request.
    pub headers: usize,
    /// Time from the first byte of a request to the end of its headers; the TLS handshake has as much.
    #[serde(deserialize_with = "time")]
    pub header_time: Duration,
    /// How long a connection is kept without a request.
    #[serde(deserialize_with = "time")]
    pub idle_time: Duration,
    /// Bytes of a JSON body.
    #[serde(deserialize_with = "size")]
    pub json_bytes: usize,
    /// Bytes of a multipart request.
    #[serde(deserialize_with = "size")]
    pub request_bytes: u64,
    /// Bytes of one file of a multipart request.
    #[serde(deserialize_with = "size")]
    pub part_bytes: u64,
    /// Parts of a multipart request.
    pub parts: usize,
    /// How long a client may be silent inside a body.
    #[serde(deserialize_with = "time")]
    pub silence_time: Duration,
    /// How long a client may leave an answer unread.
    #[serde(deserialize_with = "time")]
    pub read_time: Duration,
    /// Connections at the same time, of all callers together; others wait in the system's queue. Half of them for one address.
    pub connections: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_bytes: 32 << 10,
            headers: 100,
            header_time: Duration::from_secs(30),
            // As long as the Java integrasjonspunkt waits. Spec: messaging API, 1.2.
            idle_time: Duration::from_mins(5),
            json_bytes: 16 << 20,
            request_bytes: 500 << 20,
            part_bytes: 5 << 20,
            parts: 1000,
            silence_time: Duration::from_mins(5),
            read_time: Duration::from_mins(5),
            connections: 500,
        }
    }
}
