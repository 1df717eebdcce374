//! A TCP line between two programs that a test can cut, freeze, delay and mend.
//!
//! ```no_run
//! # fn show(database: std::net::SocketAddr) -> std::io::Result<()> {
//! use budstikke_test_line::Line;
//!
//! let line = Line::to(database)?;
//! // The program under test is told line.address() instead of the database's address.
//! line.cut()?;
//! line.mend()?;
//! # Ok(())
//! # }
//! ```
//!
//! A line has a thread and a runtime of its own, so it works beside blocking and asynchronous tests alike. An order has
//! been carried out when its function returns; it takes no longer than the line needs to turn round, and waits for no peer.
#![forbid(unsafe_code)]

mod connection;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc as blocking;
use std::thread::JoinHandle;
use std::time::Duration;

use connection::{Connection, Rules, Way};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Connections that the system takes before the line does.
const BACKLOG: u32 = 1024;
/// After an accept that failed, as it does when no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(10);

/// A line to one address. It is cut when it is dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Order {
    change: Change,
    done: blocking::Sender<io::Result<()>>,
}

#[derive(Debug)]
enum Change {
    Cut,
    Freeze,
    Mend,
    Delay(Duration),
    CutAfter(u64),
}

impl Line {
    /// A line to this address that lets everything pass. The address need not answer yet: a connection that cannot be
    /// handed on is reset.
    ///
    /// # Errors
    /// When the system gives no port or thread.
    pub fn to(far: SocketAddr) -> io::Result<Self> {
        let (orders, received) = mpsc::unbounded_channel();
        let (tell, told) = blocking::channel();
        let thread = std::thread::Builder::new()
            .name("line".into())
            .spawn(move || run(far, received, &tell))?;
        let address = told.recv().map_err(|_| gone())??;
        Ok(Self {
            address,
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Where the near end listens, on loopback. It stays the same, and nobody else gets it, for as long as the line exists.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets all connections and refuses new ones.
    ///
    /// # Errors
    /// When the line's thread has ended.
    pub fn cut(&self) -> io::Result<()> {
        self.order(Change::Cut)
    }

    /// From now on nothing passes and nothing closes. Bytes are taken and lost, new connections are taken and stay silent.
    ///
    /// # Errors
    /// As [`Line::mend`].
    pub fn freeze(&self) -> io::Result<()> {
        self.order(Change::Freeze)
    }

    /// Everything passes again, at once. Connections that lost something in the frost, or were new in it, are reset; the
    /// others go on. A cut that was ordered with [`Line::cut_after`] and has not come is forgotten.
    ///
    /// # Errors
    /// When the system does not let the line listen again, or its thread has ended.
    pub fn mend(&self) -> io::Result<()> {
        self.order(Change::Mend)
    }

    /// Holds every piece of up to 64 KiB back for so long, each way, before the next one is read. So a round trip takes
    /// at least twice the time, and large things are slow.
    ///
    /// # Errors
    /// When the line's thread has ended.
    pub fn delay(&self, time: Duration) -> io::Result<()> {
        self.order(Change::Delay(time))
    }

    /// Resets the next connection that is taken as soon as it has passed so many bytes towards the far end, and never
    /// passes more. Those after it are whole.
    ///
    /// # Errors
    /// When the line's thread has ended.
    pub fn cut_after(&self, bytes: u64) -> io::Result<()> {
        self.order(Change::CutAfter(bytes))
    }

    fn order(&self, change: Change) -> io::Result<()> {
        let (done, answer) = blocking::channel();
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(Order { change, done }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the line's thread has panicked");
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the line's thread has ended")
}

/// The line's thread.
fn run(far: SocketAddr, orders: mpsc::UnboundedReceiver<Order>, tell: &blocking::Sender<io::Result<SocketAddr>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            let mut office = Office::open(far)?;
            // Nobody hears it only when nobody wants the line any more.
            if tell.send(office.place.local_addr()).is_ok() {
                office.serve(orders).await;
            }
            Ok(())
        })
    });
    if let Err(error) = served {
        // As above.
        drop(tell.send(Err(error)));
    }
}

/// What the line's thread knows.
struct Office {
    far: SocketAddr,
    /// Bound and never listening: keeps the port while the line is cut, and the system refuses connections to it.
    place: TcpSocket,
    listener: Option<TcpListener>,
    rules: watch::Sender<Rules>,
    connections: JoinSet<()>,
    next_cut: Option<u64>,
}

impl Office {
    fn open(far: SocketAddr) -> io::Result<Self> {
        let place = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            far,
            listener: Some(bind(place.local_addr()?)?.listen(BACKLOG)?),
            place,
            rules: watch::Sender::new(Rules::default()),
            connections: JoinSet::new(),
            next_cut: None,
        })
    }

    async fn serve(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { break };
                    let done = self.carry_out(order.change).await;
                    // Who ordered it waits for this, and can only be gone together with the whole test.
                    drop(order.done.send(done));
                }
                client = taken(self.listener.as_ref()) => self.connect(client),
                Some(_) = self.connections.join_next() => {}
            }
        }
        self.cut().await;
    }

    async fn carry_out(&mut self, change: Change) -> io::Result<()> {
        match change {
            Change::Cut => self.cut().await,
            Change::Freeze => {
                self.rules.send_modify(|rules| rules.way = Way::Frozen);
                self.listen()?;
            }
            Change::Mend => {
                self.next_cut = None;
                self.rules.send_replace(Rules::default());
                self.listen()?;
            }
            Change::Delay(time) => self.rules.send_modify(|rules| rules.delay = time),
            Change::CutAfter(bytes) => self.next_cut = Some(bytes),
        }
        Ok(())
    }

    async fn cut(&mut self) {
        self.listener = None;
        self.rules.send_modify(|rules| rules.way = Way::Cut);
        while self.connections.join_next().await.is_some() {}
    }

    fn listen(&mut self) -> io::Result<()> {
        if self.listener.is_none() {
            self.listener = Some(bind(self.place.local_addr()?)?.listen(BACKLOG)?);
        }
        Ok(())
    }

    fn connect(&mut self, client: TcpStream) {
        let connection = Connection {
            far: self.far,
            rules: self.rules.subscribe(),
            cut_after: self.next_cut.take(),
        };
        self.connections.spawn(connection.carry(client));
    }
}

/// Several of our sockets may have the address, of which one listens; nobody is given it by chance.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn taken(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
