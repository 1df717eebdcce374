//! The end of this node by a call, for updaters that cannot send it a signal. Spec: KOSMOS, 5.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use budstikke_registry::api::Peer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::description::refusals::refusals;
use crate::api::error::{ApiError, ApiResult, kind};
use crate::api::json;
use crate::node::Node;

refusals! {
    ShutdownRefusals: &[kind::NO_SUCH_PATH];
}

/// A node that is going to stop.
#[derive(Serialize, ToSchema)]
struct ShuttingDown {
    #[schema(example = "Shutting down, bye...")]
    message: &'static str,
}

/// The words of the Java integrasjonspunkt.
const BYE: ShuttingDown = ShuttingDown {
    message: "Shutting down, bye...",
};

/// Stop this node
///
/// As a signal does: what is under way is finished first. Calls while it is stopping change nothing. There is nothing here
/// (`404`) unless `shutdown` is set under `[server]`.
#[utoipa::path(post, path = "/manage/shutdown", operation_id = "shutdown", tag = "health",
    responses((status = 200, description = "It is going to stop.", body = ShuttingDown), ShutdownRefusals))]
pub(in crate::api) async fn post(State(node): State<Arc<Node>>, peer: Option<Extension<Peer>>) -> ApiResult {
    let Some(shutdown) = &node.shutdown else {
        // The same words as for any path that is not there.
        return Err(ApiError::new(kind::NO_SUCH_PATH, "Not Found"));
    };
    if !shutdown.is_cancelled() {
        let address = peer.map(|Extension(Peer(address))| address.to_string());
        tracing::info!(address, "a call of /manage/shutdown stops this node");
    }
    shutdown.cancel();
    json(&BYE)
}
