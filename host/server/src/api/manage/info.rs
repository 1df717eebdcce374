//! What runs here: read by people, and by updaters, which look for `build.version`. Spec: KOSMOS, 5.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::adapters::Adapter;
use crate::api::description::refusals::refusals;
use crate::api::error::ApiResult;
use crate::api::json;
use crate::node::Node;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

refusals! {
    ReadRefusals: &[];
}

/// What runs here.
#[derive(Serialize, ToSchema)]
struct Info {
    name: &'static str,
    version: &'static str,
    /// The organisation that owns the installation.
    organisation: String,
    build: Build,
    store: StoreInfo,
    adapters: Vec<AdapterInfo>,
}

/// The program, in the members that updaters of the Java integrasjonspunkt read. There is no time: the same sources give the
/// same program whenever it is built.
#[derive(Serialize, ToSchema)]
struct Build {
    version: &'static str,
    artifact: &'static str,
    name: &'static str,
    group: &'static str,
}

const BUILD: Build = Build {
    version: VERSION,
    artifact: NAME,
    name: NAME,
    group: NAME,
};

/// The database.
#[derive(Serialize, ToSchema)]
struct StoreInfo {
    /// Version of its schema. A program that knows only lower ones cannot use it any more.
    schema: usize,
}

/// An adapter and what it serves.
#[derive(Serialize, ToSchema)]
#[schema(as = Adapter)]
struct AdapterInfo {
    name: String,
    services: Vec<String>,
    /// What the adapter calls itself; absent when none is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    digest: Option<String>,
}

/// What runs here
#[utoipa::path(get, path = "/manage/info", operation_id = "info", tag = "health",
    responses((status = 200, description = "Versions of the program, its database and its adapters.", body = Info),
        ReadRefusals))]
pub(in crate::api) async fn get(State(node): State<Arc<Node>>) -> ApiResult {
    json(&Info {
        name: NAME,
        version: VERSION,
        organisation: node.own.as_str().to_owned(),
        build: BUILD,
        store: StoreInfo {
            schema: budstikke_store::SCHEMA,
        },
        adapters: node.adapters.iter().map(|adapter| described(adapter)).collect(),
    })
}

fn described(adapter: &Adapter) -> AdapterInfo {
    let plugin = adapter.plugin();
    let description = plugin.as_ref().map(|plugin| plugin.description());
    AdapterInfo {
        name: adapter.name.clone(),
        services: adapter.services.clone(),
        product: description.map(|description| description.name.clone()),
        version: description.map(|description| description.version.clone()),
        digest: plugin.as_ref().map(|plugin| format!("sha256:{}", plugin.digest())),
    }
}
