//! The nodes of this installation.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::description::refusals::refusals;
use crate::api::error::{ApiError, ApiResult};
use crate::api::{json, time};
use crate::node::Node;

refusals! {
    ReadRefusals: &[];
}

/// The nodes on this database.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeList)]
struct Listed {
    content: Vec<ListedNode>,
}

/// A node that is alive, or was some seconds ago.
#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
struct ListedNode {
    /// `[store] node`, or the name of the machine.
    name: String,
    /// Of this run of the node; rises with each start of any node.
    session: i64,
    #[schema(format = DateTime)]
    started: String,
    /// What only this node does at the moment.
    duties: Vec<String>,
}

/// List the nodes
///
/// Those that share the database; one that has a file as its database is alone.
#[utoipa::path(get, path = "/manage/nodes", operation_id = "listNodes", tag = "health",
    responses((status = 200, description = "The nodes, oldest first.", body = Listed), ReadRefusals))]
pub(in crate::api) async fn list(State(node): State<Arc<Node>>) -> ApiResult {
    let present = node
        .store
        .present()
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    let written = present.into_iter().map(|node| ListedNode {
        name: node.name,
        session: node.session,
        started: time::written(node.started),
        duties: node.duties,
    });
    json(&Listed {
        content: written.collect(),
    })
}
