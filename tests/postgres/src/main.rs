//! A PostgreSQL to try things with: prints the address of an empty database, and keeps it until standard input ends.

use std::io::{Write as _, stdin, stdout};

use budstikke_test_postgres::{Durability, Server};

fn main() -> anyhow::Result<()> {
    let server = Server::start(Durability::Full)?;
    let database = server.database()?;
    writeln!(stdout(), "{}", database.url())?;
    std::io::copy(&mut stdin(), &mut std::io::sink())?;
    Ok(())
}
