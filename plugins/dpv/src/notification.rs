//! What the receiver is told about a letter: by e-mail, by SMS, and again after some days.
//!
//! Spec: DPO and DPV, 4.5.

use budstikke_sdk::Failure;

use crate::message::{Wishes, given};
use crate::plain_text::characters;
use crate::settings::Settings;

/// Characters of a notification: an SMS takes the least, and both are always sent.
pub(crate) const LONGEST_TEXT: usize = 2144;

/// Characters of the subject of an e-mail.
pub(crate) const LONGEST_SUBJECT: usize = 512;

/// Stands for the sender's name.
const SENDER: &str = "$reporterName$";

/// What stood for the receiver's name in texts of old, and what Altinn knows now. Spec: DPO and DPV, 8, sharp edge 26.
const OLD_RECEIVER: &str = "$reporteeName$";
const RECEIVER: &str = "$correspondenceRecipientName$";

/// How the receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// By e-mail.
    Email,
    /// By SMS.
    Sms,
    /// Both ways.
    EmailAndSms,
}

impl Channel {
    /// Neither of them means both.
    pub(crate) fn from_flags(email: bool, sms: bool) -> Self {
        match (email, sms) {
            (true, false) => Self::Email,
            (false, true) => Self::Sms,
            (true, true) | (false, false) => Self::EmailAndSms,
        }
    }

    /// As the message wishes, else as the settings say.
    fn of(settings: &Settings, wishes: &Wishes) -> Self {
        match wishes.varsel_transport_type.as_deref() {
            Some("Epost") => Self::Email,
            Some("SMS") => Self::Sms,
            Some("EpostOgSMS") => Self::EmailAndSms,
            _ => settings.channel,
        }
    }

    /// As Altinn writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "Email",
            Self::Sms => "Sms",
            Self::EmailAndSms => "EmailAndSms",
        }
    }
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) channel: Channel,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) reminder: bool,
}

impl Notification {
    /// A permanent failure when the text is too long for Altinn.
    pub(crate) fn new(settings: &Settings, wishes: &Wishes, confidential: bool, sender: &str) -> Result<Self, Failure> {
        let text = template(settings, wishes, confidential)
            .replace(SENDER, sender)
            .replace(OLD_RECEIVER, RECEIVER);
        check_length(&text)?;
        Ok(Self {
            channel: Channel::of(settings, wishes),
            subject: settings.email_subject.clone(),
            text,
            reminder: wishes.varsel_type.as_deref() != Some("VarselDPVUtenRevarsel"),
        })
    }
}

/// Looks at the texts of a message before the sender's name stands in them.
pub(crate) fn check(wishes: &Wishes) -> Result<(), Failure> {
    for text in [&wishes.varsel_tekst, &wishes.taushetsbelagt_varsel_tekst] {
        check_length(text.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn template<'a>(settings: &'a Settings, wishes: &'a Wishes, confidential: bool) -> &'a str {
    let (own, usual) = if confidential {
        (
            &wishes.taushetsbelagt_varsel_tekst,
            &settings.sensitive_notification_text,
        )
    } else {
        (&wishes.varsel_tekst, &settings.notification_text)
    };
    given(own.as_ref()).unwrap_or(usual)
}

fn check_length(text: &str) -> Result<(), Failure> {
    if characters(text) > LONGEST_TEXT {
        let text = format!("the notification text has more than {LONGEST_TEXT} characters");
        return Err(Failure::permanent("notification-too-long", text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    fn text(settings: &Settings, wishes: &Wishes, confidential: bool) -> String {
        Notification::new(settings, wishes, confidential, "Etat A")
            .unwrap()
            .text
    }

    #[test]
    fn t18_the_channel_is_the_senders_wish_or_the_setting() {
        for (sms, email, channel) in [
            (false, false, Channel::EmailAndSms),
            (true, true, Channel::EmailAndSms),
            (true, false, Channel::Sms),
            (false, true, Channel::Email),
        ] {
            let settings = settings(&format!(r#","notify-sms":{sms},"notify-email":{email}"#));
            let wishes = Wishes::default();
            assert_eq!(Channel::of(&settings, &wishes), channel);
            let unknown = Wishes {
                varsel_transport_type: Some("Brevdue".to_owned()),
                ..Wishes::default()
            };
            assert_eq!(Channel::of(&settings, &unknown), channel);
            for (wish, wished) in [("Epost", "Email"), ("SMS", "Sms"), ("EpostOgSMS", "EmailAndSms")] {
                let wishes = Wishes {
                    varsel_transport_type: Some(wish.to_owned()),
                    ..Wishes::default()
                };
                assert_eq!(Channel::of(&settings, &wishes).name(), wished);
            }
        }
    }

    #[test]
    fn t18_there_is_a_reminder_unless_the_sender_wants_none() {
        for (wish, reminder) in [
            (None, true),
            (Some("VarselDPVMedRevarsel"), true),
            (Some("Nytt"), true),
            (Some("VarselDPVUtenRevarsel"), false),
        ] {
            let wishes = Wishes {
                varsel_type: wish.map(str::to_owned),
                ..Wishes::default()
            };
            let notification = Notification::new(&settings(""), &wishes, false, "Etat A").unwrap();
            assert_eq!(notification.reminder, reminder, "{wish:?}");
        }
    }

    #[test]
    fn t18_the_text_is_the_senders_or_the_setting_with_the_senders_name_in_it() {
        let settings = settings(r#","sensitive-notification-text":"Hysj fra $reporterName$""#);
        let wishes = |text: &str| Wishes {
            varsel_tekst: Some(text.to_owned()),
            taushetsbelagt_varsel_tekst: Some(format!("Hysj: {text}")),
            ..Wishes::default()
        };
        assert_eq!(
            text(&settings, &wishes("Melding fra $reporterName$"), false),
            "Melding fra Etat A"
        );
        assert_eq!(text(&settings, &wishes("$reporterName$"), true), "Hysj: Etat A");
        let usual = "$correspondenceRecipientName$: Du har mottatt en melding fra Etat A.";
        for blank in ["", "  "] {
            assert_eq!(text(&settings, &wishes(blank), false), usual);
        }
        assert_eq!(text(&settings, &Wishes::default(), false), usual);
        assert_eq!(text(&settings, &Wishes::default(), true), "Hysj fra Etat A");
    }

    #[test]
    fn the_receivers_name_in_an_old_text_is_one_that_altinn_knows() {
        let wishes = Wishes {
            varsel_tekst: Some("Til $reporteeName$ fra $reporterName$".to_owned()),
            ..Wishes::default()
        };
        assert_eq!(
            text(&settings(""), &wishes, false),
            "Til $correspondenceRecipientName$ fra Etat A"
        );
    }

    #[test]
    fn a_text_that_is_too_long_for_altinn_is_refused() {
        let wishes = |count| Wishes {
            varsel_tekst: Some("å".repeat(count)),
            ..Wishes::default()
        };
        assert!(check(&wishes(2144)).is_ok());
        assert_eq!(check(&wishes(2145)).unwrap_err().code(), Some("notification-too-long"));
        let with_name = Wishes {
            varsel_tekst: Some(format!("{}$reporterName$", "a".repeat(2130))),
            ..Wishes::default()
        };
        assert!(check(&with_name).is_ok());
        let sent = Notification::new(&settings(""), &with_name, false, "Etaten for lange navn");
        assert_eq!(sent.unwrap_err().code(), Some("notification-too-long"));
    }
}
