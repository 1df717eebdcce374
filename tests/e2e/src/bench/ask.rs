//! A connection that asks again and again. Plain and small, so that what is measured is who answers: both share the machine.

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Largest answer, bytes.
const LARGEST: usize = 1 << 20;

/// HTTP/1.1, kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Connection {
    /// To the host of a base URL, without TLS.
    pub(crate) async fn open(base: &str) -> anyhow::Result<Self> {
        let rest = base.strip_prefix("http://").context("no http URL")?;
        let host = rest.split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: host.to_owned(),
            buffer: Vec::new(),
        })
    }

    /// GET; the length of the body. An error is any status but 200.
    pub(crate) async fn get(&mut self, path: &str, accept: &str) -> anyhow::Result<usize> {
        let host = &self.host;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let body_at = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(self.buffer.get(..body_at).unwrap_or_default()).into_owned();
        let length = length(&head)?;
        ensure!(length <= LARGEST, "an answer of {length} bytes");
        while self.buffer.len() < body_at + length {
            self.more().await?;
        }
        if !head.starts_with("HTTP/1.1 200 ") {
            let body = self.buffer.get(body_at..).unwrap_or_default();
            bail!("{path} was answered with {head}{}", String::from_utf8_lossy(body));
        }
        Ok(length)
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the connection was closed");
        Ok(())
    }
}

fn length(head: &str) -> anyhow::Result<usize> {
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse())
    };
    let length = head.lines().find_map(named).context("an answer without a length")?;
    Ok(length?)
}
