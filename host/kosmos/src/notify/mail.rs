//! By mail. Spec: KOSMOS, 12.

use lettre::message::{Mailbox, Message, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::Notice;
use crate::config::{Mail, MailTls};
use crate::http::told;

fn parameters(mail: &Mail) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(mail.host.clone());
    if let Some(file) = &mail.extra_authorities {
        let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| told(&error))?);
    }
    builder.build().map_err(|error| told(&error))
}

/// Sends a notice. An error says why the server has not taken it.
pub(super) async fn send(mail: &Mail, notice: &Notice) -> Result<(), String> {
    let address = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"));
    let message = Message::builder()
        .from(address(&mail.from)?)
        .to(address(&mail.to)?)
        .subject(notice.subject(mail.append_subject.as_deref()))
        .header(ContentType::TEXT_PLAIN)
        // A mail ends its last line by itself.
        .body(notice.log.trim_end_matches('\n').to_owned())
        .map_err(|error| told(&error))?;
    let (tls, port) = match mail.tls {
        MailTls::None => (Tls::None, 25),
        MailTls::Starttls => (Tls::Required(parameters(mail)?), 587),
        MailTls::Wrapped => (Tls::Wrapper(parameters(mail)?), 465),
    };
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
        .port(mail.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(mail.time));
    if let (Some(user), Some(password)) = (&mail.user, &mail.password) {
        server = server.credentials(Credentials::new(user.clone(), password.value()?));
    }
    // Each step has its time, and so has the whole.
    let sent = tokio::time::timeout(mail.time * 10, server.build().send(message)).await;
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(told(&error)),
        Err(_) => Err("the mail server does not come to an end".into()),
    }
}
