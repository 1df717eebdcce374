//! `GET /filetransfer`: ids by filter, the newest hundred unless asked for the oldest (Spec: DPO and DPV, 2.4 and 8).

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::access::Party;
use super::problem::Problem;
use super::transfer::{RecipientStatus, Transfer, TransferStatus};
use crate::organisation::Organisation;
use crate::server::House;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    resource_id: Option<String>,
    status: Option<String>,
    recipient_status: Option<String>,
    order_ascending: Option<String>,
    from: Option<String>,
    to: Option<String>,
    role: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Sender,
    Recipient,
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            _ if text.eq_ignore_ascii_case("sender") => Ok(Self::Sender),
            _ if text.eq_ignore_ascii_case("recipient") => Ok(Self::Recipient),
            _ => Err(()),
        }
    }
}

pub(crate) async fn list(
    State(house): State<Arc<House>>,
    Party(caller): Party,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<Vec<Uuid>>, Problem> {
    let Query(filter) = filter.map_err(|error| Problem::Invalid(vec![("query", error.body_text())]))?;
    let wish = Wish::from_filter(filter)?;
    if !house.broker.resources.contains(&wish.resource) {
        return Err(Problem::unknown_resource());
    }
    Ok(Json(
        house
            .broker
            .list(wish.ascending, |transfer| wish.matches(transfer, &caller)),
    ))
}

/// A filter whose members are right.
struct Wish {
    resource: String,
    status: Option<TransferStatus>,
    recipient_status: Option<RecipientStatus>,
    ascending: bool,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    role: Option<Role>,
}

fn member<T: FromStr>(name: &'static str, text: Option<String>) -> Result<Option<T>, Problem> {
    text.map(|text| {
        text.parse()
            .map_err(|_| Problem::Invalid(vec![(name, format!("The value '{text:.100}' is not valid"))]))
    })
    .transpose()
}

impl Wish {
    fn from_filter(filter: Filter) -> Result<Self, Problem> {
        let resource = filter.resource_id.filter(|resource| !resource.is_empty());
        Ok(Self {
            resource: resource
                .ok_or_else(|| Problem::Invalid(vec![("resourceId", "The field is required".to_owned())]))?,
            status: member("status", filter.status)?,
            recipient_status: member("recipientStatus", filter.recipient_status)?,
            ascending: member("orderAscending", filter.order_ascending)?.unwrap_or(false),
            from: member("from", filter.from)?,
            to: member("to", filter.to)?,
            role: member("role", filter.role)?,
        })
    }

    fn matches(&self, transfer: &Transfer, caller: &Organisation) -> bool {
        let as_recipient = transfer.recipient(caller);
        let party = match self.role {
            None => transfer.sender == *caller || as_recipient.is_some(),
            Some(Role::Sender) => transfer.sender == *caller,
            Some(Role::Recipient) => as_recipient.is_some(),
        };
        party
            && transfer.resource == self.resource
            && self.status.is_none_or(|status| transfer.status == status)
            // A status for a recipient is the caller's own.
            && self.recipient_status.is_none_or(|status| as_recipient.is_some_and(|own| own.status == status))
            && self.from.is_none_or(|from| transfer.created >= from)
            && self.to.is_none_or(|to| transfer.created <= to)
    }
}
