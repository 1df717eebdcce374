//! A network that loses answers.

use budstikke_e2e::Fagsystem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The same installation behind a proxy that carries every request there, and every other answer nowhere. The answer to a
/// peek always arrives: it cannot be repeated before the lock ends.
pub(crate) async fn forgetful(fagsystem: &Fagsystem) -> Fagsystem {
    let upstream = fagsystem.base().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut forget = false;
        while let Ok((client, _)) = listener.accept().await {
            forget = !forget;
            tokio::spawn(carry(client, upstream.clone(), forget));
        }
    });
    Fagsystem::new(&format!("http://{address}"))
}

async fn carry(mut client: TcpStream, upstream: String, forget: bool) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(client.read_u8().await?);
    }
    // One request for each connection, so that the next one can be forgotten again.
    server.write_all(&line).await?;
    server.write_all(b"Connection: close\r\n").await?;
    let peeks = String::from_utf8_lossy(&line).contains("/in/peek");
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        if forget && !peeks {
            // It has been carried out when an answer begins.
            from_server.read_u8().await.map(|_| ())
        } else {
            tokio::io::copy(&mut from_server, &mut to_client).await.map(|_| ())
        }
    };
    tokio::select! {
        biased;
        result = back => result,
        result = async { there.await?; std::future::pending().await } => result,
    }
}
