//! Where releases are published: real HTTP, with faults, and a record of who asked for what.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};

/// What goes wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error.
    Status(u16),
    /// Half of it, and the end of the connection.
    Truncated,
    /// More and more.
    Endless,
    /// The first half, and then silence.
    Silent,
}

#[derive(Default)]
struct Shelf {
    files: HashMap<String, Vec<u8>>,
    folder: Option<PathBuf>,
    faults: HashMap<String, Fault>,
    asked: Vec<String>,
    posted: Vec<(Option<String>, Vec<u8>)>,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Publisher {
    shelf: Arc<Mutex<Shelf>>,
    address: String,
}

impl Publisher {
    pub(crate) async fn start() -> Self {
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shelf, address }
    }

    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.shelf.lock().unwrap().files.insert(path.to_owned(), content.into());
    }

    /// Serves what is in a folder, beside what was put.
    pub(crate) fn serve(&self, folder: PathBuf) {
        self.shelf.lock().unwrap().folder = Some(folder);
    }

    /// Paths that end so go wrong from now on; none: they are well again.
    pub(crate) fn fault(&self, end: &str, fault: Option<Fault>) {
        let mut shelf = self.shelf.lock().unwrap();
        match fault {
            Some(fault) => shelf.faults.insert(end.to_owned(), fault),
            None => shelf.faults.remove(end),
        };
    }

    /// What was posted here: signature and body.
    pub(crate) fn posted(&self) -> Vec<(Option<String>, Vec<u8>)> {
        self.shelf.lock().unwrap().posted.clone()
    }

    /// Paths that were asked for since the last look.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shelf.lock().unwrap().asked)
    }
}

async fn answer(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: bytes::Bytes,
) -> Response {
    if method == Method::POST {
        let signature = headers
            .get("budstikke-signature")
            .map(|value| value.to_str().unwrap().to_owned());
        shelf.lock().unwrap().posted.push((signature, body.to_vec()));
        return StatusCode::OK.into_response();
    }
    let (content, fault) = {
        let mut shelf = shelf.lock().unwrap();
        let path = uri.path().to_owned();
        shelf.asked.push(path.clone());
        let fault = shelf
            .faults
            .iter()
            .find(|(end, _)| path.ends_with(*end))
            .map(|(_, fault)| *fault);
        let in_folder = || {
            shelf
                .folder
                .as_ref()
                .and_then(|folder| std::fs::read(folder.join(path.trim_start_matches('/'))).ok())
        };
        (shelf.files.get(&path).cloned().or_else(in_folder), fault)
    };
    let Some(content) = content else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let half = bytes::Bytes::from(content[..content.len() / 2].to_vec());
    let part = move || Ok::<_, std::io::Error>(half.clone());
    let broken = || Err(std::io::Error::other("cut"));
    let body = match fault {
        None => return content.into_response(),
        Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Truncated) => Body::from_stream(stream::iter([part(), broken()])),
        Some(Fault::Endless) => Body::from_stream(stream::repeat_with(|| {
            Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 1 << 16]))
        })),
        Some(Fault::Silent) => Body::from_stream(stream::iter([part()]).chain(stream::once(async {
            tokio::time::sleep(Duration::from_mins(10)).await;
            Ok(bytes::Bytes::new())
        }))),
    };
    Response::new(body)
}
