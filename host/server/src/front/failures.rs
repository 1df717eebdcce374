//! Addresses that gave wrong passwords: after some free attempts each has to wait, longer every time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords without a wait.
const FREE: u32 = 5;
/// The wait after the last free one; it doubles with each.
const WAIT: Duration = Duration::from_secs(4);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);
/// After this time without a wrong password an address starts afresh.
const FORGOTTEN: Duration = Duration::from_mins(15);
/// Addresses that are remembered. When it is full, the one that failed longest ago goes.
const ADDRESSES: usize = 10_000;

/// See the module.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Failed>>);

struct Failed {
    times: u32,
    last: Instant,
}

impl Failed {
    fn wait(&self) -> Duration {
        let Some(over) = self.times.checked_sub(FREE) else {
            return Duration::ZERO;
        };
        WAIT.saturating_mul(1 << over.min(10)).min(LONGEST)
    }
}

/// Whoever has one address of an IPv6 network has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

impl Failures {
    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the address has to wait; none when it may try.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let table = self.table();
        let failed = table.get(&network(address))?;
        let left = (failed.last + failed.wait()).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// A wrong password came from there.
    pub(super) fn failed(&self, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut table = self.table();
        if !table.contains_key(&address) && table.len() >= ADDRESSES {
            table.retain(|_, failed| now.duration_since(failed.last) < FORGOTTEN);
            let oldest = table
                .iter()
                .min_by_key(|(_, failed)| failed.last)
                .map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| table.len() >= ADDRESSES) {
                table.remove(&oldest);
            }
        }
        let failed = table.entry(address).or_insert(Failed { times: 0, last: now });
        if now.duration_since(failed.last) >= FORGOTTEN {
            failed.times = 0;
        }
        failed.times = failed.times.saturating_add(1);
        failed.last = now;
    }

    /// The right password came from there.
    pub(super) fn succeeded(&self, address: IpAddr) {
        self.table().remove(&network(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn after_five_wrong_passwords_the_wait_doubles_up_to_a_minute() {
        let (failures, here, mut now) = (Failures::default(), address("192.0.2.1"), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            failures.failed(here, now);
            let wait = failures.wait(here, now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(failures.wait(here, now), None);
        }
        assert_eq!(waits, [0, 0, 0, 0, 4, 8, 16, 32, 60, 60, 60, 60]);
        failures.failed(here, now);
        assert_eq!(failures.wait(address("192.0.2.2"), now), None, "others do not wait");
    }

    #[test]
    fn a_right_password_or_a_quarter_of_an_hour_forgives() {
        let (failures, here, now) = (Failures::default(), address("192.0.2.1"), Instant::now());
        (0..9).for_each(|_| failures.failed(here, now));
        failures.succeeded(here);
        assert_eq!(failures.wait(here, now), None);
        (0..9).for_each(|_| failures.failed(here, now));
        let later = now + FORGOTTEN;
        failures.failed(here, later);
        assert_eq!(failures.wait(here, later), None);
    }

    #[test]
    fn neighbours_in_an_ipv6_network_count_as_one_and_so_do_both_forms_of_ipv4() {
        let (failures, now) = (Failures::default(), Instant::now());
        (0..9).for_each(|_| failures.failed(address("2001:db8::1"), now));
        assert!(failures.wait(address("2001:db8::ffff:1"), now).is_some());
        assert_eq!(failures.wait(address("2001:db8:0:1::1"), now), None);
        (0..9).for_each(|_| failures.failed(address("::ffff:192.0.2.1"), now));
        assert!(failures.wait(address("192.0.2.1"), now).is_some());
    }

    #[test]
    fn the_table_stays_small_and_forgets_the_oldest() {
        let (failures, mut now) = (Failures::default(), Instant::now());
        (0..9).for_each(|_| failures.failed(address("192.0.2.1"), now));
        for number in 0..ADDRESSES {
            now += Duration::from_millis(1);
            failures.failed(Ipv6Addr::from_bits((number as u128) << 64).into(), now);
        }
        assert_eq!(failures.table().len(), ADDRESSES);
        assert_eq!(failures.wait(address("192.0.2.1"), now), None);
    }
}
