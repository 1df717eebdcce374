//! One poll: for every subject, fetch what waits, hand it over, and confirm it once the host has committed.
//!
//! Spec: DPO and DPV, 2.4.

use budstikke_sdk::{Failure, Received};

use crate::broker::Broker;
use crate::host::Host;
use crate::inbox::{self, Waiting};
use crate::settings::Settings;

/// The largest SBD that the host takes.
const MAX_SBD: u32 = 16 * 1024 * 1024;

/// Seconds after which a round takes nothing new and leaves the rest to the next. A look or a transfer that has begun is
/// brought to its end.
const MAX_ROUND: u64 = 60;

/// After so many transfers in a row that cannot be handed over the store or Altinn is taken to be down, and the rest waits
/// for the next poll.
const MAX_FAILURES: u32 = 10;

/// Lines for the operator's log from one poll.
const MAX_PROBLEMS: usize = 50;

/// Under this key is the subject that the latest round began with last; after a week without rounds it does not matter.
const LAST_BEGUN: &str = "last-begun";
const WEEK: u64 = 7 * 86_400;

/// Under this key stands that a round is handling transfers. One that finds it knows that the round before was cut off.
const UNDER_WAY: &str = "under-way";

/// Fetches for all subjects. What goes wrong with one does not stop the others.
pub(crate) fn receive<H: Host>(host: &H, settings: &Settings) -> Result<Received, Failure> {
    let mut subjects = host.subjects(&settings.token_profile)?;
    put_last_begun_last(host, &mut subjects);
    let mut round = Round {
        host,
        settings,
        begun: host.now(),
        handled: 0,
        problems: Vec::new(),
        more: false,
        careful: None,
    };
    for (place, subject) in subjects.iter().enumerate() {
        let left = settings.max_per_poll.saturating_sub(round.handled);
        if left == 0 || round.is_over() {
            round.more = true;
            break;
        }
        if subjects.len() > 1 {
            host.remember(LAST_BEGUN, subject.as_bytes(), WEEK);
        }
        // A share for each that is still to come, so that one backlog does not keep the others waiting.
        let still = u32::try_from(subjects.len() - place).unwrap_or(u32::MAX);
        round.subject(subject, left.div_ceil(still));
    }
    if round.careful.is_some() {
        host.forget(UNDER_WAY);
    }
    let Round {
        handled,
        mut problems,
        more,
        ..
    } = round;
    if problems.len() > MAX_PROBLEMS {
        let rest = problems.len() - MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        problems.push(format!("and {rest} more problems"));
    }
    Ok(Received {
        handled,
        problems,
        more,
    })
}

/// Starts after the subject that the round before ended at, so that one which takes all the time, or in which the call is
/// killed, does not keep the others waiting for ever.
fn put_last_begun_last<H: Host>(host: &H, subjects: &mut [String]) {
    if subjects.len() > 1
        && let Some(last) = host.recall(LAST_BEGUN)
        && let Some(place) = subjects.iter().position(|subject| subject.as_bytes() == last)
    {
        subjects.rotate_left(place + 1);
    }
}

struct Round<'a, H> {
    host: &'a H,
    settings: &'a Settings,
    /// Seconds since 1970.
    begun: u64,
    handled: u32,
    problems: Vec<String>,
    more: bool,
    /// Whether the round before was cut off; none as long as there was nothing to handle.
    careful: Option<bool>,
}

impl<H: Host> Round<'_, H> {
    fn is_over(&self) -> bool {
        self.host.now().saturating_sub(self.begun) >= MAX_ROUND
    }

    /// Whether each transfer is put behind the others before it is tried. Nothing runs after a call that is killed, and one that
    /// is too large or breaks us would stay the first in line; but to write that down for each that comes costs more than to
    /// find it out after such a call.
    fn is_careful(&mut self) -> bool {
        *self.careful.get_or_insert_with(|| {
            let cut_off = self.host.recall(UNDER_WAY).is_some();
            if !cut_off {
                self.host.remember(UNDER_WAY, &[], WEEK);
            }
            cut_off
        })
    }

    fn subject(&mut self, subject: &str, share: u32) {
        let broker = Broker::new(self.host, self.settings, subject);
        let mut inbox = inbox::look(self.host, self.settings, subject, share as usize);
        self.problems.extend(inbox.problems);
        let mut handled = 0;
        let mut failures = 0;
        let mut left_over = inbox.unseen;
        // What the round before handled is gone, so the first is what it was cut off in.
        let careful = !inbox.waiting.is_empty() && self.is_careful();
        if careful && inbox.waiting[0].put_behind(self.host) {
            inbox.waiting.rotate_left(1);
        }
        for waiting in &mut inbox.waiting {
            // At least one is tried, else a look that takes all the time would leave no time for what it found.
            let late = handled + failures > 0 && self.is_over();
            self.more |= late;
            if late || handled == share || failures == MAX_FAILURES {
                left_over = true;
                waiting.stays(self.host);
                continue;
            }
            if careful {
                waiting.put_behind(self.host);
            }
            match self.handle(&broker, waiting) {
                Ok(()) => {
                    handled += 1;
                    failures = 0;
                    waiting.forget(self.host);
                }
                Err(failure) => {
                    failures += 1;
                    if !careful {
                        waiting.put_behind(self.host);
                    }
                    waiting.stays(self.host);
                    self.problems
                        .push(format!("transfer {}: {}", waiting.id, failure.line()));
                }
            }
        }
        self.handled += handled;
        // Without progress the next poll is soon enough.
        self.more |= left_over && (handled > 0 || inbox.learned > 0) && failures < MAX_FAILURES;
    }

    /// Gets one transfer off Altinn's list. A failure leaves it there for a later poll.
    fn handle(&self, broker: &Broker<'_, H>, waiting: &Waiting) -> Result<(), Failure> {
        let id = waiting.id.as_str();
        // Else it is offered again because its confirmation got lost.
        if !self.host.was_handled(id)? {
            match broker.download(id) {
                Ok(file) => self.make_safe(waiting, &file)?,
                // It is no longer at Altinn.
                Err(error) if error.is(404) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        self.confirm(broker, id)
    }

    /// Hands it over, or sets aside what can never be used.
    fn make_safe(&self, waiting: &Waiting, file: &H::File) -> Result<(), Failure> {
        match self.hand_over(&waiting.id, file) {
            Err(failure) if failure.is_permanent() => {
                self.came_whole(waiting, file)?;
                self.host
                    .set_aside(&waiting.id, &failure.line().to_string(), Some(file))
            }
            other => other,
        }
    }

    /// A permanent failure is the reason to set it aside. Entries that we do not know are Altinn's own.
    /// Spec: DPO and DPV, 2.2.
    fn hand_over(&self, id: &str, file: &H::File) -> Result<(), Failure> {
        let entries = self.host.unzip(file)?;
        let named = |name: &str| entries.iter().find(|entry| self.host.name(entry) == name);
        let Some(sbd) = named("sbd.json") else {
            let why = match named("content.xml") {
                Some(_) => "the SBD is in the old XML form (content.xml), which is not supported",
                None => "there is no sbd.json in the package",
            };
            return Err(Failure::permanent("no-sbd", why));
        };
        let sbd = self.host.read(sbd, MAX_SBD)?;
        // New, known already, expired or set aside: the host has committed it in every case.
        self.host.deliver(id, &sbd, named("asic.zip")).map(drop)
    }

    /// A package that broke on its way to us must not be taken for one that its sender made badly.
    fn came_whole(&self, waiting: &Waiting, file: &H::File) -> Result<(), Failure> {
        let Some(checksum) = waiting.checksum.as_deref().filter(|checksum| !checksum.is_empty()) else {
            return Ok(());
        };
        let found = self.host.md5(file)?;
        if found.eq_ignore_ascii_case(checksum) {
            return Ok(());
        }
        Err(Failure::temporary(format!(
            "the download has the MD5 {found}, at Altinn it is {checksum}"
        )))
    }

    /// A confirmation that fails is made up for in a later poll, where the transfer is offered again.
    fn confirm(&self, broker: &Broker<'_, H>, id: &str) -> Result<(), Failure> {
        match broker.confirm(id) {
            Ok(()) => Ok(()),
            // Confirmed before. Spec: DPO and DPV, 2.5.
            Err(error) if error.is(400) => {
                self.host.warn(Failure::from(error).detail());
                Ok(())
            }
            Err(error) => Err(Failure::temporary(format!(
                "not confirmed: {}",
                Failure::from(error).line()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
