//! Compilation in a child process. This program plays both parts: called with `--in`, it is the child.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use budstikke_runtime::{
    CompileError, CompileLimits, Compiler, CompilerCommand, Engine, Grants, Limits, LoadError, LoadReason, Loader,
    Plugin, PluginSpec, PoolSettings, Purpose, compile_in_this_process,
};

#[path = "runtime/house.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use more of it")]
mod house;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| Some(args[args.iter().position(|arg| arg == name)? + 1].clone());
    if args.get(1).is_some_and(|arg| arg == "sleep") {
        std::thread::sleep(Duration::from_mins(1));
    }
    if let (Some(input), Some(output)) = (value("--in"), value("--out")) {
        let memory = value("--memory").unwrap().parse().unwrap();
        let limits = CompileLimits {
            memory,
            ..CompileLimits::default()
        };
        return compile_in_this_process(Purpose::Adapters, Path::new(&input), Path::new(&output), limits);
    }
    // Listing is what test runners ask of every test program.
    if args.iter().any(|arg| arg == "--list") {
        return ExitCode::SUCCESS;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        a_component_is_compiled_by_a_child().await;
        a_broken_component_is_the_components_fault().await;
        a_child_without_memory_is_stopped_and_said_so().await;
        a_child_without_end_is_stopped().await;
        a_compiler_that_is_missing_is_said_so().await;
    });
    ExitCode::SUCCESS
}

fn component() -> Vec<u8> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hostile");
    std::fs::read(budstikke_component_builder::build_component(&package).unwrap()).unwrap()
}

async fn load(program: PathBuf, args: &[&str], limits: CompileLimits, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
    let engine = Engine::new(PoolSettings {
        slots: 8,
        ..PoolSettings::default()
    })
    .unwrap();
    let cache = tempfile::tempdir().unwrap();
    let command = CompilerCommand {
        program,
        args: args.iter().map(Into::into).collect(),
    };
    let loader = Loader::new(engine, cache.path(), Compiler::Child(command, limits)).unwrap();
    let house: Arc<house::House> = house::House::new(serde_json::json!({}));
    let spec = PluginSpec {
        name: "echo".into(),
        grants: Grants {
            interfaces: vec!["*".into()],
            ..Grants::default()
        },
        limits: Limits::default(),
        services: house,
        roots: vec![],
    };
    let plugin = loader.load_bytes(&spec, bytes).await;
    let left: Vec<_> = std::fs::read_dir(cache.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.len() <= 3, "the compiler left something behind: {left:?}");
    plugin
}

fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn compile_error(result: Result<Plugin, LoadError>) -> CompileError {
    match result.unwrap_err().reason {
        LoadReason::Compile(error) => error,
        other => panic!("{other}"),
    }
}

async fn a_component_is_compiled_by_a_child() {
    let plugin = load(this(), &[], CompileLimits::default(), component()).await.unwrap();
    assert!(plugin.receive().await.unwrap().is_ok());
}

async fn a_broken_component_is_the_components_fault() {
    let mut bytes = component();
    bytes.truncate(bytes.len() / 2);
    let error = compile_error(load(this(), &[], CompileLimits::default(), bytes).await);
    assert!(matches!(error, CompileError::Invalid(_)), "{error}");
}

async fn a_child_without_memory_is_stopped_and_said_so() {
    let limits = CompileLimits {
        memory: 24 << 20,
        ..CompileLimits::default()
    };
    let error = compile_error(load(this(), &[], limits, component()).await);
    assert!(matches!(error, CompileError::Stopped { .. }), "{error}");
    assert!(error.to_string().contains("at most 24 MiB"), "{error}");
}

async fn a_child_without_end_is_stopped() {
    let limits = CompileLimits {
        time: Duration::from_millis(300),
        ..CompileLimits::default()
    };
    let started = std::time::Instant::now();
    let error = compile_error(load(this(), &["sleep"], limits, component()).await);
    assert!(matches!(error, CompileError::TooLong(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

async fn a_compiler_that_is_missing_is_said_so() {
    let error = compile_error(load("/no/such/program".into(), &[], CompileLimits::default(), component()).await);
    assert!(matches!(error, CompileError::Io(_)), "{error}");
}
