//! One connection over the line, and the rules that it goes by.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

/// What is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What holds for all connections.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) way: Way,
    pub(crate) delay: Duration,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Open,
    Frozen,
    Cut,
}

pub(crate) struct Connection {
    pub(crate) far: SocketAddr,
    pub(crate) rules: watch::Receiver<Rules>,
    /// Bytes towards the far end.
    pub(crate) cut_after: Option<u64>,
}

impl Connection {
    /// Ends when both sides have said that they are done, or with a reset, by which both are told of any error.
    pub(crate) async fn carry(self, client: TcpStream) {
        let mut rules = self.rules.clone();
        tokio::select! {
            () = until(&mut rules, |way| way == Way::Cut) => {}
            _ = self.both_ways(client) => {}
        }
    }

    async fn both_ways(mut self, mut client: TcpStream) -> io::Result<()> {
        client.set_zero_linger()?;
        if self.rules.borrow().way == Way::Frozen {
            return swallow(&mut client.split().0, &mut self.rules).await;
        }
        let mut server = connect(self.far).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(
            one_way(from_client, to_server, self.rules.clone(), self.cut_after),
            one_way(from_server, to_client, self.rules, None),
        )?;
        set_socket_linger(&client, None)?;
        set_socket_linger(&server, None)?;
        Ok(())
    }
}

/// With a reset whenever it is dropped, unless that is taken back.
async fn connect(far: SocketAddr) -> io::Result<TcpStream> {
    let socket = if far.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_zero_linger()?;
    socket.connect(far).await
}

/// Until the end, which is passed on, or an error, which ends the connection.
async fn one_way(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut rules: watch::Receiver<Rules>,
    mut left: Option<u64>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut over = rules.clone();
    loop {
        let room = left.map_or(PIECE, |left| {
            usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))
        });
        if room == 0 {
            return Err(reset());
        }
        let read = from.read(&mut piece[..room]).await;
        let delay = rules.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let hand_on = async {
            match read? {
                0 => to.shutdown().await.map(|()| 0),
                count => to.write_all(&piece[..count]).await.map(|()| count),
            }
        };
        let count = tokio::select! {
            biased;
            () = until(&mut rules, |way| way == Way::Frozen) => return swallow(&mut from, &mut over).await,
            handed_on = hand_on => handed_on?,
        };
        if count == 0 {
            return Ok(());
        }
        left = left.map(|left| left.saturating_sub(count as u64));
    }
}

/// Loses everything until the frost is over, also an end, be it clean or not. What lost something cannot go on.
async fn swallow(from: &mut ReadHalf<'_>, rules: &mut watch::Receiver<Rules>) -> io::Result<()> {
    let lose = async {
        drop(tokio::io::copy(from, &mut tokio::io::sink()).await);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = until(rules, |way| way != Way::Frozen) => {}
        () = lose => {}
    }
    Err(reset())
}

/// Waits. Also over when the line is gone.
async fn until(rules: &mut watch::Receiver<Rules>, reached: impl Fn(Way) -> bool) {
    drop(rules.wait_for(|rules| reached(rules.way)).await);
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
