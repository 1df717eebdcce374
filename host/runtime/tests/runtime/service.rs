//! A service on the loopback that behaves as its path says: small, so that each misbehaviour is written out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// The service and what it has seen.
pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) uploaded: AtomicU64,
    pub(crate) chunked: AtomicU64,
    /// Chunked requests that came to their end.
    pub(crate) whole: AtomicU64,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let task = tokio::spawn({
            let seen = seen.clone();
            async move {
                while let Ok((connection, _)) = listener.accept().await {
                    seen.connections.fetch_add(1, Relaxed);
                    tokio::spawn(serve(connection, seen.clone(), port));
                }
            }
        });
        Self { port, seen, task }
    }

    /// The same behind TLS.
    #[cfg(test)]
    pub(crate) async fn start_tls(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Self {
        use tokio_rustls::rustls::{ServerConfig, crypto, pki_types::PrivateKeyDer};
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let task = tokio::spawn({
            let seen = seen.clone();
            async move {
                while let Ok((connection, _)) = listener.accept().await {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        tokio::spawn(serve(connection, seen.clone(), port));
                    }
                }
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

async fn serve<C>(connection: C, seen: Arc<Seen>, port: u16) -> std::io::Result<()>
where
    C: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut connection = BufReader::with_capacity(256 << 10, connection);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_ascii_lowercase());
        }
        seen.requests.fetch_add(1, Relaxed);
        let path = head[0].split(' ').nth(1).unwrap_or("/").to_owned();
        let length = head
            .iter()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<u64>().ok());
        if head.iter().any(|line| line == "transfer-encoding: chunked") {
            seen.chunked.fetch_add(1, Relaxed);
        }
        match path.as_str() {
            "/upload" => {
                let mut body = (&mut connection).take(length.unwrap_or(0));
                let size = tokio::io::copy_buf(&mut body, &mut tokio::io::sink()).await?;
                seen.uploaded.fetch_add(size, Relaxed);
            }
            "/chunked" => loop {
                let mut line = String::new();
                if connection.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                let size = u64::from_str_radix(line.trim_end(), 16).unwrap_or(0);
                let mut chunk = (&mut connection).take(size + 2);
                tokio::io::copy_buf(&mut chunk, &mut tokio::io::sink()).await?;
                if size == 0 {
                    seen.whole.fetch_add(1, Relaxed);
                    break;
                }
            },
            "/never-reads" | "/silent" => {
                tokio::time::sleep(Duration::from_mins(10)).await;
                return Ok(());
            }
            "/redirect" => {
                let answer =
                    format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/ok\r\ncontent-length: 0\r\n\r\n");
                connection.write_all(answer.as_bytes()).await?;
                continue;
            }
            "/stalls" => {
                connection
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegin")
                    .await?;
                connection.flush().await?;
                tokio::time::sleep(Duration::from_mins(10)).await;
                return Ok(());
            }
            "/breaks-off" => {
                connection
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegin")
                    .await?;
                return Ok(());
            }
            "/drips" => {
                connection
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
                    .await?;
                for _ in 0..10 {
                    connection.write_all(b"x").await?;
                    connection.flush().await?;
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
                continue;
            }
            "/steady" => {
                connection
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 16777216\r\n\r\n")
                    .await?;
                let mib = vec![0; 1 << 20];
                for _ in 0..16 {
                    connection.write_all(&mib).await?;
                    connection.flush().await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                continue;
            }
            "/endless" => {
                connection
                    .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                    .await?;
                let chunk = [b"10000\r\n".as_slice(), &vec![0; 65536], b"\r\n"].concat();
                loop {
                    connection.write_all(&chunk).await?;
                }
            }
            _ => {}
        }
        if let Some(size) = path.strip_prefix("/mib/") {
            let size = size.parse::<u64>().unwrap_or(0) << 20;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            connection.write_all(head.as_bytes()).await?;
            let zeros = vec![0; 256 << 10];
            for _ in 0..size / zeros.len() as u64 {
                connection.write_all(&zeros).await?;
            }
        } else {
            connection
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await?;
        }
        connection.flush().await?;
    }
}
