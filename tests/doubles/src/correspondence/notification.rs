//! The notification that goes with a letter (Spec: DPO and DPV, 4.5).

use super::form::{Faults, Form};
use super::problem::{
    NO_EMAIL, NO_EMAIL_AND_SMS, NO_REMINDER_EMAIL, NO_REMINDER_EMAIL_AND_SMS, NO_REMINDER_SMS, NO_SMS, Problem,
};

const LONGEST_SUBJECT: usize = 512;
const LONGEST_EMAIL: usize = 10_000;
const LONGEST_SMS: usize = 2144;

/// The channels that the stand-in knows; the preferred ones need all texts too.
const CHANNELS: [&str; 5] = ["Email", "Sms", "EmailAndSms", "EmailPreferred", "SmsPreferred"];
const TEMPLATES: [&str; 3] = ["CustomMessage", "GenericAltinnMessage", "Altinn2Message"];

fn field(member: &str) -> String {
    format!("correspondence.notification.{member}")
}

/// A member that must be one of some words, when it is there.
fn word<'a>(form: &Form, faults: &mut Faults, member: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = form.text(&field(member))?;
    let found = known.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
    if found.is_none() {
        faults.add(&field(member), "The value is not known");
    }
    found
}

/// Checks what can be checked without the rest of the letter.
pub(crate) fn check(form: &Form, faults: &mut Faults) {
    if !is_there(form) {
        return;
    }
    word(form, faults, "notificationTemplate", &TEMPLATES);
    if word(form, faults, "notificationChannel", &CHANNELS).is_none() {
        faults.add(&field("notificationChannel"), "The field is required");
    }
    word(form, faults, "reminderNotificationChannel", &CHANNELS);
    for member in ["emailContentType", "reminderEmailContentType"] {
        word(form, faults, member, &["Plain", "Html"]);
    }
    for (member, longest) in [
        ("emailSubject", LONGEST_SUBJECT),
        ("reminderEmailSubject", LONGEST_SUBJECT),
        ("emailBody", LONGEST_EMAIL),
        ("reminderEmailBody", LONGEST_EMAIL),
        ("smsBody", LONGEST_SMS),
        ("reminderSmsBody", LONGEST_SMS),
    ] {
        form.optional(faults, &field(member), longest);
    }
    form.flag(faults, &field("sendReminder"));
    form.time(faults, &field("requestedSendTime"));
}

/// Checks that the channels have their texts.
pub(crate) fn texts(form: &Form) -> Result<(), Problem> {
    let custom = word(form, &mut Faults::default(), "notificationTemplate", &TEMPLATES);
    if !is_there(form) || !matches!(custom, None | Some("CustomMessage")) {
        return Ok(());
    }
    let given = |member: &str| form.text(&field(member)).is_some();
    let channel = word(form, &mut Faults::default(), "notificationChannel", &CHANNELS);
    let email = given("emailSubject") && given("emailBody");
    match channel {
        Some("Email") if !email => return Err(NO_EMAIL.into()),
        Some("Sms") if !given("smsBody") => return Err(NO_SMS.into()),
        Some("EmailAndSms" | "EmailPreferred" | "SmsPreferred") if !(email && given("smsBody")) => {
            return Err(NO_EMAIL_AND_SMS.into());
        }
        _ => {}
    }
    if !form.flag(&mut Faults::default(), &field("sendReminder")) {
        return Ok(());
    }
    let email = given("reminderEmailSubject") && given("reminderEmailBody");
    let reminder = word(form, &mut Faults::default(), "reminderNotificationChannel", &CHANNELS).or(channel);
    match reminder {
        Some("Email") if !email => Err(NO_REMINDER_EMAIL.into()),
        Some("Sms") if !given("reminderSmsBody") => Err(NO_REMINDER_SMS.into()),
        Some("EmailAndSms" | "EmailPreferred" | "SmsPreferred") if !(email && given("reminderSmsBody")) => {
            Err(NO_REMINDER_EMAIL_AND_SMS.into())
        }
        _ => Ok(()),
    }
}

fn is_there(form: &Form) -> bool {
    let prefix = field("");
    form.fields.iter().any(|(name, _)| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&prefix))
    })
}
