//! The one gate to the network. Nothing else in a sandbox can open a connection.
//!
//! Order of checks: scheme, host and port granted → quotas → name resolved → addresses allowed → connected to exactly
//! those addresses → silence. Redirects are handed to the guest, so that each hop passes the gate.

mod address;
mod body;
mod error;
mod resolver;

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use reqwest::{Client, Url, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub use crate::egress::address::{Reach, reach};
use crate::egress::body::{Download, Upload};
pub use crate::egress::resolver::{CheckedResolver, ResolveError};
use crate::grants::Grants;
use crate::limits::Limits;

/// Bytes that a guest may write to a request body at once; with [`CHUNKS`], what one upload holds in memory.
const CHUNK: usize = 256 << 10;
/// Chunks between guest and network.
const CHUNKS: usize = 3;
/// Unused connections that are kept for the next call.
const IDLE: Duration = Duration::from_mins(1);
/// Silence on a connection after which it is probed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The HTTP client cannot be built, as a rule for want of root certificates.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// No client.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
    /// Extra roots that are no PEM.
    #[error("the extra root certificates cannot be read: {0}")]
    Roots(#[source] reqwest::Error),
}

/// The gate of one adapter, with its connections.
pub(crate) struct Gate {
    plugin: Arc<str>,
    grants: Arc<Grants>,
    client: Client,
    connections: Arc<Semaphore>,
    connect_time: Duration,
    silence_time: Duration,
    refused: AtomicU64,
}

impl Gate {
    /// `roots`: PEM bundles that are trusted besides the system's.
    pub(crate) fn new(
        plugin: Arc<str>,
        grants: Arc<Grants>,
        limits: &Limits,
        roots: &[Vec<u8>],
    ) -> Result<Self, EgressError> {
        let mut certificates = Vec::new();
        for bundle in roots {
            certificates.extend(reqwest::Certificate::from_pem_bundle(bundle).map_err(EgressError::Roots)?);
        }
        let mut client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(limits.connect_time)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(KEEP_ALIVE)
            .dns_resolver(CheckedResolver::of_grants(grants.clone()));
        if !certificates.is_empty() {
            client = client.tls_certs_merge(certificates);
        }
        Ok(Self {
            plugin,
            grants,
            client: client.build().map_err(EgressError::Client)?,
            connections: Arc::new(Semaphore::new(limits.connections)),
            connect_time: limits.connect_time,
            silence_time: limits.silence_time,
            refused: AtomicU64::new(0),
        })
    }

    /// Requests that were refused since the adapter was loaded.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    fn refuse(&self, host: &str, why: &str, error: Error) -> Error {
        self.refused.fetch_add(1, Relaxed);
        tracing::warn!(plugin = &*self.plugin, host, "HTTP request refused: {why}");
        error
    }

    async fn send(
        self: Arc<Self>,
        request: Request<WasiBody>,
        options: RequestOptions,
        quota: Arc<Quota>,
    ) -> Result<Response<WasiBody>, Error> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let permit = self.admit(&parts.method, &url, &quota)?;
        let declared = content_length(&parts.headers);
        if let Some(size) = declared.filter(|size| *size > quota.left_to_send()) {
            return Err(self.refuse(host_of(&url), "its body is over the limit request-bytes", {
                Error::HttpRequestBodySize(Some(size))
            }));
        }

        let upload = Upload::new(body, quota.clone());
        let (progress, give_up) = (upload.progress(), upload.give_up());
        let has_body = !upload.is_end_stream();
        let mut outgoing = self.client.request(parts.method, url.clone()).headers(parts.headers);
        if has_body {
            outgoing = outgoing.body(reqwest::Body::wrap_stream(upload));
        }
        let first_byte = self.silence(options.first_byte_timeout);
        let connect = options
            .connect_timeout
            .map_or(self.connect_time, |wanted| wanted.min(self.connect_time));
        let response = tokio::select! {
            biased;
            response = outgoing.send() => response.map_err(|error| error::translate(&error, &quota))?,
            error = progress.silence(connect, first_byte) => return Err(error),
        };
        give_up.answered();

        if let Some(size) = response.content_length().filter(|size| *size > quota.left_to_receive()) {
            return Err(
                self.refuse(host_of(&url), "its response is over the limit response-bytes", {
                    Error::HttpResponseBodySize(Some(size))
                }),
            );
        }
        let between = self.silence(options.between_bytes_timeout);
        let response: Response<reqwest::Body> = response.into();
        Ok(response.map(|body| Download::new(body, quota, between, permit).boxed_unsync()))
    }

    /// Everything that can be said before a connection is made.
    fn admit(&self, method: &Method, url: &Url, quota: &Quota) -> Result<OwnedSemaphorePermit, Error> {
        let host = host_of(url);
        if *method == Method::CONNECT {
            return Err(self.refuse(host, "no tunnels", Error::HttpRequestMethodInvalid));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if self.grants.covering(url.scheme(), host, port).is_none() {
            let why = format!(
                "not granted; to grant it, add \"{}://{}:{port}\" to `http` under `[adapters.{}.grants]`",
                url.scheme(),
                url.host_str().unwrap_or_default(),
                self.plugin
            );
            return Err(self.refuse(host, &why, Error::HttpRequestDenied));
        }
        if quota
            .requests_left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_err()
        {
            return Err(self.refuse(host, "over the limit requests of one call", Error::HttpRequestDenied));
        }
        self.connections
            .clone()
            .try_acquire_owned()
            .map_err(|_| self.refuse(host, "over the limit connections", Error::ConnectionLimitReached))
    }

    fn silence(&self, wanted: Option<Duration>) -> Duration {
        wanted.map_or(self.silence_time, |wanted| wanted.min(self.silence_time))
    }
}

/// The host without the brackets of an IPv6 address.
fn host_of(url: &Url) -> &str {
    url.host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
}

fn content_length(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What one call has left.
pub(crate) struct Quota {
    requests_left: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    send_limit: u64,
    receive_limit: u64,
    over: AtomicBool,
}

impl Quota {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            requests_left: AtomicU64::new(limits.requests),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            send_limit: limits.request_bytes,
            receive_limit: limits.response_bytes,
            over: AtomicBool::new(false),
        })
    }

    /// The call has ended, well or not; said before anything of it is dropped.
    pub(crate) fn end(&self) {
        self.over.store(true, Release);
    }

    fn is_over(&self) -> bool {
        self.over.load(Acquire)
    }

    /// Bytes of bodies sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Bytes of bodies received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Bytes of bodies moved so far, both ways.
    pub(crate) fn moved(&self) -> u64 {
        self.sent().saturating_add(self.received())
    }

    fn left_to_send(&self) -> u64 {
        self.send_limit.saturating_sub(self.sent())
    }

    fn left_to_receive(&self) -> u64 {
        self.receive_limit.saturating_sub(self.received())
    }

    /// Counts bytes of a request; the total when it is over the limit.
    fn count_sent(&self, bytes: u64) -> Result<(), u64> {
        over(self.sent.fetch_add(bytes, Relaxed) + bytes, self.send_limit)
    }

    fn count_received(&self, bytes: u64) -> Result<(), u64> {
        over(self.received.fetch_add(bytes, Relaxed) + bytes, self.receive_limit)
    }

    fn is_oversent(&self) -> Option<u64> {
        over(self.sent(), self.send_limit).err()
    }
}

fn over(total: u64, limit: u64) -> Result<(), u64> {
    if total > limit { Err(total) } else { Ok(()) }
}

/// The hooks of one call.
pub(crate) struct Egress {
    gate: Arc<Gate>,
    quota: Arc<Quota>,
}

impl Egress {
    pub(crate) fn new(gate: Arc<Gate>, limits: &Limits) -> Self {
        Self {
            gate,
            quota: Quota::new(limits),
        }
    }

    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }
}

type BodySent = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Egress {
    /// The URL says it; a `Host` of its own would let a guest name one host and reach another.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: BodySent,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, BodySent), Error>> + Send> {
        let (gate, quota) = (self.gate.clone(), self.quota.clone());
        Box::new(async move {
            let response = gate.send(request, options.unwrap_or_default(), quota).await?;
            let body_sent: BodySent = Box::new(async { Ok(()) });
            Ok((response, body_sent))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        CHUNKS
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }
}
