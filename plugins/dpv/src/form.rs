//! The form that Altinn takes a letter in: one part for each value, in this order, and then the files.
//!
//! Spec: DPO and DPV, 4.4 to 4.6.

use budstikke_sdk::Failure;
use budstikke_sdk::http::Multipart;

use crate::content::Content;
use crate::host::{Form, Host, Written};
use crate::identifier::{part_or_primary, recipient};
use crate::message::{Kind, Wishes, given};
use crate::moment::{Stamp, in_oslo};
use crate::notification::Notification;
use crate::plain_text::fitted;
use crate::settings::Settings;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Days that a date for the answer may lie ahead.
const FARTHEST: i64 = 36_500;

/// Seconds from now to the notification. Altinn sends it when it publishes; the value is what others send.
const NOTIFICATION_DELAY: u64 = 300;

/// All attachments have this reference; it tells nothing. Spec: DPO and DPV, 8, sharp edge 29.
const ATTACHMENT_REFERENCE: &str = "AttachmentReference_as123452";

/// For this process a person's reservation does not count.
const INFO_PROCESS: &str = "urn:no:difi:profile:digitalpost:info:ver1.0";

/// Characters of the sender's name.
const LONGEST_NAME: usize = 255;

/// A letter, ready to be written down.
pub(crate) struct Letter<'a, F> {
    pub(crate) kind: Kind,
    pub(crate) resource: &'a str,
    pub(crate) sender_name: &'a str,
    pub(crate) content: &'a Content,
    pub(crate) wishes: &'a Wishes,
    pub(crate) attachments: &'a [F],
}

impl<F> Letter<'_, F> {
    /// The form for Altinn.
    pub(crate) fn form<H: Host<File = F>>(
        &self,
        host: &H,
        settings: &Settings,
        message: &impl Written,
    ) -> Result<Form<'_, F>, Failure> {
        let boundary = host.uuid();
        let fields = self.fields(host, settings, message)?;
        let form = fields
            .into_iter()
            .fold(Multipart::new(boundary), |form, (name, value)| {
                form.typed(&name, "text/plain; charset=UTF-8", value.as_bytes())
            });
        let form = self.attachments.iter().fold(form, |form, file| {
            form.file("attachments", &host.name(file), "application/octet-stream", file)
        });
        Ok(Form {
            content_type: format!("multipart/form-data; boundary={}", form.boundary()),
            pieces: form.finish(),
        })
    }

    fn fields<H: Host<File = F>>(
        &self,
        host: &H,
        settings: &Settings,
        message: &impl Written,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut fields = Vec::new();
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        let now = in_oslo(host.now());
        let (id, sender) = (message.message_id(), message.sender());
        let confidential = self.resource == settings.sensitive_resource;
        let notification = Notification::new(settings, self.wishes, confidential, self.sender_name)?;

        add("correspondence.resourceId", self.resource);
        add("correspondence.sender", &sender);
        add("correspondence.sendersReference", &id);
        add("correspondence.messageSender", &fitted(self.sender_name, LONGEST_NAME));
        add("correspondence.content.language", "nb");
        add("correspondence.content.messageTitle", &self.content.title);
        if let Some(summary) = &self.content.summary {
            add("correspondence.content.messageSummary", summary);
        }
        add("correspondence.content.messageBody", &self.content.body);
        for (place, file) in self.attachments.iter().enumerate() {
            let name = host.name(file);
            let title = host.title(file);
            let of = |member: &str| format!("correspondence.content.attachments[{place}].{member}");
            add(&of("fileName"), &name);
            add(&of("displayName"), given(title.as_ref()).unwrap_or(&name));
            add(&of("isEncrypted"), "false");
            add(&of("sendersReference"), ATTACHMENT_REFERENCE);
        }
        add("correspondence.requestedPublishTime", &now.text());
        if let Some(due) = due(settings, self.wishes, now)? {
            add("correspondence.dueDateTime", &due.text());
        }
        add("correspondence.propertyList.senderOrgNumber", part_or_primary(&sender));
        let ignore_reservation = self.kind == Kind::DigitalDpv && message.process() == INFO_PROCESS;
        add("correspondence.ignoreReservation", flag(ignore_reservation));
        add("correspondence.isConfirmationNeeded", "false");
        add("correspondence.isConfidential", flag(confidential));
        notify(&notification, now, &mut add);
        add("recipients[0]", &recipient(&message.receiver())?);
        add("idempotentKey", &id);
        Ok(fields)
    }
}

fn notify(notification: &Notification, now: Stamp, add: &mut impl FnMut(&str, &str)) {
    let mut add = |member: &str, value: &str| add(&format!("correspondence.notification.{member}"), value);
    let (channel, text) = (notification.channel.name(), notification.text.as_str());
    add("notificationTemplate", "CustomMessage");
    add("notificationChannel", channel);
    add("requestedSendTime", &now.later(NOTIFICATION_DELAY).text());
    add("emailSubject", &notification.subject);
    add("emailContentType", "Plain");
    add("emailBody", text);
    add("smsBody", text);
    add("sendReminder", flag(notification.reminder));
    if notification.reminder {
        add("reminderNotificationChannel", channel);
        add("reminderEmailSubject", &notification.subject);
        add("reminderEmailContentType", "Plain");
        add("reminderEmailBody", text);
        add("reminderSmsBody", text);
    }
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// When an answer is due: the sender's days, none for 0 and less, else the setting's.
fn due(settings: &Settings, wishes: &Wishes, now: Stamp) -> Result<Option<Stamp>, Failure> {
    check_due(wishes)?;
    let days = match wishes.dager_til_svarfrist {
        Some(days) => u64::try_from(days).unwrap_or(0),
        None => settings.days_to_reply.map_or(0, u64::from),
    };
    Ok((days > 0).then(|| now.later(days * SECONDS_OF_A_DAY)))
}

/// Refuses a date that is no date any more.
pub(crate) fn check_due(wishes: &Wishes) -> Result<(), Failure> {
    if wishes.dager_til_svarfrist.is_some_and(|days| days > FARTHEST) {
        let text = format!("dagerTilSvarfrist is more than {FARTHEST} days");
        return Err(Failure::permanent("due-date", text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    #[test]
    fn t18_the_due_date_is_the_senders_or_the_settings() {
        let now = in_oslo(1_774_438_703);
        let day = |settings: &str, days| {
            let wishes = Wishes {
                dager_til_svarfrist: days,
                ..Wishes::default()
            };
            let due = due(&crate::testing::settings(settings), &wishes, now).unwrap();
            due.map(|due| due.text()[..10].to_owned())
        };
        assert_eq!(day("", Some(15)).as_deref(), Some("2026-04-09"));
        assert_eq!(day("", Some(0)), None);
        assert_eq!(day("", Some(-3)), None);
        assert_eq!(day("", None).as_deref(), Some("2026-04-01"));
        assert_eq!(day(r#","enable-due-date":false"#, None), None);
        assert_eq!(
            day(r#","enable-due-date":false"#, Some(1)).as_deref(),
            Some("2026-03-26")
        );
        assert_eq!(day(r#","days-to-reply":22"#, None).as_deref(), Some("2026-04-16"));
    }

    #[test]
    fn a_due_date_in_another_century_is_refused() {
        for (days, good) in [(36_500, true), (36_501, false), (i64::MAX, false), (i64::MIN, true)] {
            let wishes = Wishes {
                dager_til_svarfrist: Some(days),
                ..Wishes::default()
            };
            assert_eq!(due(&settings(""), &wishes, in_oslo(0)).is_ok(), good, "{days}");
        }
    }
}
