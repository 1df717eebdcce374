//! Our own certificate: warnings before it ends, and whether others seal to it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::registry::Published;

/// Days before the end from which on the log warns once a day, each time in stronger words.
const STAGES: [(i64, &str); 3] = [
    (7, "it ends within a week: nothing can be sent afterwards"),
    (30, "it ends within a month: order the next one now"),
    (60, "it ends within two months: order the next one"),
];
const DAY: i64 = 24 * 60 * 60;
/// Between looks at the clock.
const LOOK: Duration = Duration::from_hours(1);

/// Whole days until a certificate ends; negative when it has ended.
pub fn days_left(certificate: &Certificate, now: Timestamp) -> i64 {
    (certificate.not_after().as_second() - now.as_second()).div_euclid(DAY)
}

/// What there is to be said about the end of a certificate; none when it is far away.
pub fn warning(certificate: &Certificate, now: Timestamp) -> Option<&'static str> {
    if !certificate.is_valid_at(now) && certificate.not_after() < now {
        return Some("it has ended: messages can be received, but not sent");
    }
    let left = days_left(certificate, now);
    let stage = STAGES.iter().find(|(days, _)| left < *days);
    stage.map(|(_, text)| *text)
}

/// Says it in the log.
pub fn tell(certificate: &Certificate, now: Timestamp) {
    let Some(warning) = warning(certificate, now) else {
        return;
    };
    let (end, days) = (certificate.not_after(), days_left(certificate, now));
    if days < 7 {
        tracing::error!(%end, days, "the organisation's certificate: {warning}");
    } else {
        tracing::warn!(%end, days, "the organisation's certificate: {warning}");
    }
}

/// What others seal messages to us to, as far as is known. Spec: service registry, 8.7.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sealed {
    /// Nobody has said yet, or there is nobody to ask.
    #[default]
    Untold,
    /// Our certificate.
    ToOurs,
    /// Another one: its messages may not be opened here.
    ToAnother,
    /// None is published: services that seal do not reach us.
    ToNone,
}

impl Sealed {
    /// For operators; none: nothing is known.
    pub fn told(self) -> Option<&'static str> {
        match self {
            Self::Untold => None,
            Self::ToOurs => Some("this one"),
            Self::ToAnother => Some("another one"),
            Self::ToNone => Some("none"),
        }
    }
}

/// Asks which certificate is published for us, and says so in the log when it is not ours. False: nobody could say.
///
/// Nothing is refused by it: what others seal to says nothing about what is sent from here.
pub async fn compare(node: &Node) -> bool {
    let own = node.identity.certificate();
    let sealed = match node.registry.published(&node.own).await {
        Ok(Published::Untold) => Sealed::Untold,
        Ok(Published::Nothing) => {
            tracing::info!(
                "no certificate is published for this organisation: services that seal messages do not reach it"
            );
            Sealed::ToNone
        }
        Ok(Published::Certificate(found)) if found.serial() == own.serial() => Sealed::ToOurs,
        Ok(Published::Certificate(found)) => {
            tracing::warn!(
                published = found.serial(),
                serial_number = own.serial(),
                "another certificate than ours is published for this organisation: others seal to it; have it exchanged"
            );
            Sealed::ToAnother
        }
        Err(error) => {
            tracing::info!(%error, "nobody can say which certificate is published for this organisation");
            return false;
        }
    };
    *node.sealed.lock().unwrap_or_else(PoisonError::into_inner) = sealed;
    true
}

/// Says and compares it once a day, until told to stop. The start has said it, and does not wait for what others say.
pub async fn watch(node: Arc<Node>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = each_day(&node) => {}
    }
}

async fn each_day(node: &Node) {
    let mut told = Timestamp::now().as_second().div_euclid(DAY);
    let mut compared = compare(node).await;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = Timestamp::now();
        let today = now.as_second().div_euclid(DAY);
        if today != told {
            told = today;
            tell(node.identity.certificate(), now);
            compared = false;
        }
        if !compared {
            compared = compare(node).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn warnings_come_sixty_thirty_and_seven_days_before_the_end() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 12, 31);
        let certificate = parameters.self_signed(&key).unwrap();
        let certificate = Certificate::from_der(certificate.der()).unwrap();
        let before = |days: i64| certificate.not_after() - SignedDuration::from_hours(24 * days + 1);
        for (days, words) in [
            (60, None),
            (59, Some("two months")),
            (30, Some("two months")),
            (29, Some("a month")),
            (7, Some("a month")),
            (6, Some("a week")),
            (0, Some("a week")),
            (-1, Some("has ended")),
        ] {
            let now = before(days);
            assert_eq!(days_left(&certificate, now), days);
            let told = warning(&certificate, now);
            assert_eq!(told.is_some(), words.is_some(), "{days}");
            assert!(
                told.unwrap_or_default().contains(words.unwrap_or_default()),
                "{days}: {told:?}"
            );
        }
    }
}
