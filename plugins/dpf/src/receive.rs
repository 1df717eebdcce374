//! One poll: for every mottakersystem, fetch what waits, hand it over, and confirm it once the host has committed.
//!
//! Spec: DPF and DPFIO, 9.

use std::fmt::Write as _;

use budstikke_sdk::{Delivery, Failure, Received};

use crate::file_names::FileNames;
use crate::host::Host;
use crate::incoming;
use crate::settings::{Incoming, Login, Settings};
use crate::svarinn::{FULL, SvarInn, Waiting};

/// Seconds after which a round takes nothing new and leaves the rest to the next.
const MAX_ROUND: u64 = 60;

/// After so many forsendelser in a row that cannot be handed over, the store or SvarInn is taken to be down.
const MAX_FAILURES: u32 = 10;

/// Lines for the operator's log from one poll.
const MAX_PROBLEMS: usize = 50;

/// Seconds that a forsendelse is left alone after it could not be used: it is not fetched again at every poll.
/// Spec: DPF and DPFIO, 14, sharp edge 26.
const LEFT_ALONE: u64 = 6 * 3600;

/// The codes of failures that mean that what came cannot be read by us. Others are not the sender's fault.
const UNREADABLE: [&str; 2] = ["not-for-us", "not-a-zip"];

/// Under this key is the forsendelse that is being fetched. A round that finds it knows that the one before was cut off in it.
const IN_HAND: &str = "in-hand";
const DAY: u64 = 86_400;

/// Fetches for all mottakersystemer. What goes wrong with one does not stop the others.
pub(crate) fn receive<H: Host>(host: &H, settings: &Settings) -> Received {
    let Some(inn) = &settings.inn else {
        return Received {
            handled: 0,
            problems: Vec::new(),
            more: false,
        };
    };
    let mut round = Round {
        host,
        inn,
        lifetime_hours: settings.lifetime_hours(),
        begun: host.now(),
        handled: 0,
        problems: Vec::new(),
        more: false,
        cut_off_in: in_hand(host),
    };
    let logins: Vec<&Login> = inn.own.iter().chain(inn.others.values()).collect();
    for (place, login) in logins.iter().enumerate() {
        let left = inn.max_per_poll.saturating_sub(round.handled);
        if left == 0 || round.is_over() {
            round.more = true;
            break;
        }
        // A share for each that is still to come, so that one backlog does not keep the others waiting.
        let still = u32::try_from(logins.len() - place).unwrap_or(u32::MAX);
        round.mottakersystem(login, left.div_ceil(still));
    }
    if in_hand(host).is_some() {
        host.remember(IN_HAND, &[], DAY);
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
    Received {
        handled,
        problems,
        more,
    }
}

struct Round<'a, H> {
    host: &'a H,
    inn: &'a Incoming,
    lifetime_hours: u32,
    /// Seconds since 1970.
    begun: u64,
    handled: u32,
    problems: Vec<String>,
    more: bool,
    /// What the round before was cut off in. It comes last: nothing runs after a call that is killed, and one that is too large or breaks us
    /// would stay the first in line.
    cut_off_in: Option<String>,
}

fn in_hand<H: Host>(host: &H) -> Option<String> {
    let id = host.recall(IN_HAND).and_then(|id| String::from_utf8(id).ok());
    id.filter(|id| !id.is_empty())
}

/// Why a forsendelse stays in SvarInn.
enum Stays {
    /// It cannot be used as it is.
    Unusable(String),
    /// Something is down.
    Later(Failure),
}

impl From<Failure> for Stays {
    fn from(failure: Failure) -> Self {
        Self::Later(failure)
    }
}

impl<H: Host> Round<'_, H> {
    fn is_over(&self) -> bool {
        self.host.now().saturating_sub(self.begun) >= MAX_ROUND
    }

    fn leave_alone(&self, id: &str) {
        self.host.remember(&format!("alone/{id}"), &[1], LEFT_ALONE);
    }

    fn mottakersystem(&mut self, login: &Login, share: u32) {
        let svarinn = SvarInn {
            host: self.host,
            inn: self.inn,
            login,
        };
        let mut list = match svarinn.list() {
            Ok(list) => list,
            Err(failure) => {
                self.problems.push(failure.line().to_string());
                return;
            }
        };
        let is_full = list.len() >= FULL;
        let cut_off_in = self.cut_off_in.as_deref();
        list.sort_by_key(|waiting| {
            waiting
                .as_ref()
                .is_ok_and(|waiting| Some(waiting.id.as_str()) == cut_off_in)
        });
        let (mut handled, mut failures) = (0, 0);
        let mut left_over = false;
        for waiting in list {
            let waiting = match waiting {
                Ok(waiting) => waiting,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            let late = handled + failures > 0 && self.is_over();
            if late || handled == share || failures == MAX_FAILURES {
                left_over = true;
                break;
            }
            match self.handle(&svarinn, &waiting) {
                Ok(()) => {
                    handled += 1;
                    failures = 0;
                }
                Err(Stays::Later(failure)) => {
                    failures += 1;
                    self.problems
                        .push(format!("forsendelse {}: {}", waiting.id, failure.line()));
                }
                Err(Stays::Unusable(reason)) => self.problems.push(format!("forsendelse {}: {reason}", waiting.id)),
            }
        }
        self.handled += handled;
        // A full list may have been cut off. Without progress the next poll is soon enough. Spec: DPF and DPFIO, 14, sharp edge 32.
        self.more |= (left_over || is_full) && handled > 0 && failures < MAX_FAILURES;
    }

    /// Gets one forsendelse out of SvarInn. What fails leaves it there.
    fn handle(&self, svarinn: &SvarInn<'_, H>, waiting: &Waiting) -> Result<(), Stays> {
        let id = waiting.id.as_str();
        // Else it is offered again because its confirmation got lost. Spec: DPF and DPFIO, 14, sharp edges 27 and 28.
        if !self.host.was_handled(id)? {
            if self.host.recall(&format!("alone/{id}")).is_some() {
                return Err(Stays::Unusable("waits, for it could not be used before".to_owned()));
            }
            // Made before anything is fetched: what cannot become a message is not downloaded in vain.
            let message =
                incoming::message(self.host, self.inn, self.lifetime_hours, waiting).map_err(Stays::Unusable)?;
            self.host.remember(IN_HAND, id.as_bytes(), DAY);
            let file = match svarinn.download(waiting) {
                Ok(file) => file,
                Err(unanswered) if unanswered.status.is_some_and(|status| status == 404 || status == 410) => {
                    // Somebody else has taken it since it was listed.
                    return Err(Stays::Unusable("is no longer in SvarInn".to_owned()));
                }
                Err(unanswered) => return Err(Stays::Later(unanswered.failure.into_temporary())),
            };
            match self.hand_over(waiting, &message, &file) {
                Ok(()) => {}
                Err(failure) if UNREADABLE.iter().any(|code| failure.code() == Some(code)) => {
                    return Err(self.give_back(svarinn, id, &failure, &file));
                }
                Err(failure) if failure.is_permanent() => {
                    self.leave_alone(id);
                    return Err(Stays::Unusable(failure.line().to_string()));
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        confirm(svarinn, id)
    }

    /// Opens it and hands it over.
    fn hand_over(&self, waiting: &Waiting, message: &incoming::Message, file: &H::File) -> Result<(), Failure> {
        let host = self.host;
        let archive = host.unseal(file)?;
        let mut names = FileNames::new();
        let xml = message.arkivmelding.as_bytes();
        let mut files = vec![host.small_file(budstikke_sdk::arkivmelding::FILE_NAME, "application/xml", xml)];
        for entry in host.unzip(&archive)? {
            let given = host.name(&entry);
            if given.ends_with('/') {
                continue;
            }
            let facts = waiting.filmetadata.iter().find(|facts| facts.filnavn == given);
            self.compare(waiting, facts.map(|facts| facts.sha256hash.as_str()), &entry)?;
            let media_type = facts
                .map(|facts| facts.mimetype.as_str())
                .filter(|text| !text.is_empty());
            let media_type = media_type.unwrap_or("application/octet-stream");
            files.push(host.renamed(&entry, &names.next(&given), media_type)?);
        }
        if files.len() - 1 != waiting.filmetadata.len() {
            host.warn(&format!(
                "forsendelse {} has {} files, and SvarInn lists {}",
                waiting.id,
                files.len() - 1,
                waiting.filmetadata.len()
            ));
        }
        let package = host.package(&files, &message.sender, &message.receiver)?;
        match host.deliver(&waiting.id, &message.sbd, &package) {
            Ok(Delivery::SetAside(reason)) => {
                host.warn(&format!("forsendelse {} was set aside: {reason}", waiting.id));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Files are handed over whatever their digest is: it has not proven reliable. Spec: DPF and DPFIO, 14, sharp edge 31.
    fn compare(&self, waiting: &Waiting, told: Option<&str>, entry: &H::File) -> Result<(), Failure> {
        let Some(told) = told.filter(|told| !told.is_empty()) else {
            return Ok(());
        };
        let found = self.host.sha256(entry)?;
        let hex = found.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        if !told.eq_ignore_ascii_case(&hex) {
            self.host.warn(&format!(
                "forsendelse {}: a file has another SHA-256 than SvarInn tells",
                waiting.id
            ));
        }
        Ok(())
    }

    /// It cannot be read: the operator gets it as it came, and SvarUt is told. It stays in SvarInn unless the operator wants otherwise.
    fn give_back(&self, svarinn: &SvarInn<'_, H>, id: &str, failure: &Failure, file: &H::File) -> Stays {
        let reason = failure.line().to_string();
        // Another name than the message's own, which is not handled by this: with the right key it can be read later.
        if let Err(failure) = self.host.set_aside(&format!("{id}:unreadable"), &reason, file) {
            return Stays::Later(failure.into_temporary());
        }
        self.leave_alone(id);
        let told = "Forsendelsen kan ikke dekrypteres eller pakkes ut. Sjekk sertifikatet på mottakersystemet.";
        match svarinn.reject(id, told, self.inn.reject_permanently) {
            Ok(()) => Stays::Unusable(format!("{reason}; it is set aside, and SvarUt is told")),
            Err(unanswered) => Stays::Unusable(format!(
                "{reason}; it is set aside, and SvarUt could not be told: {}",
                unanswered.failure.line()
            )),
        }
    }
}

/// A confirmation that fails is made up for in a later poll, where the forsendelse is listed again.
fn confirm<H: Host>(svarinn: &SvarInn<'_, H>, id: &str) -> Result<(), Stays> {
    match svarinn.confirm(id) {
        Ok(()) => Ok(()),
        // It was confirmed before, and is gone.
        Err(unanswered) if unanswered.status == Some(404) => {
            svarinn.host.warn(unanswered.failure.detail());
            Ok(())
        }
        Err(unanswered) => Err(Stays::Later(Failure::temporary(format!(
            "not confirmed: {}",
            unanswered.failure.line()
        )))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
