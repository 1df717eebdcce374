//! Looks in between: at a version that is being watched, at what has ended, at what waits for its time.

use budstikke_runtime::policy::Cause;
use jiff::{SignedDuration, Timestamp};

use super::{Due, Keeper, LOG, LOGS, LONGEST_PAUSE, Report, seconds};
use crate::journal::{Change, Stage};
use crate::launch;
use crate::notify::Event;
use crate::process;
use crate::soak;
use crate::target::Way;
use crate::trust::digest;

impl Keeper {
    /// A look in between: at what is being watched, at what has ended, at what waits for its time. Some: a run is due, or was made.
    pub async fn look(&mut self) -> Option<Due> {
        let now = Timestamp::now();
        let watched = self.journal.state().change.clone();
        if let Some(change) = watched.filter(|change| change.stage == Stage::Soaking) {
            let poll =
                SignedDuration::try_from(self.target.common().soak.poll).unwrap_or(SignedDuration::from_secs(10));
            // A clock that was set back must not stop the looks.
            let lately = self.looked.is_some_and(|at| now >= at && now.duration_since(at) < poll);
            if lately {
                return None;
            }
            self.looked = Some(now);
            return self.watch(&change, now).await.map(Due::Done);
        }
        if let Some(child) = &self.journal.state().child {
            if let Err(error) = process::rotate(&child.log, LOG, LOGS) {
                tracing::warn!(log = %child.log.display(), %error, "a long log cannot be put aside");
            }
            if self.target.common().keep_alive && !child.process.is_alive() {
                let ended = *self.ended.get_or_insert(now);
                let pause = SignedDuration::try_from(self.pause).unwrap_or(SignedDuration::ZERO);
                if now < ended || now.duration_since(ended) >= pause {
                    self.ended = None;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return Some(Due::Run(Cause::Ended));
                }
                return None;
            }
        }
        if self.again.is_some_and(|at| at <= now) {
            self.again = None;
            return Some(Due::Run(Cause::Schedule));
        }
        None
    }

    async fn watch(&mut self, change: &Change, now: Timestamp) -> Option<Report> {
        if let Err(reason) = self.is_well(change).await {
            self.say(&format!("{} does not last: {reason}", change.to));
            self.block(&change.to);
            self.fail(&reason);
            let log = self.log_of(&change.to, &Err(reason.clone()));
            self.tell(Event::Upgrade, false, &change.to, &reason, log);
            return Some(self.drive().await);
        }
        let looped = self.target.common().soak.loop_back.is_none()
            || self
                .journal
                .state()
                .change
                .as_ref()
                .is_some_and(|change| change.looped_back);
        if seconds(now) >= change.until && looped {
            let report = self.commit(change);
            self.say(&report.text);
            return Some(report);
        }
        None
    }

    async fn is_well(&mut self, change: &Change) -> Result<(), String> {
        let common = self.target.common();
        let (actuator, settings) = (common.actuator.clone(), common.soak.clone());
        let well = match self.target.way(&change.to) {
            Way::Program(_) => {
                let alive = self
                    .journal
                    .state()
                    .child
                    .as_ref()
                    .is_some_and(|child| child.process.is_alive());
                if !alive {
                    return Err("it has ended".into());
                }
                soak::well(&actuator).await
            }
            Way::Component(component) => {
                let wanted = digest::sha256(&component.file)
                    .map(hex::encode)
                    .map_err(|error| error.to_string())?;
                match launch::adapter(&actuator, &component.adapter).await {
                    Ok(found) if found == wanted => Ok(()),
                    Ok(_) => return Err("the integrasjonspunkt went back to another file by itself".into()),
                    Err(error) => Err(error.0),
                }
            }
        };
        let unwell = match &well {
            Ok(()) => 0,
            Err(_) => change.unwell + 1,
        };
        if unwell != change.unwell {
            self.journal.change(|state| {
                if let Some(change) = &mut state.change {
                    change.unwell = unwell;
                }
            });
        }
        if let Err(reason) = well {
            return if unwell >= settings.failures {
                Err(reason)
            } else {
                Ok(())
            };
        }
        if let Some(errors) = &settings.errors
            && let Some(rate) = soak::error_rate(&actuator, errors).await
        {
            soak::judge_rate(rate, change.error_rate, errors)?;
        }
        if let Some(message) = settings.loop_back.as_ref().filter(|_| !change.looped_back) {
            self.say("sending a message to see whether it is brought");
            soak::loop_back(&actuator, message).await?;
            self.journal.change(|state| {
                if let Some(change) = &mut state.change {
                    change.looped_back = true;
                }
            });
        }
        Ok(())
    }
}
