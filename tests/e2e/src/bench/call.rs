//! A whole fresh call: store, instance from the pool, `describe` with its settings, everything dropped.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use budstikke_component_builder::build_component;
use budstikke_runtime::services::{Delivery, DocumentRef, Failure, Party, SealScheme, Services, Spool, Token};
use budstikke_runtime::{Compiler, Engine, Grants, Limits, Loader, Plugin, PluginSpec, PoolSettings};
use serde_json::{Value, json};

use crate::figure::{Figure, quantile};

const WARM_UP: usize = 1000;
const CALLS: usize = 20_000;

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("call: {CALLS} calls of the DPO adapter's describe, one after the other");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dpo");
    let component = std::fs::read(build_component(&package)?)?;
    let cache = tempfile::tempdir()?;
    let loader = Loader::new(Engine::new(PoolSettings::default())?, cache.path(), Compiler::InProcess)?;
    let spec = PluginSpec {
        name: "dpo".into(),
        grants: Grants {
            interfaces: vec!["*".into()],
            ..Grants::default()
        },
        limits: Limits::default(),
        services: Arc::new(EmptyHouse(
            json!({"broker-url": "https://platform.altinn.no/broker/api/v1"}),
        )),
        roots: Vec::new(),
    };
    let plugin = loader.load_bytes(&spec, component).await?;
    // On a task of the pool, as in the server; the main thread is not one of its threads.
    let times = tokio::spawn(async move { calls(&plugin).await }).await??;
    let micros = |thousandths| quantile(&times, thousandths).as_secs_f64() * 1e6;
    Ok(vec![
        Figure::plain("call: fresh call of a Rust adapter, median", micros(500), "µs").at_most(25.0),
        Figure::plain("call: the same, 99 of 100", micros(990), "µs"),
    ])
}

async fn calls(plugin: &Plugin) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..WARM_UP + CALLS {
        let started = Instant::now();
        plugin
            .describe()
            .await?
            .map_err(|failure| anyhow::anyhow!("{failure}"))
            .context("describe")?;
        if number >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    times.sort();
    Ok(times)
}

/// Has the settings, and nothing else that an adapter could ask for.
struct EmptyHouse(Value);

fn nothing() -> Failure {
    Failure::permanent("empty", "there is nothing here but settings")
}

#[async_trait]
impl Services for EmptyHouse {
    async fn spool(&self, _: &str, _: &str, _: u64) -> Result<Box<dyn Spool>, Failure> {
        Err(nothing())
    }

    fn from_bytes(&self, _: &str, _: &str, _: Vec<u8>) -> DocumentRef {
        unreachable!("describe makes no documents")
    }

    async fn asic(&self, _: &str, _: Vec<DocumentRef>, _: &str, _: &str) -> Result<DocumentRef, Failure> {
        Err(nothing())
    }

    async fn seal(&self, _: &str, _: DocumentRef, _: Vec<u8>, _: SealScheme) -> Result<DocumentRef, Failure> {
        Err(nothing())
    }

    async fn seal_to_us(&self, _: &str, _: DocumentRef) -> Result<DocumentRef, Failure> {
        Err(nothing())
    }

    async fn unseal(&self, _: &str, _: &str, _: DocumentRef, _: u64) -> Result<DocumentRef, Failure> {
        Err(nothing())
    }

    async fn zip(&self, _: &str, _: Vec<(String, DocumentRef)>) -> Result<DocumentRef, Failure> {
        Err(nothing())
    }

    async fn unzip(&self, _: DocumentRef) -> Result<Vec<DocumentRef>, Failure> {
        Err(nothing())
    }

    fn own_organisation(&self) -> String {
        format!("0192:{}", crate::SENDER)
    }

    async fn subjects(&self, _: &str) -> Result<Vec<String>, Failure> {
        Err(nothing())
    }

    async fn token(&self, _: &str, _: Vec<String>, _: Option<String>) -> Result<Token, Failure> {
        Err(nothing())
    }

    async fn token_was_refused(&self, _: &str) {}

    async fn deliver(&self, _: &str, _: &str, _: Vec<u8>, _: Option<DocumentRef>) -> Result<Delivery, Failure> {
        Err(nothing())
    }

    async fn generate(&self, _: &str, _: &str, _: Vec<u8>) -> Result<Delivery, Failure> {
        Err(nothing())
    }

    async fn set_aside(&self, _: &str, _: &str, _: &str, _: Option<DocumentRef>) -> Result<(), Failure> {
        Err(nothing())
    }

    async fn was_handled(&self, _: &str, _: &str) -> Result<bool, Failure> {
        Err(nothing())
    }

    async fn look_up(&self, _: &str) -> Result<Option<Party>, Failure> {
        Err(nothing())
    }

    async fn queue_key(&self) -> Result<String, Failure> {
        Err(nothing())
    }

    async fn queue_key_was_refused(&self, _: &str) {}

    async fn state_get(&self, _: &str) -> Result<Option<Vec<u8>>, Failure> {
        Err(nothing())
    }

    async fn state_set(&self, _: &str, _: Vec<u8>, _: Option<u64>) -> Result<(), Failure> {
        Err(nothing())
    }

    async fn state_remove(&self, _: &str) -> Result<(), Failure> {
        Err(nothing())
    }

    fn settings(&self) -> &Value {
        &self.0
    }
}
