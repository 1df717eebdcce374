//! A PostgreSQL for tests.
//!
//! ```no_run
//! # fn show() -> Result<(), budstikke_test_postgres::Error> {
//! use budstikke_test_postgres::{Durability, Server};
//!
//! let database = Server::shared()?.database()?;
//! database.psql("create table letter (id int)")?;
//! println!("the program under test is told {}", database.url());
//!
//! let own = Server::start(Durability::Full)?;
//! own.kill()?;
//! own.start_again()?;
//! # Ok(())
//! # }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `server` | what tests use |
//! | `database` | a database that is dropped with its guard |
//! | `machine` | a server of our own: folder, port and process |
//! | `postmaster`, `watchdog.sh` | the process, and who ends it when the test process is gone |
//! | `folder` | data, copied from a template |
//! | `programs` | finding and installing, and the user who is not root |
#![forbid(unsafe_code)]

mod database;
mod error;
mod folder;
mod machine;
mod postmaster;
mod programs;
mod server;

pub use database::Database;
pub use error::Error;
pub use server::{Durability, Server};
