//! Look-ups: who a receiver is, and which service reaches it in which process. Spec: service registry, 3 and 5.
//!
//! Own data is asked first, then the outside registers. A register that cannot be asked is an error, never "not found" and never
//! another route. In an answer about all processes it costs the records that depend on it, and the answer says so.

mod answer;
mod asked;
mod certificate;
mod decision;
mod error;
mod facts;
mod inquiry;
mod receiver;
mod record;
mod settings;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use budstikke_message::identifier::{DocumentType, Identifier, OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;

pub use answer::{Answer, Explanation, LeftOut};
pub use error::LookupError;
pub use settings::{ServiceSettings, Services, Settings};

use crate::caller::{Caller, CallerToken};
use crate::data::{Process, Snapshot};
use crate::model::InfoRecord;
use crate::registers::Registers;
use crate::rules::{Chapter, ReceiverKind, Rules};
use decision::Decision;
use inquiry::Inquiry;
use receiver::Receiver;

/// Who is asked for, and what the caller wants to know.
#[derive(Debug, Clone)]
pub struct Query {
    /// The receiver.
    pub receiver: Identifier,
    /// Security level that the message needs.
    pub level: Option<u8>,
    /// Whether letters on paper are of interest; the address of a citizen is looked up only then.
    pub print: bool,
    /// Whether the caller takes part in trials.
    pub beta: bool,
}

impl Query {
    /// A question without a level, with letters on paper, without trials.
    pub fn about(receiver: Identifier) -> Self {
        Self {
            receiver,
            level: None,
            print: true,
            beta: false,
        }
    }
}

/// Everything that look-ups need.
pub struct Directory {
    /// Own data; replaced as a whole when something changes. Whoever keeps it holds the same.
    pub data: Arc<ArcSwap<Snapshot>>,
    /// Outside registers.
    pub registers: Registers,
    /// The rules.
    pub rules: Rules,
    /// Settings of services.
    pub services: Services,
    /// What the rules ask of the settings.
    pub settings: Settings,
}

/// What was found, before it is an answer.
struct Found {
    kind: ReceiverKind,
    info: InfoRecord,
    decisions: Vec<Decision>,
}

impl Directory {
    /// All records of a receiver. Those that cannot be made are left out, and listed.
    ///
    /// It is an error when nothing can be said at all: an unknown receiver, a register that is down and leaves no record, a scope
    /// that is missing. Spec: service registry, 3.2.
    pub async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Answer, LookupError> {
        whole(self.find(query, caller, None).await?).1
    }

    /// The records of a receiver for one process; at least one. What cannot be made is an error.
    /// Spec: service registry, 3.3.
    pub async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Answer, LookupError> {
        one(query, self.find(query, caller, Some(process)).await?).1
    }

    /// Who a receiver is. Registers that want to see the caller's token are shown this one. Spec: service registry, 3.4.
    pub async fn info(&self, query: &Query, token: &CallerToken) -> Result<InfoRecord, LookupError> {
        let receiver = Receiver::of(&query.receiver).ok_or_else(|| receiver::unknown(&query.receiver))?;
        receiver::info(&Inquiry::new(self, query, receiver, token, None)).await
    }

    /// The certificate of an organisation that a caller with these scopes may see. Spec: service registry, 3.5.
    pub async fn certificate(
        &self,
        number: &OrganisationNumber,
        scopes: &BTreeSet<String>,
    ) -> Result<Certificate, LookupError> {
        certificate::for_scopes(self, number, scopes).await
    }

    /// The same answer as [`Directory::process`], or [`Directory::identifier`] without a process, and how it came about. An error is one
    /// that comes before all rules; others are told in the explanation.
    pub async fn explain(
        &self,
        query: &Query,
        process: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<Explanation, LookupError> {
        let found = self.find(query, caller, process).await?;
        let left_out = left_out(&found.decisions);
        let (processes, answer) = match process {
            Some(_) => one(query, found),
            None => whole(found),
        };
        let error = answer.as_ref().err().map(ToString::to_string);
        Ok(Explanation {
            answer: answer.ok().map(Answer::into_lookup),
            error,
            left_out,
            processes,
        })
    }

    async fn find(&self, query: &Query, caller: &Caller, asked: Option<&ProcessId>) -> Result<Found, LookupError> {
        let receiver = Receiver::of(&query.receiver).ok_or_else(|| receiver::unknown(&query.receiver))?;
        let kind = receiver.kind();
        let mut inquiry = Inquiry::new(self, query, receiver, &caller.token, Some(caller));
        let info = receiver::info(&inquiry).await?;
        let data = Arc::clone(&inquiry.data);
        let processes = if let Some(process) = asked {
            vec![self.listed(kind, process, &data)?]
        } else {
            let all = self.rules.full_lookup(kind, &data).into_iter();
            all.map(|(chapter, process)| (Some(chapter), Cow::Borrowed(process)))
                .collect()
        };
        let types = processes.iter().flat_map(|(_, process)| &process.document_types);
        let types: BTreeSet<&DocumentType> = types.collect();
        inquiry.by_process = asked.is_some();
        inquiry.document_types = types.into_iter().cloned().collect();
        let mut decisions = Vec::with_capacity(processes.len());
        for (chapter, process) in &processes {
            decisions.push(decision::make(&inquiry, *chapter, process).await);
        }
        Ok(Found { kind, info, decisions })
    }

    /// A process of the table with its chapter, or, for receivers whose processes stand in no table, one of that name.
    fn listed<'a>(
        &'a self,
        kind: ReceiverKind,
        process: &ProcessId,
        data: &'a Snapshot,
    ) -> Result<(Option<&'a Chapter>, Cow<'a, Process>), LookupError> {
        let unlisted = self.rules.chapter_of_unlisted(kind);
        match (data.processes.get(process), unlisted) {
            (Some(row), _) => Ok((self.rules.chapter(kind, row), Cow::Borrowed(row))),
            (None, Some(chapter)) => Ok((Some(chapter), Cow::Owned(unlisted_process(process)))),
            (None, None) => Err(LookupError::UnknownProcess {
                process: process.clone(),
            }),
        }
    }
}

fn unlisted_process(name: &ProcessId) -> Process {
    Process {
        id: 0,
        identifier: name.clone(),
        service_code: None,
        service_edition_code: None,
        resource: None,
        category: String::new(),
        document_types: Vec::new(),
    }
}

fn left_out(decisions: &[Decision]) -> Vec<LeftOut> {
    let of_one = |decision: &Decision| {
        let process = decision.process.clone();
        let failures = decision.failures.clone().into_iter();
        failures.map(move |(service, error)| LeftOut {
            process: process.clone(),
            service,
            error,
        })
    };
    decisions.iter().flat_map(of_one).collect()
}

/// An answer about one process: nothing may be missing.
fn one(query: &Query, found: Found) -> (Vec<crate::rules::Trail>, Result<Answer, LookupError>) {
    let (mut trails, mut records) = (Vec::new(), Vec::new());
    let mut failure = None;
    let mut refused = None;
    for decision in found.decisions {
        failure = failure.or_else(|| decision.failures.into_iter().next().map(|(_, error)| error));
        refused = Some(decision.process);
        records.extend(decision.records);
        trails.push(decision.trail);
    }
    let answer = match (failure, refused) {
        (Some(error), _) => Err(error),
        (None, Some(process)) if records.is_empty() => Err(LookupError::NotAccepted {
            process,
            receiver: query.receiver.to_string(),
        }),
        _ => Ok(Answer {
            info: found.info,
            records,
            left_out: Vec::new(),
        }),
    };
    (trails, answer)
}

/// An answer about all processes: what cannot be made is left out. With nothing left, an empty list would say that the receiver takes
/// nothing; what nobody could find out, or the caller may not know, is an error then. Spec: service registry, 3.9.
fn whole(found: Found) -> (Vec<crate::rules::Trail>, Result<Answer, LookupError>) {
    let left_out = left_out(&found.decisions);
    let (mut trails, mut records) = (Vec::new(), Vec::new());
    for decision in found.decisions {
        records.extend(decision.records);
        trails.push(decision.trail);
    }
    for LeftOut {
        process,
        service,
        error,
    } in &left_out
    {
        let service = service.as_deref().unwrap_or("-");
        tracing::warn!(%process, service, why = %error, "a record is left out of an answer");
    }
    if records.is_empty()
        && let Some(error) = nothing_left(found.kind, &left_out)
    {
        return (trails, Err(error));
    }
    let answer = Answer {
        info: found.info,
        records,
        left_out,
    };
    (trails, Ok(answer))
}

fn nothing_left(kind: ReceiverKind, left_out: &[LeftOut]) -> Option<LookupError> {
    use LookupError as E;
    let person = kind == ReceiverKind::Person;
    let errors = || left_out.iter().map(|left_out| &left_out.error);
    let decisive = |error: &&LookupError| match error {
        E::RegisterUnavailable { .. }
        | E::RegisterDenied { .. }
        | E::RegisterUnusable { .. }
        | E::NotSetUp { .. }
        | E::ScopeMissing { .. } => true,
        E::RegisterRejected { .. } => !person,
        _ => false,
    };
    if let Some(error) = errors().find(decisive) {
        return Some(error.clone());
    }
    if !person {
        return None;
    }
    Some(match errors().next()? {
        E::RegisterRejected { .. } | E::UnknownResident => E::NoRecordForCitizen,
        other => other.clone(),
    })
}
