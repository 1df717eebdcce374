//! Everything that Altinn checks about an upload, in Altinn's order.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::configuration::RecipientState;
use super::form::{Faults, Form};
use super::problem::{
    DUE_BEFORE_PUBLISHING, DUE_IN_THE_PAST, KEY, KEY_FOR_MANY, KEY_USED, MUST_BE_CONFIDENTIAL,
    MUST_NOT_BE_CONFIDENTIAL, Problem, RECIPIENT_TWICE, RESERVED, UNKNOWN_RECIPIENT, UNKNOWN_RESOURCE, WITHOUT_ROLES,
};
use super::shelf::Correspondences;
use super::{content, notification};

const LONGEST_LINE: usize = 255;
const LONGEST_REFERENCE: usize = 4096;
const MOST_PROPERTIES: usize = 10;
const LONGEST_PROPERTY_KEY: usize = 50;
const LONGEST_PROPERTY_VALUE: usize = 300;

const PERSON: &str = "urn:altinn:person:identifier-no:";
const ORGANISATION: &str = "urn:altinn:organization:identifier-no:";

/// An upload that passed.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) resource: String,
    pub(crate) senders_reference: String,
    pub(crate) key: Option<Uuid>,
    pub(crate) recipients: Vec<String>,
    pub(crate) publish: Option<Timestamp>,
    /// For each announced file the place of its part.
    pub(crate) files: Vec<usize>,
}

pub(crate) fn check(form: &Form, shelf: &Correspondences) -> Result<Accepted, Problem> {
    let mut faults = Faults::default();
    let resource = form.required(&mut faults, "correspondence.resourceId", LONGEST_LINE);
    let senders_reference = form.required(&mut faults, "correspondence.sendersReference", LONGEST_REFERENCE);
    form.optional(&mut faults, "correspondence.messageSender", LONGEST_LINE);
    let publish = form.time(&mut faults, "correspondence.requestedPublishTime");
    let due = form.time(&mut faults, "correspondence.dueDateTime");
    let confidential = form.flag(&mut faults, "correspondence.isConfidential");
    let ignore_reservation = form.flag(&mut faults, "correspondence.ignoreReservation");
    form.flag(&mut faults, "correspondence.isConfirmationNeeded");
    properties(form, &mut faults);
    let announced = content::announced(form, &mut faults);
    notification::check(form, &mut faults);
    let recipients = recipients(form, &mut faults);
    faults.none()?;

    let key = key(form, &recipients)?;
    if key.is_some_and(|key| shelf.was_used(key)) {
        return Err(KEY_USED.into());
    }
    let known = shelf.config.resources.iter().find(|known| known.id == resource);
    match known.map(|known| known.confidential) {
        None => return Err(UNKNOWN_RESOURCE.into()),
        Some(true) if !confidential => return Err(MUST_BE_CONFIDENTIAL.into()),
        Some(false) if confidential => return Err(MUST_NOT_BE_CONFIDENTIAL.into()),
        Some(_) => {}
    }
    if recipients.iter().collect::<HashSet<_>>().len() < recipients.len() {
        return Err(RECIPIENT_TWICE.into());
    }
    for recipient in &recipients {
        let refused = |error| Err(Problem::Recipient(error, recipient.clone()));
        match shelf.state_of(recipient) {
            RecipientState::Unknown => return refused(UNKNOWN_RECIPIENT),
            RecipientState::WithoutRoles if confidential => return refused(WITHOUT_ROLES),
            RecipientState::Reserved if !ignore_reservation => return refused(RESERVED),
            _ => {}
        }
    }
    if let Some(due) = due {
        if due < Timestamp::now() {
            return Err(DUE_IN_THE_PAST.into());
        }
        if publish.is_some_and(|publish| due < publish) {
            return Err(DUE_BEFORE_PUBLISHING.into());
        }
    }
    content::texts(form)?;
    let files = content::files(form, &announced, shelf.config.max_file)?;
    notification::texts(form)?;
    Ok(Accepted {
        resource,
        senders_reference,
        key,
        recipients,
        publish,
        files,
    })
}

fn key(form: &Form, recipients: &[String]) -> Result<Option<Uuid>, Problem> {
    let Some(text) = form.text("idempotentKey") else {
        return Ok(None);
    };
    let key = Uuid::try_parse(text).ok().filter(|key| !key.is_nil()).ok_or(KEY)?;
    if recipients.len() > 1 {
        return Err(KEY_FOR_MANY.into());
    }
    Ok(Some(key))
}

fn recipients(form: &Form, faults: &mut Faults) -> Vec<String> {
    let named = form.list("recipients");
    if named.is_empty() {
        faults.add("recipients", "At least one recipient is needed");
    }
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    for recipient in &named {
        let person = recipient.strip_prefix(PERSON).is_some_and(|number| digits(number, 11));
        let organisation = recipient
            .strip_prefix(ORGANISATION)
            .is_some_and(|number| digits(number, 9));
        if !(person || organisation) {
            faults.add(
                "recipients",
                "A recipient is a URN with an organisation or person number",
            );
        }
    }
    named
}

fn properties(form: &Form, faults: &mut Faults) {
    let prefix = "correspondence.propertylist.";
    let mut count = 0;
    for (name, value) in &form.fields {
        let lower = name.to_lowercase();
        let Some(key) = lower.strip_prefix(prefix) else {
            continue;
        };
        count += 1;
        if key.chars().count() > LONGEST_PROPERTY_KEY || value.chars().count() > LONGEST_PROPERTY_VALUE {
            faults.add(name, "A property is too long");
        }
    }
    if count > MOST_PROPERTIES {
        faults.add("correspondence.propertyList", "There can be at most 10 properties");
    }
}
