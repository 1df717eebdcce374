//! By HTTP: the notice as JSON, signed when there is a secret.

use aws_lc_rs::hmac;
use jiff::Timestamp;
use reqwest::Client;
use reqwest::redirect::Policy;

use super::Notice;
use crate::config::Webhook;
use crate::http::told;

/// Posts a notice. An error says why it was not taken.
pub(super) async fn post(webhook: &Webhook, notice: &Notice) -> Result<(), String> {
    let client = Client::builder().redirect(Policy::none()).timeout(webhook.time).build();
    let client = client.map_err(|error| told(&error))?;
    let body = serde_json::to_vec(notice).map_err(|error| error.to_string())?;
    let mut request = client.post(&webhook.url).header("content-type", "application/json");
    if let Some(secret) = &webhook.secret {
        request = request.header("budstikke-signature", signature(&secret.value()?, &body));
    }
    let answer = request
        .body(body)
        .send()
        .await
        .map_err(|error| told(&error.without_url()))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("answered {}", answer.status()))
    }
}

/// The same form as that of status events: `t=<seconds>,v1=<HMAC-SHA256 of "seconds.body">`.
fn signature(secret: &str, body: &[u8]) -> String {
    let at = Timestamp::now().as_second();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{at}.").as_bytes());
    context.update(body);
    format!("t={at},v1={}", hex::encode(context.sign()))
}
