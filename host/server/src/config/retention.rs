//! `[[retention]]`: how long what is over is kept.

use std::fmt;

use budstikke_message::status::Status;
use budstikke_store::{Direction, Removes, RetentionRule};
use serde::Deserialize;

/// Days that the content of a message that could not be sent is kept when no rule says otherwise.
const GIVEN_UP_DAYS: u32 = 30;
/// Days that what was set aside is kept when no rule says otherwise.
const SET_ASIDE_DAYS: u32 = 90;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// A hundred years: longer is never.
const LONGEST: u32 = 36_500;

/// `[[retention]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retention {
    /// What is removed.
    pub remove: Remove,
    /// Days since it last changed.
    pub days: u32,
    /// Only of one direction.
    pub direction: Option<Way>,
    /// Only of these services.
    #[serde(default)]
    pub services: Vec<String>,
    /// Only of these processes.
    #[serde(default)]
    pub processes: Vec<String>,
    /// Only conversations that ended with one of these.
    #[serde(default)]
    pub statuses: Vec<Status>,
}

/// What a rule removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remove {
    /// Finished conversations, with all that belongs to them.
    Conversation,
    /// Key and files of messages that could not be sent, or that nobody took.
    Content,
    /// What came from a service and was no message.
    SetAside,
}

/// Which way a message goes, from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Sent by our fagsystem.
    Outgoing,
    /// Received for our fagsystem.
    Incoming,
}

impl Retention {
    /// What is wrong with the rule: the key, and why.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(1..=LONGEST).contains(&self.days) {
            faults.push(("days", format!("must be from 1 to {LONGEST}")));
        }
        if let Some(status) = self.statuses.iter().find(|status| !status.finished()) {
            let ends: Vec<&str> = Status::all().filter(|one| one.finished()).map(Status::name).collect();
            let text = format!("{status} ends no conversation; those that do are {}", ends.join(", "));
            faults.push(("statuses", text));
        }
        let meaningless: &[(&str, bool)] = match self.remove {
            Remove::Conversation => &[],
            Remove::Content => &[("statuses", !self.statuses.is_empty())],
            Remove::SetAside => &[
                ("statuses", !self.statuses.is_empty()),
                ("processes", !self.processes.is_empty()),
                ("direction", self.direction.is_some()),
            ],
        };
        for (key, _) in meaningless.iter().filter(|(_, given)| *given) {
            faults.push((key, format!("means nothing for {}: leave it out", self.remove)));
        }
        faults
    }

    fn rules(&self) -> impl Iterator<Item = RetentionRule> {
        let removes: &[Removes] = match (self.remove, self.direction) {
            (Remove::Conversation, _) => &[Removes::Conversations],
            (Remove::Content, Some(Way::Outgoing)) => &[Removes::GivenUp],
            (Remove::Content, Some(Way::Incoming)) => &[Removes::NotTaken],
            (Remove::Content, None) => &[Removes::GivenUp, Removes::NotTaken],
            (Remove::SetAside, _) => &[Removes::SetAside],
        };
        removes.iter().map(|removes| RetentionRule {
            removes: *removes,
            direction: self.direction.map(|way| match way {
                Way::Outgoing => Direction::Outgoing,
                Way::Incoming => Direction::Incoming,
            }),
            services: self.services.clone(),
            processes: self.processes.clone(),
            statuses: self.statuses.clone(),
            age: i64::from(self.days) * DAY,
        })
    }
}

/// The rules in force: those of the file, and for what could not be sent and what was set aside those that hold without any.
pub fn in_force(given: &[Retention]) -> Vec<RetentionRule> {
    let mut rules: Vec<RetentionRule> = given.iter().flat_map(Retention::rules).collect();
    for (removes, days) in [(Removes::GivenUp, GIVEN_UP_DAYS), (Removes::SetAside, SET_ASIDE_DAYS)] {
        if !rules.iter().any(|rule| rule.removes == removes) {
            rules.push(RetentionRule {
                removes,
                direction: None,
                services: Vec::new(),
                processes: Vec::new(),
                statuses: Vec::new(),
                age: i64::from(days) * DAY,
            });
        }
    }
    rules
}

/// A rule in words.
pub fn told(rule: &RetentionRule) -> String {
    let what = match rule.removes {
        Removes::Conversations => "finished conversations",
        Removes::GivenUp => "content of messages that could not be sent",
        Removes::NotTaken => "content of messages that nobody took",
        Removes::SetAside => "what was set aside",
    };
    let mut of: Vec<String> = rule
        .direction
        .map(|direction| direction.as_str().to_lowercase())
        .into_iter()
        .collect();
    of.extend([rule.services.join(", "), rule.processes.join(", ")]);
    of.push(
        rule.statuses
            .iter()
            .map(Status::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    );
    of.retain(|part| !part.is_empty());
    let of = if of.is_empty() {
        String::new()
    } else {
        format!(" ({})", of.join("; "))
    };
    format!("{what}{of}: removed {} days after the last change", rule.age / DAY)
}

impl fmt::Display for Remove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conversation => "\"conversation\"",
            Self::Content => "\"content\"",
            Self::SetAside => "\"set-aside\"",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Retention {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn without_rules_conversations_stay_and_the_rest_goes_after_a_while() {
        let told: Vec<String> = in_force(&[]).iter().map(told).collect();
        assert_eq!(
            told,
            [
                "content of messages that could not be sent: removed 30 days after the last change",
                "what was set aside: removed 90 days after the last change"
            ]
        );
    }

    #[test]
    fn a_rule_takes_the_place_of_the_one_that_holds_without_any() {
        let rules = in_force(&[rule("remove = \"content\"\ndays = 7\nservices = [\"DPO\"]")]);
        let told: Vec<String> = rules.iter().map(told).collect();
        assert_eq!(
            told,
            [
                "content of messages that could not be sent (DPO): removed 7 days after the last change",
                "content of messages that nobody took (DPO): removed 7 days after the last change",
                "what was set aside: removed 90 days after the last change"
            ]
        );
    }

    #[test]
    fn a_rule_in_words_says_what_it_asks_for() {
        let text = "remove = \"conversation\"\ndays = 365\ndirection = \"outgoing\"\nservices = [\"DPO\", \"DPV\"]\n\
                    statuses = [\"LEVERT\", \"LEST\"]";
        let rules = in_force(&[rule(text)]);
        assert_eq!(
            told(&rules[0]),
            "finished conversations (outgoing; DPO, DPV; LEVERT, LEST): removed 365 days after the last change"
        );
    }

    #[test]
    fn what_a_rule_cannot_mean_is_a_fault() {
        let faults = |text: &str| rule(text).faults();
        assert_eq!(faults("remove = \"set-aside\"\ndays = 1"), []);
        assert_eq!(faults("remove = \"conversation\"\ndays = 0")[0].0, "days");
        let (key, why) = &faults("remove = \"conversation\"\ndays = 1\nstatuses = [\"SENDT\"]")[0];
        assert_eq!(*key, "statuses");
        assert!(
            why.starts_with("SENDT ends no conversation; those that do are LEVERT, LEST"),
            "{why}"
        );
        let text = "remove = \"content\"\ndays = 1\nstatuses = [\"FEIL\"]";
        assert_eq!(
            faults(text),
            [("statuses", "means nothing for \"content\": leave it out".to_owned())]
        );
        let text = "remove = \"set-aside\"\ndays = 1\ndirection = \"incoming\"\nprocesses = [\"p\"]";
        let keys: Vec<&str> = faults(text).iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["processes", "direction"]);
    }
}
