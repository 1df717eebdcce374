//! The door for people under `/__doubles`: switch faults, look at transfers and requests, put something into registers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, Route, Rule};
use crate::registers::Content;
use crate::server::House;

/// Where the door is.
pub(crate) const PATH: &str = "/__doubles";

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/__doubles/faults", get(list).post(switch_on).delete(switch_off))
        .route("/__doubles/transfers", get(transfers))
        .route("/__doubles/requests", get(requests))
        .route("/__doubles/registers", post(put).delete(forget))
        .route("/__doubles/clear", post(clear))
}

/// A fault as people write it. Only the members of its kind are used.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    route: Route,
    fault: String,
    /// How many requests; absent: one, 0: until switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_per_second: Option<u64>,
}

impl Order {
    fn fault(&self) -> Result<Fault, String> {
        let missing = |member: &str| format!("fault `{}` needs `{member}`", self.fault);
        let status = self.status.unwrap_or(200);
        if !(200..=599).contains(&status) {
            return Err(format!("status {status} is outside 200 to 599"));
        }
        Ok(match self.fault.as_str() {
            "status" => Fault::Status(self.status.ok_or_else(|| missing("status"))?),
            "answer" => Fault::Answer {
                status: self.status.ok_or_else(|| missing("status"))?,
                body: self.body.clone().unwrap_or_default(),
                content_type: self
                    .content_type
                    .clone()
                    .unwrap_or_else(|| "application/json".to_owned()),
                retry_after: self.retry_after,
            },
            "delay" => Fault::Delay(Duration::from_millis(self.millis.ok_or_else(|| missing("millis"))?)),
            "cut-request-body" => Fault::CutRequestBody {
                after: self.after.unwrap_or(0),
            },
            "cut-response-body" => Fault::CutResponseBody {
                after: self.after.unwrap_or(0),
            },
            "answer-lost" => Fault::AnswerLost,
            "virus-found" => Fault::VirusFound,
            "token-revoked" => Fault::TokenRevoked,
            "wrong-checksum" => Fault::WrongChecksum,
            "slow-body" => Fault::SlowBody {
                bytes_per_second: self.bytes_per_second.ok_or_else(|| missing("bytes_per_second"))?,
            },
            other => {
                return Err(format!(
                    "no fault is called `{}`",
                    other.chars().take(50).collect::<String>()
                ));
            }
        })
    }
}

impl From<Rule> for Order {
    fn from(rule: Rule) -> Self {
        let mut order = Self {
            route: rule.route,
            fault: rule.fault.name().to_owned(),
            times: Some(rule.left.unwrap_or(0)),
            status: None,
            body: None,
            content_type: None,
            retry_after: None,
            millis: None,
            after: None,
            bytes_per_second: None,
        };
        match rule.fault {
            Fault::Status(status) => order.status = Some(status),
            Fault::Answer {
                status,
                body,
                content_type,
                retry_after,
            } => {
                order.status = Some(status);
                order.body = Some(body);
                order.content_type = Some(content_type);
                order.retry_after = retry_after;
            }
            Fault::Delay(time) => order.millis = u64::try_from(time.as_millis()).ok(),
            Fault::CutRequestBody { after } | Fault::CutResponseBody { after } => order.after = Some(after),
            Fault::SlowBody { bytes_per_second } => order.bytes_per_second = Some(bytes_per_second),
            Fault::AnswerLost | Fault::VirusFound | Fault::TokenRevoked | Fault::WrongChecksum => {}
        }
        order
    }
}

async fn switch_on(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let order: Order = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return refusal(&error.to_string()),
    };
    match order.fault() {
        Ok(fault) => {
            match order.times.unwrap_or(1) {
                0 => house.faults.always(order.route, fault),
                times => house.faults.times(times, order.route, fault),
            }
            list(State(house)).await.into_response()
        }
        Err(reason) => refusal(&reason),
    }
}

fn refusal(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": reason }))).into_response()
}

async fn switch_off(State(house): State<Arc<House>>) -> StatusCode {
    house.faults.clear();
    StatusCode::NO_CONTENT
}

async fn list(State(house): State<Arc<House>>) -> Json<Vec<Order>> {
    Json(house.faults.rules().into_iter().map(Order::from).collect())
}

async fn transfers(State(house): State<Arc<House>>) -> Json<Vec<Value>> {
    Json(
        house
            .broker
            .transfers()
            .iter()
            .map(crate::broker::overview::of)
            .collect(),
    )
}

async fn requests(State(house): State<Arc<House>>) -> Json<Value> {
    Json(json!(house.requests.all()))
}

/// Puts one piece of content into the registers, or a list of them; all or nothing.
async fn put(State(house): State<Arc<House>>, body: Bytes) -> Response {
    match Content::all_from_json(&body) {
        Ok(contents) => {
            for content in contents {
                house.registers.put(content);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refusal(&error.to_string()),
    }
}

async fn forget(State(house): State<Arc<House>>) -> StatusCode {
    house.registers.forget_all();
    StatusCode::NO_CONTENT
}

async fn clear(State(house): State<Arc<House>>) -> StatusCode {
    house.clear();
    StatusCode::NO_CONTENT
}
