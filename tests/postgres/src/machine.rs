//! A server of our own: its folder, its port and, while it runs, its process.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt};

use crate::Durability;
use crate::error::Error;
use crate::folder::Folder;
use crate::postmaster::Postmaster;
use crate::programs::Account;

pub(crate) struct Machine {
    programs: PathBuf,
    account: Account,
    durability: Durability,
    port: Port,
    // Before the folder, since fields go in this order.
    running: Mutex<Option<Postmaster>>,
    folder: Folder,
}

impl Machine {
    pub(crate) fn start(programs: &Path, durability: Durability) -> Result<Self, Error> {
        let account = Account::find()?;
        let machine = Self {
            programs: programs.to_owned(),
            durability,
            port: Port::hold().map_err(|error| Error::system("finding a free port")(error.into()))?,
            running: Mutex::new(None),
            folder: Folder::new(programs, &account)?,
            account,
        };
        machine.start_again()?;
        Ok(machine)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address
    }

    pub(crate) fn runs(&self) -> bool {
        self.running().is_some()
    }

    pub(crate) fn start_again(&self) -> Result<(), Error> {
        let mut running = self.running();
        if running.is_some() {
            return Err(Error::Up);
        }
        *running = Some(Postmaster::start(
            &self.programs,
            &self.account,
            &self.folder,
            self.address(),
            self.durability,
        )?);
        Ok(())
    }

    pub(crate) fn stop(&self) -> Result<(), Error> {
        self.running().take().ok_or(Error::Down)?.stop(&self.folder)
    }

    pub(crate) fn kill(&self) -> Result<(), Error> {
        self.running().take().ok_or(Error::Down)?.kill()
    }

    fn running(&self) -> MutexGuard<'_, Option<Postmaster>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A free port of loopback that nobody else is given, also while the server is down: a socket of ours is bound to it, and
/// never listens. The system lets the server bind to it too, because both have `SO_REUSEADDR`.
struct Port {
    address: SocketAddr,
    _held: OwnedFd,
}

impl Port {
    fn hold() -> rustix::io::Result<Self> {
        let held = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&held, true)?;
        bind(&held, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(getsockname(&held)?)?;
        Ok(Self { address, _held: held })
    }
}
