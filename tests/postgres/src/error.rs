use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there is no server, or why it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is missing and cannot be installed by us.
    #[error("{program} is missing; install it first, on Debian: sudo apt-get install {package}")]
    Missing {
        /// Its name.
        program: &'static str,
        /// Debian's package.
        package: &'static str,
    },
    /// The system refused.
    #[error("{what}: {error}")]
    System {
        /// What we were at.
        what: String,
        /// Its answer.
        error: io::Error,
    },
    /// A program, psql for example, said no.
    #[error("{program} ended with {status}: {output}")]
    Refused {
        /// Its path.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said on standard error.
        output: String,
    },
    /// The server ended instead of starting.
    #[error("PostgreSQL did not start: {log}")]
    NotStarted {
        /// The end of its log.
        log: String,
    },
    /// The server took more than two minutes. It has been ended.
    #[error("PostgreSQL did not {what} within two minutes: {log}")]
    Slow {
        /// What was asked of it.
        what: &'static str,
        /// The end of its log.
        log: String,
    },
    /// It has been stopped or killed.
    #[error("the server does not run")]
    Down,
    /// It cannot be started twice.
    #[error("the server runs already")]
    Up,
    /// Faults are for servers that we made.
    #[error("the server that BUDSTIKKE_TEST_POSTGRES names is not ours to stop or start")]
    NotOurs,
    /// The environment names a server, but not by an address.
    #[error("BUDSTIKKE_TEST_POSTGRES is not an address such as postgres://user@host:5432/postgres: {0}")]
    Address(url::ParseError),
    /// The answer of psql is not what we asked for.
    #[error("PostgreSQL answered {0:?}")]
    Answer(String),
}

impl Error {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::System { what, error }
    }
}
