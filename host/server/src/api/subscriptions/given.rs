//! A subscription as a client writes it, and its rules. Spec: messaging API, 9.

use std::borrow::Cow;

use budstikke_message::violation::{Violation, code};
use budstikke_store::{EventFilter, NewSubscription, SubscriptionChange};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::error::{ApiError, ApiResult, kind};
use crate::webhooks::{SigningSecret, Webhooks};

/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=255;

/// A member that is read; others are ignored.
struct Member {
    name: &'static str,
    required: bool,
    /// What it may be; empty: it has another rule.
    values: &'static [&'static str],
    about: &'static str,
}

const fn member(name: &'static str, required: bool, values: &'static [&'static str], about: &'static str) -> Member {
    Member {
        name,
        required,
        values,
        about,
    }
}

#[rustfmt::skip]
const MEMBERS: [Member; 6] = [
    member("name", true, &[], "Your name for it, 1 to 255 characters. Unique together with the endpoint."),
    member("pushEndpoint", true, &[], "URL with http or https and without a password that events are posted to."),
    member("resource", true, &["all", "messages"], "What events are about."),
    member("event", true, &["all", "status"], "Which events."),
    member("filter", false, &[], "`name=value[,value…]` joined by `&`, with the names `status`, `serviceIdentifier` and \
        `direction`. All of them must match. Default: every event."),
    member("signingSecret", false, &[], "What events are signed with: 16 to 256 printable ASCII characters. Never shown."),
];

fn schema(whole: bool) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new();
    for member in &MEMBERS {
        let mut text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(member.about));
        if !member.values.is_empty() {
            text = text.enum_values(Some(member.values.iter().copied()));
        }
        if member.name == "signingSecret" {
            text = text.write_only(Some(true));
        }
        object = object.property(member.name, text);
        if whole && member.required {
            object = object.required(member.name);
        }
    }
    object.into()
}

/// In the description: a subscription to store.
pub(super) enum Whole {}

impl PartialSchema for Whole {
    fn schema() -> RefOr<Schema> {
        schema(true)
    }
}

impl ToSchema for Whole {
    fn name() -> Cow<'static, str> {
        "NewSubscription".into()
    }
}

/// In the description: what is to become different.
pub(super) enum Change {}

impl PartialSchema for Change {
    fn schema() -> RefOr<Schema> {
        schema(false)
    }
}

impl ToSchema for Change {
    fn name() -> Cow<'static, str> {
        "SubscriptionChange".into()
    }
}

/// The members that are there and not null.
pub(super) struct Given(Map<String, Value>);

impl Given {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> ApiResult<Self> {
        let unreadable = |text: String| ApiError::new(kind::NOT_READABLE, text);
        let value = serde_json::from_slice(body).map_err(|error| {
            unreadable(format!(
                "The body is no JSON: line {}, column {}.",
                error.line(),
                error.column()
            ))
        })?;
        let Value::Object(mut members) = value else {
            return Err(unreadable("The body must be a JSON object.".into()));
        };
        members.retain(|name, value| MEMBERS.iter().any(|member| member.name == name) && !value.is_null());
        let other_types: Vec<Violation> = members
            .iter()
            .filter(|(_, value)| !value.is_string())
            .map(|(name, _)| Violation::new(name.as_str(), code::TYPE_MISMATCH, "must be a text"))
            .collect();
        if other_types.is_empty() {
            Ok(Self(members))
        } else {
            Err(broken(&other_types))
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The secret that the client chose, if any.
    pub(super) fn signing_secret(&self) -> ApiResult<Option<SigningSecret>> {
        let chosen = self.text("signingSecret").map(SigningSecret::given).transpose();
        // Without the value: errors end in logs.
        chosen.map_err(|error| broken(&[Violation::new("signingSecret", code::SIZE, error.to_string())]))
    }

    /// A whole subscription.
    pub(super) fn complete(&self, webhooks: &Webhooks, secret: Vec<u8>) -> ApiResult<NewSubscription> {
        let missing = MEMBERS
            .iter()
            .filter(|member| member.required && self.text(member.name).is_none())
            .map(|member| Violation::missing(member.name));
        let mut violations: Vec<Violation> = missing.collect();
        let filter = self.checked(webhooks, &mut violations);
        if !violations.is_empty() {
            return Err(broken(&violations));
        }
        let text = |name| self.text(name).unwrap_or_default().to_owned();
        Ok(NewSubscription {
            name: text("name"),
            push_endpoint: text("pushEndpoint"),
            resource: text("resource"),
            event: text("event"),
            filter,
            secret,
        })
    }

    /// What is to become different.
    pub(super) fn change(&self, webhooks: &Webhooks, secret: Option<Vec<u8>>) -> ApiResult<SubscriptionChange> {
        let mut violations = Vec::new();
        let filter = self.checked(webhooks, &mut violations);
        if !violations.is_empty() {
            return Err(broken(&violations));
        }
        let text = |name| self.text(name).map(str::to_owned);
        Ok(SubscriptionChange {
            name: text("name"),
            push_endpoint: text("pushEndpoint"),
            resource: text("resource"),
            event: text("event"),
            filter,
            secret,
        })
    }

    /// Holds what is there against the rules; gives the filter.
    fn checked(&self, webhooks: &Webhooks, violations: &mut Vec<Violation>) -> Option<EventFilter> {
        if let Some(name) = self.text("name")
            && !NAME.contains(&name.chars().count())
        {
            let text = format!("must be {} to {} characters", NAME.start(), NAME.end());
            violations.push(Violation::new("name", code::SIZE, text).rejecting(name));
        }
        if let Some(url) = self.text("pushEndpoint")
            && let Err(refused) = webhooks.endpoint(url)
        {
            // Without the value, which may hold a password.
            violations.push(Violation::new("pushEndpoint", code::URL, refused.to_string()));
        }
        for member in MEMBERS.iter().filter(|member| !member.values.is_empty()) {
            if let Some(value) = self.text(member.name)
                && !member.values.contains(&value)
            {
                let text = format!("must be one of [{}]", member.values.join(", "));
                violations.push(Violation::new(member.name, code::ONE_OF, text).rejecting(value));
            }
        }
        let text = self.text("filter")?;
        match text.parse() {
            Ok(filter) => Some(filter),
            Err(error) => {
                violations.push(Violation::new("filter", code::WEBHOOK_FILTER, format!("{error}")).rejecting(text));
                None
            }
        }
    }
}

fn broken(violations: &[Violation]) -> ApiError {
    ApiError::invalid_argument("subscription", violations)
}
