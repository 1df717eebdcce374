//! What goes wrong on order, and what was asked of the bucket.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer is this status, with an error in XML as S3 sends it. Nothing is done.
    Refuse(u16),
    /// The request waits this long before anything is done.
    Delay(Duration),
    /// The request is done, but the connection breaks in the middle of the answer.
    BreakOff,
}

struct Order {
    matching: String,
    fault: Fault,
    times: usize,
}

#[derive(Default)]
pub(crate) struct Faults {
    orders: Mutex<Vec<Order>>,
    seen: Mutex<Vec<String>>,
}

impl Faults {
    pub(crate) fn order(&self, matching: &str, fault: Fault, times: usize) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(Order {
            matching: matching.to_owned(),
            fault,
            times,
        });
    }

    pub(crate) fn heal(&self) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the request and says what goes wrong with it.
    pub(crate) fn on(&self, request: String) -> Option<Fault> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = orders
            .iter_mut()
            .find(|order| order.times > 0 && request.contains(&order.matching))
            .map(|order| {
                order.times -= 1;
                order.fault
            });
        drop(orders);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        fault
    }
}
