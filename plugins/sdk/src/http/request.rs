//! Building and sending a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::address::{Address, without_secrets};
use super::error::{HttpError, Reach};
use super::multipart::Piece;
use super::pump::{Broken, Pumped, pump, pump_bytes};
use super::response::Response;
use crate::Document;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types as wasi;
use crate::bindings::wasi::io::streams::OutputStream;

/// The methods that message services use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Fetch.
    Get,
    /// Create, or set going.
    Post,
    /// Replace.
    Put,
    /// Remove.
    Delete,
}

impl Method {
    /// As in the request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Limits in seconds. The host has its own, which hold in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: u32,
    /// From the end of the request to the first byte of the answer. Services scan and store an upload before they answer.
    pub first_byte: u32,
    /// Between two pieces of a body.
    pub between_bytes: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: 10,
            first_byte: 120,
            between_bytes: 60,
        }
    }
}

enum Payload<'a> {
    Empty,
    Bytes(Vec<u8>),
    Document(&'a Document),
    Pieces(Vec<Piece<&'a Document>>),
}

/// A request under construction.
pub struct Request<'a> {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    payload: Payload<'a>,
    timeouts: Timeouts,
}

impl<'a> Request<'a> {
    /// A request with any method.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            payload: Payload::Empty,
            timeouts: Timeouts::default(),
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A `POST`. Without a body it goes with `Content-Length: 0`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// A `PUT`.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(Method::Put, url)
    }

    /// A `DELETE`.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::Delete, url)
    }

    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A body of JSON text.
    #[must_use]
    pub fn json(self, text: impl Into<String>) -> Self {
        self.bytes(text.into().into_bytes(), "application/json")
    }

    /// A small body at hand.
    #[must_use]
    pub fn bytes(mut self, body: Vec<u8>, content_type: &str) -> Self {
        self.payload = Payload::Bytes(body);
        self.header("content-type", content_type)
    }

    /// A document as the body: streamed by the host, with `Content-Length` when its size is known.
    #[must_use]
    pub fn document(mut self, document: &'a Document, content_type: &str) -> Self {
        self.payload = Payload::Document(document);
        self.header("content-type", content_type)
    }

    /// A body of several stretches, such as a form with files ([`super::Multipart`]): documents are streamed by the host.
    #[must_use]
    pub fn pieces(mut self, pieces: Vec<Piece<&'a Document>>, content_type: &str) -> Self {
        self.payload = Payload::Pieces(pieces);
        self.header("content-type", content_type)
    }

    /// `Authorization: Basic …`. The name must not hold a colon.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        self.header("authorization", format!("Basic {credentials}"))
    }

    /// No body. What a request is from the start.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.payload = Payload::Empty;
        self
    }

    /// Other limits than the usual ones.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sends it and waits for the head of the answer, whatever its status.
    pub fn send(self) -> Result<Response, HttpError> {
        let target = format!("{} {}", self.method.name(), without_secrets(&self.url));
        let request = self.outgoing(&target)?;
        let failed = |reach, detail: &str| HttpError::new(reach, &target, detail);
        // A request whose body was never asked for has none; an unused one would go as an empty chunked body.
        let body = match self.payload {
            Payload::Empty => None,
            _ => Some(
                request
                    .body()
                    .map_err(|()| failed(Reach::Wrong, "the request has no body to write"))?,
            ),
        };
        let future = outgoing_handler::handle(request, Some(self.options()))
            .map_err(|code| HttpError::from_code(&target, &code))?;

        if let Some(body) = body {
            match self
                .write(&body)
                .map_err(|detail| HttpError::new(Reach::Unknown, &target, detail))?
            {
                Pumped::Whole => {
                    wasi::OutgoingBody::finish(body, None).map_err(|code| HttpError::from_code(&target, &code))?;
                }
                // A service may answer before it has taken the whole body, so this is not yet a failure: the answer
                // says why.
                Pumped::Refused => drop(body),
            }
        }
        let answer = loop {
            match future.get() {
                Some(answer) => break answer,
                None => future.subscribe().block(),
            }
        };
        let response = answer
            .map_err(|()| failed(Reach::Unknown, "the answer was already taken"))?
            .map_err(|code| HttpError::from_code(&target, &code))?;
        Ok(Response::new(response, target))
    }

    fn outgoing(&self, target: &str) -> Result<wasi::OutgoingRequest, HttpError> {
        let wrong = |detail: String| HttpError::new(Reach::Wrong, target, detail);
        let address = Address::parse(&self.url).ok_or_else(|| wrong("not an http or https address".to_owned()))?;
        let headers = wasi::Fields::new();
        let set = |name: &str, value: &[u8]| {
            headers
                .append(name, value)
                .map_err(|_| wrong(format!("header `{name}` is not allowed")))
        };
        for (name, value) in &self.headers {
            set(name, value.as_bytes())?;
        }
        if let Some(length) = self.length() {
            set("content-length", length.to_string().as_bytes())?;
        }
        let request = wasi::OutgoingRequest::new(headers);
        let method = match self.method {
            Method::Get => wasi::Method::Get,
            Method::Post => wasi::Method::Post,
            Method::Put => wasi::Method::Put,
            Method::Delete => wasi::Method::Delete,
        };
        let scheme = if address.secure {
            wasi::Scheme::Https
        } else {
            wasi::Scheme::Http
        };
        request
            .set_method(&method)
            .and_then(|()| request.set_scheme(Some(&scheme)))
            .and_then(|()| request.set_authority(Some(address.authority)))
            .and_then(|()| request.set_path_with_query(Some(address.path_with_query)))
            .map_err(|()| wrong("the address is not allowed".to_owned()))?;
        Ok(request)
    }

    fn length(&self) -> Option<u64> {
        match &self.payload {
            Payload::Empty => matches!(self.method, Method::Post | Method::Put).then_some(0),
            Payload::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Payload::Document(document) => document.size(),
            Payload::Pieces(pieces) => pieces.iter().try_fold(0_u64, |sum, piece| {
                let size = match piece {
                    Piece::Bytes(bytes) => u64::try_from(bytes.len()).ok()?,
                    Piece::File(document) => document.size()?,
                };
                sum.checked_add(size)
            }),
        }
    }

    fn options(&self) -> wasi::RequestOptions {
        let options = wasi::RequestOptions::new();
        let nanoseconds = |seconds: u32| Some(u64::from(seconds) * 1_000_000_000);
        // A host that does not support a limit has its own.
        let _ = options.set_connect_timeout(nanoseconds(self.timeouts.connect));
        let _ = options.set_first_byte_timeout(nanoseconds(self.timeouts.first_byte));
        let _ = options.set_between_bytes_timeout(nanoseconds(self.timeouts.between_bytes));
        options
    }

    fn write(&self, body: &wasi::OutgoingBody) -> Result<Pumped, String> {
        let stream = body.write().map_err(|()| "the body was already taken".to_owned())?;
        match &self.payload {
            Payload::Empty => Ok(Pumped::Whole),
            Payload::Bytes(bytes) => Ok(pump_bytes(bytes, &stream)),
            Payload::Document(document) => pump_document(document, &stream),
            Payload::Pieces(pieces) => {
                for piece in pieces {
                    let pumped = match piece {
                        Piece::Bytes(bytes) => pump_bytes(bytes, &stream),
                        Piece::File(document) => pump_document(document, &stream)?,
                    };
                    if pumped == Pumped::Refused {
                        return Ok(pumped);
                    }
                }
                Ok(Pumped::Whole)
            }
        }
    }
}

fn pump_document(document: &Document, stream: &OutputStream) -> Result<Pumped, String> {
    let source = document.open().map_err(|failure| failure.line().to_string())?;
    match pump(&source, stream, document.size()) {
        Ok(pumped) => Ok(pumped),
        // The connection's own error comes with the answer.
        Err(Broken::Http(_)) => Ok(Pumped::Refused),
        Err(Broken::Other(detail)) => Err(detail),
    }
}
