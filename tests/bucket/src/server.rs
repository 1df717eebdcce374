//! The S3 server, behind a front that can fail.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use http::{StatusCode, Uri};
use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use s3s::{Body, HttpResponse};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::faults::{Fault, Faults};

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) s3: S3Service,
    pub(crate) root: PathBuf,
    pub(crate) faults: Arc<Faults>,
}

impl Server {
    /// Answers until the future is dropped, and its connections with it.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        // An error here is a connection that ended before it began.
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                continue;
            };
            let server = self.clone();
            connections.spawn(async move {
                let service = service_fn(|request| server.answer(request));
                // The client hears of a broken connection itself.
                let _broken = http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
            while connections.try_join_next().is_some() {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<HttpResponse, Infallible> {
        let line = format!("{} {}", request.method(), request.uri());
        let fault = self.faults.on(line);
        match fault {
            Some(Fault::Refuse(status)) => {
                return Ok(refusal(status, "Ordered", "The test ordered this answer."));
            }
            Some(Fault::Delay(duration)) => tokio::time::sleep(duration).await,
            _ => {}
        }
        if let Some(refused) = self.refused_by_a_real_service(request.uri()) {
            return Ok(refused);
        }
        let answer = match self.s3.call(request.map(Body::from)).await {
            Ok(answer) => answer,
            Err(error) => refusal(500, "InternalError", &format!("{error:?}")),
        };
        if fault == Some(Fault::BreakOff) {
            return Ok(cut_in_half(answer).await);
        }
        Ok(answer)
    }
}

impl Server {
    /// Where the file system behind answers otherwise than Amazon does.
    fn refused_by_a_real_service(&self, uri: &Uri) -> Option<HttpResponse> {
        // It makes folders as they are named; a real service makes no bucket by itself.
        let bucket = uri.path().split('/').nth(1).unwrap_or_default();
        if !self.root.join(bucket).is_dir() {
            let message = "The specified bucket does not exist";
            return Some(refusal(404, "NoSuchBucket", message));
        }
        // It says that an upload which is over already is forbidden.
        let mut query = uri.query().unwrap_or_default().split('&');
        let upload = query.find_map(|pair| pair.strip_prefix("uploadId="))?;
        if !self.root.join(format!(".upload-{upload}.json")).exists() {
            return Some(refusal(404, "NoSuchUpload", "The specified upload does not exist"));
        }
        None
    }
}

fn refusal(status: u16, code: &str, message: &str) -> HttpResponse {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut answer = HttpResponse::new(Body::from(xml));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

/// The length that was promised stays; hyper closes the connection when the body ends too soon.
async fn cut_in_half(answer: HttpResponse) -> HttpResponse {
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = body.collect().await else {
        return refusal(500, "InternalError", "the answer could not be read");
    };
    let whole = body.to_bytes();
    parts.headers.insert(http::header::CONTENT_LENGTH, whole.len().into());
    // A body that says how long it is would contradict the promise.
    let half = Ok::<_, Infallible>(Frame::data(whole.slice(..whole.len() / 2)));
    let half = StreamBody::new(futures::stream::iter([half]));
    HttpResponse::from_parts(parts, Body::http_body(half))
}
