//! Who may call: the users of the configuration, and the passwords that were found right.
//!
//! Verifying a password takes some tens of milliseconds of computing, on purpose. A fagsystem makes some calls per message and
//! thousands per second, so a right password is remembered: as a MAC under a key of this process, bound to user and
//! address. Everything else stands in a short queue before a few threads.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::{hmac, rand};
use tokio::sync::Semaphore;

use super::credentials::Credentials;
use super::failures::Failures;
use super::password_hash::PasswordHash;
use crate::config::{Role, User as Written};

/// Passwords that are verified at the same time: half of the machine, so that no flood of wrong ones takes all of it.
fn verifiers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// Callers that wait for a verification; the next one is asked to come again.
const WAITING: usize = 100;
/// What that one is told to wait.
const BUSY: Duration = Duration::from_secs(2);
/// Addresses that one user's password is remembered for.
const ADDRESSES: usize = 256;

/// What the question for a password came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is this user, who may this.
    Known(Arc<[Role]>),
    /// No such user, or another password. The two cannot be told apart.
    Wrong,
    /// Too many wrong ones, or too many at once; ask again after this time.
    Later(Duration),
}

struct User {
    hash: PasswordHash,
    roles: Arc<[Role]>,
    remembered: RwLock<HashMap<IpAddr, hmac::Tag>>,
}

/// See the module.
pub(super) struct Users {
    by_name: HashMap<String, Arc<User>>,
    /// The same, to take one that stands in for a name that nobody has.
    all: Vec<Arc<User>>,
    key: hmac::Key,
    verifiers: Arc<Semaphore>,
    waiting: AtomicUsize,
    failures: Arc<Failures>,
}

/// A user that cannot be taken into service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsersError {
    /// Its hash is none, or is not to be had.
    #[error("the password-hash of user {name} cannot be used: {why}")]
    Hash {
        /// Name in the configuration.
        name: String,
        /// Without the hash.
        why: String,
    },
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

impl Users {
    /// All users, or everything that is wrong with them.
    pub(super) fn new(written: &[Written]) -> Result<Self, Vec<UsersError>> {
        let (mut by_name, mut all, mut errors) = (HashMap::new(), Vec::new(), Vec::new());
        for user in written {
            match hash_of(user) {
                Ok(hash) => {
                    let known = Arc::new(User {
                        hash,
                        roles: user.roles.clone().into(),
                        remembered: RwLock::default(),
                    });
                    all.push(known.clone());
                    by_name.insert(user.name.clone(), known);
                }
                Err(why) => errors.push(UsersError::Hash {
                    name: user.name.clone(),
                    why,
                }),
            }
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        match key {
            Ok(key) if errors.is_empty() => Ok(Self {
                by_name,
                all,
                key,
                verifiers: Arc::new(Semaphore::new(verifiers())),
                waiting: AtomicUsize::new(0),
                failures: Arc::default(),
            }),
            Ok(_) => Err(errors),
            Err(_) => Err(vec![UsersError::Random]),
        }
    }

    /// Whose name and password these are.
    pub(super) async fn ask(&self, credentials: Credentials, from: IpAddr) -> Verdict {
        let Some(user) = self
            .by_name
            .get(&credentials.name)
            .or_else(|| self.stand_in(&credentials.name))
        else {
            return Verdict::Wrong;
        };
        let tagged = tagged(&credentials, from);
        if self.remembers(user, from, &tagged) {
            return Verdict::Known(user.roles.clone());
        }
        if let Some(wait) = self.failures.wait(from, Instant::now()) {
            return Verdict::Later(wait);
        }
        let Some(_place) = Place::take(&self.waiting) else {
            return Verdict::Later(BUSY);
        };
        let Ok(permit) = self.verifiers.clone().acquire_owned().await else {
            return Verdict::Later(BUSY);
        };
        // While this one stood in the queue another call of the same caller was decided.
        if self.remembers(user, from, &tagged) {
            return Verdict::Known(user.roles.clone());
        }
        if let Some(wait) = self.failures.wait(from, Instant::now()) {
            return Verdict::Later(wait);
        }
        let real = self.by_name.contains_key(&credentials.name);
        let verified = {
            let (user, failures) = (user.clone(), self.failures.clone());
            // To its end also when the caller goes away: its place is not free while it computes, and it counts.
            tokio::task::spawn_blocking(move || {
                let right = user.hash.verify(&credentials.password) && real;
                if right {
                    failures.succeeded(from);
                } else {
                    failures.failed(from, Instant::now());
                }
                drop(permit);
                right
            })
        };
        match verified.await {
            Ok(true) => {
                self.remember(user, from, &tagged);
                Verdict::Known(user.roles.clone())
            }
            Ok(false) => {
                tracing::warn!(address = %from, "somebody gave a wrong name or password");
                Verdict::Wrong
            }
            Err(error) => {
                tracing::error!(%error, "a password could not be verified");
                Verdict::Later(BUSY)
            }
        }
    }

    /// A name that nobody has costs what one of the users costs, always the same one.
    fn stand_in(&self, name: &str) -> Option<&Arc<User>> {
        let tag = hmac::sign(&self.key, name.as_bytes());
        let number = tag.as_ref().iter().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
        });
        self.all.get(number.checked_rem(self.all.len())?)
    }

    fn remembers(&self, user: &User, from: IpAddr, tagged: &[u8]) -> bool {
        let remembered = user.remembered.read().unwrap_or_else(PoisonError::into_inner);
        // Compares in constant time.
        remembered
            .get(&from)
            .is_some_and(|tag| hmac::verify(&self.key, tagged, tag.as_ref()).is_ok())
    }

    fn remember(&self, user: &User, from: IpAddr, tagged: &[u8]) {
        let mut remembered = user.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= ADDRESSES {
            // Whoever was there verifies once more. Which one goes does not matter.
            let any = remembered.keys().next().copied();
            any.map(|any| remembered.remove(&any));
        }
        remembered.insert(from, hmac::sign(&self.key, tagged));
    }
}

/// What is remembered of a caller. The lengths keep name and password apart.
fn tagged(credentials: &Credentials, from: IpAddr) -> zeroize::Zeroizing<Vec<u8>> {
    let mut bytes = Vec::with_capacity(64 + credentials.name.len() + credentials.password.len());
    bytes.extend_from_slice(from.to_string().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&credentials.name.len().to_le_bytes());
    bytes.extend_from_slice(credentials.name.as_bytes());
    bytes.extend_from_slice(&credentials.password);
    zeroize::Zeroizing::new(bytes)
}

fn hash_of(user: &Written) -> Result<PasswordHash, String> {
    let text = user.password_hash.value()?;
    PasswordHash::parse(&text).map_err(|error| error.to_string())
}

/// A place in the queue, given back when the call is decided or given up.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        (before < WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
