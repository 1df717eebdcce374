//! One connection from its first byte to its last: TLS, HTTP/1.1 or HTTP/2, and an end to what takes too long.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::gate::{Caller, Gate};
use super::progress::{Overdue, Progress, Times};
use super::tls::Tls;
use super::watched::{WatchedBody, WatchedStream};
use crate::config::ServerLimits;

/// What HTTP/1 may buffer of one connection, bytes. Headers above `header-bytes` and below this get an answer with a body;
/// above it a bare 431.
const BUFFER: usize = 256 << 10;
/// Requests at the same time on one HTTP/2 connection.
const STREAMS: u32 = 100;
/// HTTP/2 requests that are given up before anything was done for them, and faults of the client's: more of them end the
/// connection (CVE-2023-44487 and its kin).
const RESETS: usize = 20;
const FAULTS: usize = 100;
/// Bytes of answers that wait in one HTTP/2 request.
const UNSENT: usize = 256 << 10;
/// HTTP/2 only: silence after which the other side is asked whether it is there, and how long it has to say so.
const PROBED: Duration = Duration::from_secs(30);
const PROBE_ANSWERED: Duration = Duration::from_secs(20);
/// How long a connection that nobody uses gets to end in good order.
const GOODBYE: Duration = Duration::from_secs(1);

/// What all connections share.
pub(super) struct House {
    pub(super) gate: Gate,
    pub(super) router: Router,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) limits: ServerLimits,
    pub(super) stop: CancellationToken,
    http: Builder<TokioExecutor>,
}

impl House {
    pub(super) fn new(
        gate: Gate,
        router: Router,
        tls: Option<Arc<Tls>>,
        limits: ServerLimits,
        stop: CancellationToken,
    ) -> Self {
        Self {
            http: builder(&limits),
            gate,
            router,
            tls,
            limits,
            stop,
        }
    }
}

/// Where the gate can answer with words it does; the library's own limits are a step above, and bare.
fn builder(limits: &ServerLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The watcher sees to it: it tells idle connections from slow ones.
        .header_read_timeout(None)
        .max_headers(limits.headers.saturating_mul(2))
        .max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes.saturating_mul(2)).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(FAULTS)
        .max_send_buf_size(UNSENT)
        .keep_alive_interval(PROBED)
        .keep_alive_timeout(PROBE_ANSWERED);
    builder
}

/// Serves a connection to its end.
pub(super) async fn serve(house: Arc<House>, stream: TcpStream, address: IpAddr) {
    // Small answers must not wait for more of them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %address, "a connection keeps its delay");
    }
    let progress = Progress::new();
    let stream = WatchedStream::new(stream, progress.clone());
    let Some(tls) = house.tls.clone() else {
        return http(&house, stream, &progress, address, false).await;
    };
    let shaken = tokio::select! {
        shaken = tls.accept(stream) => shaken,
        _ = progress.overdue(Times::from(&house.limits)) => {
            tracing::debug!(%address, "a TLS handshake took too long");
            return;
        }
        () = house.stop.cancelled() => return,
    };
    match shaken {
        Ok(stream) => http(&house, stream, &progress, address, true).await,
        Err(error) => tracing::debug!(%error, %address, "a TLS handshake failed"),
    }
}

async fn http<S>(house: &Arc<House>, stream: S, progress: &Arc<Progress>, address: IpAddr, secure: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let (house, underway) = (house.clone(), progress.begin(request.version() == Version::HTTP_2));
        async move {
            let caller = Caller { address, secure };
            let request = request.map(Body::new);
            let answer = house.gate.answer(request, caller, &house.router, &underway).await;
            Ok::<Response<WatchedBody>, Infallible>(answer.map(|body| WatchedBody::new(body, underway)))
        }
    });
    let mut connection = pin!(house.http.serve_connection(TokioIo::new(stream), service));
    let mut overdue = pin!(progress.overdue(Times::from(&house.limits)));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, %address, "a connection broke off");
                }
                return;
            }
            () = house.stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            overdue = overdue.as_mut() => {
                if overdue == Overdue::Unread {
                    tracing::warn!(%address, "a client does not read its answer; its connection is closed");
                } else {
                    tracing::debug!(%address, ?overdue, "a connection is closed");
                }
                if overdue == Overdue::Idle {
                    connection.as_mut().graceful_shutdown();
                    // Whoever does not see that it is over loses nothing: no request is under way.
                    let _over = timeout(GOODBYE, connection).await;
                }
                return;
            }
        }
    }
}
