use std::net::SocketAddr;

use url::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::server::Server;

/// A database of one's own. Keeps its server, and is dropped when it goes.
pub struct Database {
    server: Server,
    name: String,
    url: Url,
}

impl Database {
    pub(crate) fn create(server: &Server) -> Result<Self, Error> {
        let name = format!("test_{}", Uuid::new_v4().simple());
        // template1 could have somebody's tables, and cannot be copied while somebody is connected to it.
        server.psql(&format!(
            "create database {name} template template0 encoding 'UTF8' locale 'C'"
        ))?;
        Ok(Self {
            server: server.clone(),
            url: server.url(&name),
            name,
        })
    }

    /// Needs no quoting in SQL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `postgres://user@host:port/name`.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The same database by another address, such as that of a line to the server.
    ///
    /// # Errors
    /// When `BUDSTIKKE_TEST_POSTGRES` has no host.
    pub fn url_through(&self, address: SocketAddr) -> Result<String, Error> {
        let mut url = self.url.clone();
        url.set_ip_host(address.ip())
            .and_then(|()| url.set_port(Some(address.port())))
            .map_err(|()| Error::Address(url::ParseError::EmptyHost))?;
        Ok(url.into())
    }

    /// Runs SQL, several statements as one transaction. Returns rows as lines with `|` between columns.
    ///
    /// # Errors
    /// When the server is down or refuses.
    pub fn psql(&self, sql: &str) -> Result<String, Error> {
        self.server.psql_at(&self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What is down is either started by nobody, and goes as a whole, or keeps the database until then.
        if self.server.runs()
            && let Err(error) = self.server.psql(&format!("drop database {} with (force)", self.name))
        {
            eprintln!("the database {} stays: {error}", self.name);
        }
    }
}
