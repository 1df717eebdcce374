//! What waits for one subject at Altinn, the oldest first.
//!
//! The list gives at most 100 ids, of all channels, and nothing about them. So it is paged by age, and what a transfer's
//! overview says is remembered: transfers that are parked for another channel cost no call in the next poll and hide
//! nothing.
//!
//! Transfers that were downloaded and not confirmed are listed as well, for a crash in between must not lose them.
//!
//! Spec: DPO and DPV, 8, sharp edges 1 to 3.

use std::collections::HashSet;

use budstikke_sdk::Failure;
use serde::{Deserialize, Serialize};

use crate::broker::{Broker, BrokerError};
use crate::channel;
use crate::host::Host;
use crate::moment::Moment;
use crate::settings::Settings;
use crate::wire::{RecipientStatus, is_transfer_id};

/// Ids in a full page.
const PAGE: usize = 100;

/// Pages of one list in one poll; more are for the next.
const MAX_PAGES: usize = 100;

/// Overviews fetched for one subject in one poll, so that a first poll with a large backlog ends in time.
const MAX_OVERVIEWS: usize = 300;

/// After so many overviews that fail in a row Altinn is taken to be down.
const MAX_FAILURES: usize = 5;

/// Altinn forgets a transfer after 30 days.
const LIFETIME: u64 = 35 * 86_400;

/// Seconds after a try in which a transfer goes behind those that were not tried yet.
const BEHIND: u64 = 86_400;

/// A transfer that is for us.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    created: Option<Moment>,
    /// MD5 of the package in hexadecimal, as Altinn counted it.
    pub(crate) checksum: Option<String>,
    /// When it was tried last and could not be handled, in seconds since 1970.
    tried: Option<u64>,
    /// What its overview said, when that is not remembered yet.
    news: Option<Known>,
}

/// The result of one look.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// In the order in which they are to be handled.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) problems: Vec<String>,
    /// True when not everything was looked at.
    pub(crate) unseen: bool,
    /// Transfers that we had not heard of.
    pub(crate) learned: usize,
}

/// What we remember of an overview.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    reference: Option<String>,
    created: Option<String>,
    #[serde(default)]
    checksum: Option<String>,
}

impl Known {
    fn remember<H: Host>(&self, host: &H, id: &str) {
        if let Ok(value) = serde_json::to_vec(self) {
            host.remember(&known_key(id), &value, LIFETIME);
        }
    }
}

fn known_key(id: &str) -> String {
    format!("transfer:{id}")
}

fn behind_key(id: &str) -> String {
    format!("behind:{id}")
}

/// Looks until `wanted` transfers that were not tried before are found, or everything is seen.
pub(crate) fn look<H: Host>(host: &H, settings: &Settings, subject: &str, wanted: usize) -> Inbox {
    let broker = Broker::new(host, settings, subject);
    let mut look = Look {
        host,
        settings,
        broker,
        inbox: Inbox::default(),
        seen: HashSet::new(),
    };
    for status in [RecipientStatus::DownloadStarted, RecipientStatus::Initialized] {
        if let Err(error) = look.list(status, wanted) {
            look.problem(&error.into());
        }
    }
    let mut inbox = look.inbox;
    inbox.waiting.sort_by(|a, b| {
        // Of those that were tried the one whose last try is the longest ago, so that none holds up the others.
        let late = |waiting: &Waiting| (waiting.tried, waiting.created.is_none(), waiting.created);
        late(a).cmp(&late(b))
    });
    inbox
}

impl Waiting {
    /// Forgets it once it was handled. Most were never remembered.
    pub(crate) fn forget<H: Host>(&self, host: &H) {
        if self.news.is_none() {
            host.forget(&known_key(&self.id));
        }
        if self.tried.is_some() {
            host.forget(&behind_key(&self.id));
        }
    }

    /// Puts it behind the others until it is forgotten. False when it was behind some already.
    pub(crate) fn put_behind<H: Host>(&mut self, host: &H) -> bool {
        let now = host.now();
        host.remember(&behind_key(&self.id), &now.to_be_bytes(), BEHIND);
        self.tried.replace(now).is_none()
    }

    /// It stays for a later poll, which need not ask for its overview again.
    pub(crate) fn stays<H: Host>(&mut self, host: &H) {
        if let Some(known) = self.news.take() {
            known.remember(host, &self.id);
        }
    }
}

struct Look<'a, H> {
    host: &'a H,
    settings: &'a Settings,
    broker: Broker<'a, H>,
    inbox: Inbox,
    seen: HashSet<String>,
}

impl<H: Host> Look<'_, H> {
    fn list(&mut self, status: RecipientStatus, wanted: usize) -> Result<(), BrokerError> {
        let mut found = 0;
        let mut from: Option<(Moment, String)> = None;
        for _ in 0..MAX_PAGES {
            let ids = self.broker.list(status, from.as_ref().map(|(_, text)| text.as_str()))?;
            let full = ids.len() >= PAGE;
            let mut failures = 0;
            let mut news = false;
            for id in ids {
                if !is_transfer_id(&id) {
                    self.problem(&Failure::temporary(format!(
                        "the list has an id that is none, of {} bytes",
                        id.len()
                    )));
                    continue;
                }
                if !self.seen.insert(id.clone()) {
                    continue;
                }
                news = true;
                let (known, is_new) = match self.known(&id) {
                    Ok(Some(known)) => known,
                    Ok(None) => {
                        self.inbox.unseen = true;
                        return Ok(());
                    }
                    // Confirmed or expired since the list was made.
                    Err(error) if error.is(404) => continue,
                    Err(error) => {
                        failures += 1;
                        if failures >= MAX_FAILURES {
                            return Err(error);
                        }
                        self.problem(&error.into());
                        continue;
                    }
                };
                failures = 0;
                let created = known.created.as_deref().and_then(Moment::parse);
                if let (Some(moment), Some(text)) = (created, &known.created)
                    && from.as_ref().is_none_or(|(latest, _)| *latest < moment)
                {
                    from = Some((moment, text.clone()));
                }
                if channel::is_ours(self.settings.message_channel.as_ref(), known.reference.as_deref()) {
                    let mark = self.host.recall(&behind_key(&id));
                    let tried = mark.map(|mark| mark.try_into().map_or(0, u64::from_be_bytes));
                    found += usize::from(tried.is_none());
                    self.inbox.waiting.push(Waiting {
                        id,
                        created,
                        checksum: known.checksum.clone(),
                        tried,
                        news: is_new.then_some(known),
                    });
                } else if is_new {
                    known.remember(self.host, &id);
                }
            }
            // A page without news is one that Altinn gives again: there is no way further.
            if !full || !news || from.is_none() {
                return Ok(());
            }
            if found >= wanted {
                break;
            }
        }
        self.inbox.unseen = true;
        Ok(())
    }

    /// What is remembered, else what Altinn says, with true; none when enough was asked for in this poll.
    fn known(&mut self, id: &str) -> Result<Option<(Known, bool)>, BrokerError> {
        let remembered = self.host.recall(&known_key(id));
        if let Some(known) = remembered.and_then(|value| serde_json::from_slice(&value).ok()) {
            return Ok(Some((known, false)));
        }
        if self.inbox.learned >= MAX_OVERVIEWS {
            return Ok(None);
        }
        let overview = self.broker.overview(id)?;
        self.inbox.learned += 1;
        let known = Known {
            reference: overview.senders_file_transfer_reference,
            created: overview.created,
            checksum: overview.checksum,
        };
        Ok(Some((known, true)))
    }

    fn problem(&mut self, failure: &Failure) {
        self.inbox.problems.push(failure.line().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, OWN, listing, overview, settings};

    const UUID: &str = "7b1c8a52-0000-4000-8000-000000000000";

    fn ids(inbox: &Inbox) -> Vec<&str> {
        inbox.waiting.iter().map(|waiting| waiting.id.as_str()).collect()
    }

    /// Ids and times of a backlog, the oldest first.
    fn backlog(host: &Fake, numbers: std::ops::Range<u32>, reference: &str) -> Vec<String> {
        numbers
            .map(|number| {
                let id = format!("t{number:04}");
                let created = format!("2026-03-25T{:02}:{:02}:00Z", number / 60, number % 60);
                host.on(&format!("GET /filetransfer/{id}"), 200, &overview(reference, &created));
                id
            })
            .collect()
    }

    fn list(host: &Fake, from: Option<&str>, ids: &[String]) {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        host.on(
            &format!("{}{from}", listing("Initialized")),
            200,
            &serde_json::to_string(ids).unwrap(),
        );
    }

    #[test]
    fn t13_transfers_of_other_channels_stay() {
        for (own, expected) in [(r#","message-channel":"fag-1""#, vec!["b"]), ("", vec!["a", "e"])] {
            let host = Fake::default();
            host.lists(&[], &["a", "b", "c", "d", "e"]);
            for (id, reference) in [("a", UUID), ("b", "fag-1"), ("c", "annet"), ("d", "")] {
                host.on(
                    &format!("GET /filetransfer/{id}"),
                    200,
                    &overview(reference, "2026-03-25T11:30:00Z"),
                );
            }
            host.on("GET /filetransfer/e", 200, r#"{"sendersFileTransferReference":null}"#);
            assert_eq!(ids(&look(&host, &settings(own), OWN, 50)), expected);
        }
    }

    #[test]
    fn a_parked_transfer_costs_no_call_in_the_next_poll() {
        let host = Fake::default();
        host.lists(&[], &["aa"])
            .on("GET /filetransfer/aa", 200, &overview("annet", "2026-03-25T11:30:00Z"));
        look(&host, &settings(""), OWN, 50);
        host.calls();
        host.lists(&[], &["aa"]);
        assert!(look(&host, &settings(""), OWN, 50).waiting.is_empty());
        assert_eq!(host.calls(), [listing("DownloadStarted"), listing("Initialized")]);
    }

    #[test]
    fn more_than_a_page_of_parked_transfers_hides_nothing() {
        let host = Fake::default();
        host.on(&listing("DownloadStarted"), 200, "[]");
        let parked = backlog(&host, 0..100, "annet");
        let ours = backlog(&host, 100..102, UUID);
        list(&host, None, &parked);
        // Altinn gives those created at `from` or later, so the last one comes again.
        list(
            &host,
            Some("2026-03-25T01%3A39%3A00Z"),
            &[&parked[99..], &ours[..]].concat(),
        );
        let inbox = look(&host, &settings(""), OWN, 50);
        assert_eq!(ids(&inbox), ["t0100", "t0101"]);
        assert!(!inbox.unseen && inbox.problems.is_empty());
    }

    #[test]
    fn enough_is_enough_and_the_rest_is_announced() {
        let host = Fake::default();
        host.on(&listing("DownloadStarted"), 200, "[]");
        list(&host, None, &backlog(&host, 0..100, UUID));
        let inbox = look(&host, &settings(""), OWN, 50);
        assert_eq!((inbox.waiting.len(), inbox.unseen), (100, true));
    }

    #[test]
    fn a_page_that_altinn_gives_again_ends_the_look() {
        let host = Fake::default();
        host.on(&listing("DownloadStarted"), 200, "[]");
        let parked = backlog(&host, 0..100, "annet");
        list(&host, None, &parked);
        list(&host, Some("2026-03-25T01%3A39%3A00Z"), &parked);
        assert!(!look(&host, &settings(""), OWN, 50).unseen);
    }

    #[test]
    fn a_large_first_backlog_is_learned_over_several_polls() {
        let host = Fake::default();
        host.on(&listing("DownloadStarted"), 200, "[]");
        let parked = backlog(&host, 0..400, "annet");
        list(&host, None, &parked[..100]);
        for (page, from) in [(1, "01%3A39"), (2, "03%3A19"), (3, "04%3A59")] {
            list(
                &host,
                Some(&format!("2026-03-25T{from}%3A00Z")),
                &parked[page * 100..(page + 1) * 100],
            );
        }
        let inbox = look(&host, &settings(""), OWN, 50);
        assert_eq!(
            (inbox.learned, inbox.unseen, inbox.waiting.len()),
            (MAX_OVERVIEWS, true, 0)
        );
    }

    #[test]
    fn one_overview_that_fails_does_not_block_the_others() {
        let host = Fake::default();
        host.lists(&[], &["aa", "bb", "../x"])
            .on("GET /filetransfer/aa", 500, "");
        host.on("GET /filetransfer/bb", 200, &overview(UUID, "2026-03-25T11:30:00Z"));
        let inbox = look(&host, &settings(""), OWN, 50);
        assert_eq!((ids(&inbox), inbox.problems.len()), (vec!["bb"], 2));
    }

    #[test]
    fn when_altinn_is_down_the_look_ends_early() {
        let host = Fake::default();
        host.lists(&[], &["a", "b", "c", "d", "e", "f"]);
        for id in ["a", "b", "c", "d", "e"] {
            host.on(&format!("GET /filetransfer/{id}"), 503, "");
        }
        assert_eq!(look(&host, &settings(""), OWN, 50).problems.len(), MAX_FAILURES);
    }
}
