//! Which way a message goes: what the registry offers, then the operator's `[[routing]]`, first to last. [`decide`] asks nobody and
//! changes nothing, so the same question has the same answer on a desk and in production. [`kept`] is what stays of it.

mod kept;

use crate::config::RoutingRule;
use crate::registry::Capability;

pub use kept::{Kept, told};

/// The operator's decisions, and the adapters that they can name.
#[derive(Debug, Default)]
pub struct Rules {
    rows: Vec<RoutingRule>,
    /// Names of the adapters in use with their services, in the order of the TOML.
    adapters: Vec<(String, Vec<String>)>,
}

impl Rules {
    /// `[[routing]]`, and what `[adapters]` serve.
    pub fn new(rows: Vec<RoutingRule>, adapters: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        Self {
            rows,
            adapters: adapters.into_iter().collect(),
        }
    }

    /// The adapter that serves a service here.
    fn adapter_of(&self, service: &str) -> Option<&str> {
        let serves = |(_, services): &&(String, Vec<String>)| services.iter().any(|served| served == service);
        self.adapters.iter().find(serves).map(|(name, _)| name.as_str())
    }

    /// The version of the adapter that a message over a service must go by: `sha256:…`, of the first rule that pins one.
    pub fn pinned_version(&self, request: &Request<'_>, service: &str) -> Option<&str> {
        let adapter = self.adapter_of(service)?;
        self.rows
            .iter()
            .filter(|row| row.pin.as_deref() == Some(adapter) && holds(row, request, Some(service)))
            .find_map(|row| row.pin_digest.as_deref())
    }
}

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Process.
    pub process: &'a str,
    /// Bare; none for a message without a receiver. Never in a trail: it can be a person number.
    pub receiver: Option<&'a str>,
    /// The SBD's `standard`; none: any.
    pub document_type: Option<&'a str>,
}

/// Which way, and why.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What the receiver takes it over; none: there is no way.
    pub capability: Option<Capability>,
    /// The adapter that serves it here; none: the service is not used here.
    pub adapter: Option<String>,
    /// Each step in words, in order. Without person data.
    pub trail: Vec<String>,
}

/// Chooses among the capabilities of a receiver, best first.
pub fn decide(capabilities: &[Capability], rules: &Rules, request: &Request<'_>) -> Decision {
    let mut trail = vec![format!(
        "The registry offers {} in the process {}.",
        listed(capabilities),
        request.process
    )];
    let mut ways: Vec<&Capability> = capabilities.iter().filter(|one| takes(one, request)).collect();
    if ways.len() < capabilities.len() {
        let text = format!(
            "{} of them take the document type {}: {}.",
            ways.len(),
            request.document_type.unwrap_or("any"),
            named(&ways)
        );
        trail.push(text);
    }
    for (number, row) in rules.rows.iter().enumerate() {
        let head = ways.first().map(|way| way.service.as_str());
        if ways.is_empty() || !holds(row, request, head) {
            continue;
        }
        let step = apply(row, rules, &mut ways);
        trail.push(format!("Rule {} {step}. Its reason: {}", number + 1, row.reason.trim()));
    }
    let chosen = ways.first().copied().cloned();
    let adapter = chosen.as_ref().and_then(|way| rules.adapter_of(&way.service));
    trail.push(match (&chosen, adapter) {
        (None, _) => "There is no way left.".to_owned(),
        (Some(way), None) => format!("{} is chosen, which no adapter serves here.", way.service),
        (Some(way), Some(adapter)) => format!("{} is chosen, by the adapter {adapter}.", way.service),
    });
    if let Some(version) = chosen
        .as_ref()
        .and_then(|way| rules.pinned_version(request, &way.service))
    {
        trail.push(format!("It waits for the version {version} of the adapter."));
    }
    Decision {
        adapter: adapter.map(str::to_owned),
        capability: chosen,
        trail,
    }
}

fn takes(capability: &Capability, request: &Request<'_>) -> bool {
    request
        .document_type
        .is_none_or(|wanted| capability.document_types.iter().any(|one| one == wanted))
}

/// Whether all conditions of a rule hold. `service`: what the message would go over so far.
fn holds(row: &RoutingRule, request: &Request<'_>, service: Option<&str>) -> bool {
    [
        (&row.process, Some(request.process)),
        (&row.receiver, request.receiver),
        (&row.document_type, request.document_type),
        (&row.service, service),
    ]
    .into_iter()
    .all(|(pattern, value)| {
        pattern
            .as_deref()
            .is_none_or(|pattern| value.is_some_and(|value| fits(pattern, value)))
    })
}

fn fits(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => value == pattern,
    }
}

/// Does what a rule says; tells it as the end of a sentence.
fn apply(row: &RoutingRule, rules: &Rules, ways: &mut Vec<&Capability>) -> String {
    if let Some(service) = &row.forbid {
        ways.retain(|way| way.service != *service);
        return format!("forbids {service}; left: {}", named(ways));
    }
    if let Some(service) = &row.prefer {
        let Some(place) = ways.iter().position(|way| way.service == *service) else {
            return format!("prefers {service}, which the receiver does not take");
        };
        let preferred = ways.remove(place);
        ways.insert(0, preferred);
        return format!("prefers {service}");
    }
    let adapter = row.pin.as_deref().unwrap_or_default();
    ways.retain(|way| rules.adapter_of(&way.service) == Some(adapter));
    format!("allows the adapter {adapter} only; left: {}", named(ways))
}

fn listed(capabilities: &[Capability]) -> String {
    match capabilities {
        [] => "no way".to_owned(),
        [one] => format!("one way ({})", one.service),
        more => {
            let ways: Vec<&Capability> = more.iter().collect();
            format!("{} ways ({})", more.len(), named(&ways))
        }
    }
}

fn named(ways: &[&Capability]) -> String {
    if ways.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = ways.iter().map(|way| way.service.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
