//! Who is known: clients at Maskinporten and system users at Altinn.

use std::sync::{PoisonError, RwLock};

use crate::configuration::{Client, SystemUser};
use crate::organisation::Organisation;

#[derive(Debug)]
pub(crate) struct Register {
    clients: RwLock<Vec<Client>>,
    system_users: RwLock<Vec<SystemUser>>,
}

impl Register {
    pub(crate) fn new(clients: Vec<Client>, system_users: Vec<SystemUser>) -> Self {
        Self {
            clients: RwLock::new(clients),
            system_users: RwLock::new(system_users),
        }
    }

    pub(crate) fn client(&self, id: &str) -> Option<Client> {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner);
        clients.iter().find(|client| client.id == id).cloned()
    }

    pub(crate) fn system_user(&self, organisation: &Organisation, name: &str) -> Option<SystemUser> {
        let users = self.system_users.read().unwrap_or_else(PoisonError::into_inner);
        users
            .iter()
            .find(|user| user.organisation == *organisation && user.name == name)
            .cloned()
    }

    /// Adds a client or takes the place of the one with the same id.
    pub(crate) fn put_client(&self, client: Client) {
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|known| known.id != client.id);
        clients.push(client);
    }

    /// Adds a system user or takes the place of the same one.
    pub(crate) fn put_system_user(&self, user: SystemUser) {
        let mut users = self.system_users.write().unwrap_or_else(PoisonError::into_inner);
        users.retain(|known| known.organisation != user.organisation || known.name != user.name);
        users.push(user);
    }
}
