//! Finding facts out: from the question, the settings, own data, and last the outside registers.

use std::collections::BTreeSet;

use budstikke_message::identifier::ProcessId;

use super::error::LookupError;
use super::inquiry::Inquiry;
use crate::data::Process;
use crate::registers::ReceiverSystem;
use crate::rules::{Fact, Finding, Source};

const ELMA: &str = "ELMA";
const SVARUT: &str = "SvarUt";
const KRR: Source = Source::Register("KRR");
const FOLKEREGISTERET: &str = "Folkeregisteret";
const FIKS_IO: Source = Source::Register("the Fiks IO catalogue");

/// Finds out whether a fact holds. A register that cannot say is an error: nothing is guessed.
pub(super) async fn find(inquiry: &Inquiry<'_>, fact: &Fact, process: &Process) -> Result<Finding, LookupError> {
    let (holds, source) = match fact {
        Fact::Level(level) => (inquiry.query.level == Some(*level), Source::Question),
        Fact::Scope(list) => (has_scope(inquiry, list), Source::Question),
        Fact::ByProcess => (inquiry.by_process, Source::Question),
        Fact::Beta => (inquiry.query.beta, Source::Question),
        Fact::PrintWanted => (inquiry.query.print, Source::Question),
        Fact::Takes(name) => (process.document_types.iter().any(|of| of.fits(name)), Source::OwnData),
        Fact::Feature(name) => (
            !inquiry.directory.settings.features_off.contains(name),
            Source::Settings,
        ),
        Fact::NotificationObligatory => (obligatory(inquiry, process)?, Source::Settings),
        Fact::RegisteredForProcess => {
            let (registered, source) = registered(inquiry, process).await?;
            (registered.contains(&process.identifier), source)
        }
        Fact::RegisteredForAny => {
            let (registered, source) = registered(inquiry, process).await?;
            (!registered.is_empty(), source)
        }
        Fact::ReceiverSystemAtLevel => {
            let systems = inquiry.receiver_systems().await?;
            let used = inquiry.directory.registers.receiver_systems.is_some();
            (level_of(systems, inquiry.query.level).is_some(), outside(SVARUT, used))
        }
        Fact::Reserved => (inquiry.contact().await?.reserved, KRR),
        Fact::Notifiable => (inquiry.contact().await?.notifiable, KRR),
        Fact::Active => (inquiry.contact().await?.active, KRR),
        Fact::Mailbox => (inquiry.contact().await?.mailbox.is_some(), KRR),
        Fact::AddressKnown => address_known(inquiry).await?,
        Fact::Receives => (
            inquiry.account().await?.is_some_and(|account| account.receives),
            FIKS_IO,
        ),
    };
    Ok(Finding { holds, source })
}

fn outside(register: &'static str, used: bool) -> Source {
    if used {
        Source::Register(register)
    } else {
        Source::NotUsed(register)
    }
}

fn has_scope(inquiry: &Inquiry<'_>, list: &str) -> bool {
    let Some(caller) = inquiry.caller else { return false };
    inquiry
        .directory
        .rules
        .scopes(list)
        .any(|scope| caller.scopes.contains(scope))
}

/// A process that is in neither list has no safe answer: as information it would ignore a reservation.
fn obligatory(inquiry: &Inquiry<'_>, process: &Process) -> Result<bool, LookupError> {
    let settings = &inquiry.directory.settings;
    let name = &process.identifier;
    if settings.decisions.contains(name) {
        return Ok(true);
    }
    settings.information.contains(name).then_some(false).ok_or_else(|| {
        LookupError::not_set_up(format!(
            "the process {name} is listed neither as information nor as decisions"
        ))
    })
}

/// The processes that the receiver is registered for with a document type of this one. Spec: service registry, 5.1.
async fn registered(inquiry: &Inquiry<'_>, process: &Process) -> Result<(BTreeSet<ProcessId>, Source), LookupError> {
    if let Some(own) = inquiry.own().and_then(|own| own.registrations.as_ref()) {
        let akin = |other: &&ProcessId| {
            let types = inquiry.data.processes.get(*other).map(|other| &other.document_types);
            **other == process.identifier
                || types.is_some_and(|types| types.iter().any(|of| process.document_types.contains(of)))
        };
        return Ok((own.iter().filter(akin).cloned().collect(), Source::OwnData));
    }
    let all = inquiry.registrations().await?;
    let of_types = process.document_types.iter().filter_map(|of| all.get(of)).flatten();
    let used = inquiry.directory.registers.registrations.is_some();
    Ok((of_types.cloned().collect(), outside(ELMA, used)))
}

/// The level that letters are sent with. Spec: service registry, 6.4.
pub(super) fn level_of(systems: &[ReceiverSystem], asked: Option<u8>) -> Option<u8> {
    let levels = systems.iter().map(|system| system.level);
    match asked {
        Some(asked) => levels.into_iter().find(|level| *level == asked),
        None => levels.max(),
    }
}

/// Whom Folkeregisteret does not have is an error; whose address it keeps secret gets no letter.
async fn address_known(inquiry: &Inquiry<'_>) -> Result<(bool, Source), LookupError> {
    if inquiry.directory.registers.residents.is_none() {
        return Ok((false, Source::NotUsed(FOLKEREGISTERET)));
    }
    let resident = inquiry.resident().await?.ok_or(LookupError::UnknownResident)?;
    Ok((resident.address.is_some(), Source::Register(FOLKEREGISTERET)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_a_receiver_system() {
        let levels = |levels: &[u8]| {
            levels
                .iter()
                .map(|level| ReceiverSystem { level: *level })
                .collect::<Vec<_>>()
        };
        for (systems, asked, expected) in [
            (&[][..], None, None),
            (&[0], None, Some(0)),
            (&[3], Some(0), None),
            (&[3], Some(3), Some(3)),
            (&[3, 4], None, Some(4)),
            (&[4, 3], Some(3), Some(3)),
            (&[3], Some(4), None),
        ] {
            assert_eq!(level_of(&levels(systems), asked), expected, "{systems:?} {asked:?}");
        }
    }
}
