//! How many connections there are at the same time, in all and of one address: nobody may keep the others out alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one address holds.
#[derive(Default)]
struct Held {
    places: usize,
    /// It wanted more, and the log says so.
    told: bool,
}

/// See the module.
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// Most of one address.
    each: usize,
    held: Mutex<HashMap<IpAddr, Held>>,
}

impl Places {
    /// So many in all, and half of them for one address.
    pub(super) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(all)),
            each: (all / 2).max(1),
            held: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place that is nobody's yet.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// Gives a place to an address; none when it holds its share already.
    pub(super) fn give(self: &Arc<Self>, address: IpAddr, free: OwnedSemaphorePermit) -> Option<Place> {
        let mut all = self.held();
        let held = all.entry(address).or_default();
        if held.places >= self.each {
            if !held.told {
                held.told = true;
                tracing::warn!(
                    %address,
                    connections = self.each,
                    "an address holds half of all connections; more of it are closed. Raise [server.limits] connections if it is \
                     a proxy"
                );
            }
            return None;
        }
        held.places = held.places.saturating_add(1);
        drop(all);
        Some(Place {
            places: self.clone(),
            address,
            _free: free,
        })
    }
}

/// A place that is taken until this goes.
pub(super) struct Place {
    places: Arc<Places>,
    address: IpAddr,
    _free: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.held();
        if let Some(held) = all.get_mut(&self.address) {
            held.places = held.places.saturating_sub(1);
            if held.places == 0 {
                all.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn one_address_holds_half_of_the_places() {
        let places = Places::new(5);
        let [one, other] = [1, 2].map(|last| IpAddr::from(Ipv4Addr::new(127, 0, 0, last)));
        let mut taken = Vec::new();
        for (address, given) in [(one, true), (one, true), (one, false), (other, true)] {
            let place = places.give(address, places.free().await.unwrap());
            assert_eq!(place.is_some(), given);
            taken.extend(place);
        }
        drop(taken.remove(0));
        assert!(places.give(one, places.free().await.unwrap()).is_some());
        taken.clear();
        assert!(places.held().is_empty(), "who is gone is forgotten");
        assert_eq!(places.free.available_permits(), 5);
    }

    #[tokio::test]
    async fn a_single_place_is_for_everybody() {
        let places = Places::new(1);
        assert!(
            places
                .give(Ipv4Addr::LOCALHOST.into(), places.free().await.unwrap())
                .is_some()
        );
    }
}
