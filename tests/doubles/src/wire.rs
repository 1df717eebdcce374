//! Connections that can be broken on purpose, in the middle of anything.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A handle on one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<Knife>);

#[derive(Debug, Default)]
struct Knife {
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connection {
    /// Resets the connection: nothing more is read or written, and the peer gets a TCP reset.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        self.0.reader.wake();
        self.0.writer.wake();
    }

    fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// All open connections, so that stopping leaves none behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Vec<Weak<Knife>>>>);

impl Connections {
    /// Resets every open connection.
    pub(crate) fn cut_all(&self) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for knife in open.drain(..).filter_map(|knife| knife.upgrade()) {
            Connection(knife).cut();
        }
    }

    fn add(&self, connection: &Connection) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|knife| knife.strong_count() > 0);
        open.push(Arc::downgrade(&connection.0));
    }
}

/// A TCP listener whose connections can be cut.
#[derive(Debug)]
pub(crate) struct CuttableListener {
    listener: TcpListener,
    connections: Connections,
}

impl CuttableListener {
    pub(crate) async fn bind(address: SocketAddr, connections: Connections) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            connections,
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((tcp, _)) => {
                    let connection = Connection::default();
                    self.connections.add(&connection);
                    return (
                        CuttableStream {
                            tcp,
                            connection: connection.clone(),
                        },
                        connection,
                    );
                }
                // Out of file handles, most likely: waiting is all there is to do.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Connection::default())
    }
}

/// A TCP stream that ends in a reset once its [`Connection`] is cut.
#[derive(Debug)]
pub(crate) struct CuttableStream {
    tcp: TcpStream,
    connection: Connection,
}

fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose")
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.0.reader.register(context.waker());
        if self.connection.is_cut() {
            return Poll::Ready(Err(reset()));
        }
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.0.writer.register(context.waker());
        if self.connection.is_cut() {
            return Poll::Ready(Err(reset()));
        }
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A shutdown sends FIN, which a client may take for a proper end.
        if self.connection.is_cut() {
            return Poll::Ready(Err(reset()));
        }
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl Drop for CuttableStream {
    fn drop(&mut self) {
        if self.connection.is_cut() {
            // With a linger time of zero the kernel sends RST instead of FIN.
            drop(self.tcp.set_zero_linger());
        }
    }
}
