use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::database::Database;
use crate::error::Error;
use crate::machine::Machine;
use crate::programs::{CLIENT, SERVER, output};

/// Names a server that somebody else made.
const VARIABLE: &str = "BUDSTIKKE_TEST_POSTGRES";

/// What the server does for data that it has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Hands it to the system. It outlives the server's processes, and not the machine. For tests.
    Fast,
    /// Waits until the disk has it, as in production. For benches, and where faults count.
    Full,
}

impl Durability {
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::Fast => "fsync=off",
            Self::Full => "fsync=on",
        }
    }
}

/// A PostgreSQL server. A clone is the same server; it ends when the last clone and the last [`Database`] are gone, or with
/// the test process, also when that is killed.
///
/// All functions block; each database and each fault costs some tens of milliseconds or more.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    /// Of the database from which others are made.
    address: Url,
    psql: PathBuf,
    /// Unless somebody else made it.
    machine: Option<Machine>,
}

impl Server {
    /// The one that `BUDSTIKKE_TEST_POSTGRES` names (`postgres://user@host:5432/postgres`, who may create databases and end
    /// connections), else one for this process with [`Durability::Fast`], made by the first call.
    ///
    /// It is for everybody: faults that concern more than one's own database are for a server from [`Server::start`].
    ///
    /// # Errors
    /// When PostgreSQL cannot be found, installed or started, or the variable is no address.
    pub fn shared() -> Result<Self, Error> {
        static SHARED: Mutex<Option<Server>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = &*shared {
            return Ok(server.clone());
        }
        let server = match std::env::var(VARIABLE) {
            Ok(address) => Self::named(&address)?,
            Err(_) => Self::start(Durability::Fast)?,
        };
        Ok(shared.insert(server).clone())
    }

    /// A new one, on a free port of loopback, without passwords and TLS.
    ///
    /// # Errors
    /// When PostgreSQL cannot be found, installed or started.
    pub fn start(durability: Durability) -> Result<Self, Error> {
        let programs = SERVER.ready()?;
        let machine = Machine::start(&programs, durability)?;
        Ok(Self(Arc::new(Inner {
            address: Url::parse(&format!("postgres://postgres@{}/postgres", machine.address()))
                .map_err(Error::Address)?,
            psql: programs.join("psql"),
            machine: Some(machine),
        })))
    }

    /// One that somebody else made.
    fn named(address: &str) -> Result<Self, Error> {
        let mut address = Url::parse(address).map_err(Error::Address)?;
        if address.path().len() <= 1 {
            address.set_path("postgres");
        }
        Ok(Self(Arc::new(Inner {
            address,
            psql: CLIENT.ready()?.join("psql"),
            machine: None,
        })))
    }

    /// A fresh, empty database in UTF-8 and with the order of bytes. It is dropped, with whoever is connected, when the guard goes.
    ///
    /// # Errors
    /// When the server is down or refuses.
    pub fn database(&self) -> Result<Database, Error> {
        Database::create(self)
    }

    /// Ends all connections to a database, as an administrator or a failing server does, and waits until they are gone.
    /// Returns how many it ended.
    ///
    /// # Errors
    /// When the server is down or refuses, or a connection is still there after a minute.
    pub fn terminate_connections(&self, database: &Database) -> Result<usize, Error> {
        let ended = self.psql(&format!(
            "select pid, pg_terminate_backend(pid, 60000) from pg_stat_activity \
             where datname = '{}' and backend_type = 'client backend'",
            database.name()
        ))?;
        let (ended, others): (Vec<&str>, Vec<&str>) = ended.lines().partition(|answer| answer.ends_with("|t"));
        // Those that it did not end have gone by themselves, or are still there.
        for answer in others {
            let process = answer.trim_end_matches("|f");
            let left = self.psql(&format!("select * from pg_stat_activity where pid = {process}"))?;
            if !left.is_empty() {
                return Err(Error::Answer(left));
            }
        }
        Ok(ended.len())
    }

    /// Stops it as an administrator does: connections end, everything is written down.
    ///
    /// # Errors
    /// When it is down, does not end, or is not ours.
    pub fn stop(&self) -> Result<(), Error> {
        self.machine()?.stop()
    }

    /// Ends all its processes at once and unprepared.
    ///
    /// # Errors
    /// When it is down or not ours.
    pub fn kill(&self) -> Result<(), Error> {
        self.machine()?.kill()
    }

    /// Starts it after [`Server::stop`] or [`Server::kill`], with the same data on the same port. Returns when it takes connections.
    ///
    /// # Errors
    /// When it runs, does not start, or is not ours.
    pub fn start_again(&self) -> Result<(), Error> {
        self.machine()?.start_again()
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// As for both.
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.start_again()
    }

    /// Where it listens, for a line to it. None for a server that somebody else made.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.machine.as_ref().map(Machine::address)
    }

    pub(crate) fn url(&self, database: &str) -> Url {
        let mut url = self.0.address.clone();
        url.set_path(database);
        url
    }

    /// As far as we know.
    pub(crate) fn runs(&self) -> bool {
        self.0.machine.as_ref().is_none_or(Machine::runs)
    }

    /// Runs SQL in the database from which others are made.
    pub(crate) fn psql(&self, sql: &str) -> Result<String, Error> {
        self.psql_at(&self.0.address, sql)
    }

    pub(crate) fn psql_at(&self, database: &Url, sql: &str) -> Result<String, Error> {
        let mut psql = Command::new(&self.0.psql);
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"])
            .args(["--set=ON_ERROR_STOP=1", "--command", sql, "--dbname", database.as_str()]);
        output(&mut psql)
    }

    fn machine(&self) -> Result<&Machine, Error> {
        self.0.machine.as_ref().ok_or(Error::NotOurs)
    }
}
