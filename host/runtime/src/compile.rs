//! Compilation, the dangerous moment: 30 ms for a Rust component, 5 s and 800 MiB for a Python one, and for a hostile one
//! without end. So it happens in a child process with limits, one at a time.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;

use crate::engine::{Engine, Purpose};

/// Bytes of a component file.
pub const COMPONENT_SIZE: u64 = 64 << 20;
/// Bytes of the compiler's complaint that are kept.
const COMPLAINT: usize = 2 << 10;

/// What compiling may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the child, bytes. A Python component needs 800 MiB of memory.
    pub memory: u64,
    /// Wall clock, and as much processor time on each of four cores.
    pub time: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory: 3 << 30,
            time: Duration::from_mins(1),
        }
    }
}

/// The program that compiles: called with `args`, then `--in FILE --out FILE --memory BYTES`, and `--policy` when it is one. Its `main` calls
/// [`compile_in_this_process`] and says on standard error what went wrong.
#[derive(Debug, Clone)]
pub struct CompilerCommand {
    /// The program, as a rule our own.
    pub program: PathBuf,
    /// What comes before the options.
    pub args: Vec<OsString>,
}

/// Who compiles.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// A child process.
    Child(CompilerCommand, CompileLimits),
    /// This process, without limits: for tests and tools.
    InProcess,
}

/// A component that cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler says no.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// Its time was over.
    #[error("compiling took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    /// It was killed, as a rule by its memory limit.
    #[error("the compiler was stopped ({status}); it may have at most {} MiB of memory: {complaint}", memory >> 20)]
    Stopped {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The limit, bytes.
        memory: u64,
        /// What it wrote.
        complaint: String,
    },
    /// Files or processes failed.
    #[error("the compiler cannot run: {0}")]
    Io(#[from] std::io::Error),
    /// The child cannot build its engine.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
}

/// What a compiling child says when the component is at fault, so that the parent can tell it from an accident.
const INVALID: i32 = 65;

/// Runs the chosen compiler, one component at a time.
pub(crate) struct Compilers {
    compiler: Compiler,
    purpose: Purpose,
    turn: Mutex<()>,
}

impl Compilers {
    pub(crate) fn new(compiler: Compiler, purpose: Purpose) -> Self {
        Self {
            compiler,
            purpose,
            turn: Mutex::new(()),
        }
    }

    /// Compiles the component in one file into another.
    pub(crate) async fn compile(&self, input: &Path, output: &Path) -> Result<(), CompileError> {
        let _turn = self.turn.lock().await;
        let purpose = self.purpose;
        match &self.compiler {
            Compiler::Child(command, limits) => compile_in_child(command, *limits, purpose, input, output).await,
            Compiler::InProcess => {
                let (input, output) = (input.to_owned(), output.to_owned());
                tokio::task::spawn_blocking(move || compile_file(purpose, &input, &output))
                    .await
                    .map_err(|_| CompileError::Invalid("the compiler panicked".into()))?
            }
        }
    }
}

async fn compile_in_child(
    command: &CompilerCommand,
    limits: CompileLimits,
    purpose: Purpose,
    input: &Path,
    output: &Path,
) -> Result<(), CompileError> {
    let child = Command::new(&command.program)
        .args(&command.args)
        .arg("--in")
        .arg(input)
        .arg("--out")
        .arg(output)
        .arg("--memory")
        .arg(limits.memory.to_string())
        .args((purpose == Purpose::Policies).then_some("--policy"))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let Ok(ended) = tokio::time::timeout(limits.time, child.wait_with_output()).await else {
        return Err(CompileError::TooLong(limits.time));
    };
    let ended = ended?;
    if ended.status.success() {
        return Ok(());
    }
    let mut complaint = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    complaint.truncate(complaint.floor_char_boundary(COMPLAINT));
    if ended.status.code() == Some(INVALID) {
        return Err(CompileError::Invalid(complaint));
    }
    Err(CompileError::Stopped {
        status: ended.status,
        memory: limits.memory,
        complaint,
    })
}

/// The child's whole work: limits itself, compiles, and gives the exit code for its `main`. Errors go to standard error.
pub fn compile_in_this_process(
    purpose: Purpose,
    input: &Path,
    output: &Path,
    limits: CompileLimits,
) -> std::process::ExitCode {
    let result = limit_this_process(limits).and_then(|()| compile_file(purpose, input, output));
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error @ CompileError::Invalid(_)) => {
            // The parent has its own words for this case, and adds only the reason.
            if let CompileError::Invalid(reason) = &error {
                eprintln!("{reason}");
            }
            std::process::ExitCode::from(u8::try_from(INVALID).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn limit_this_process(limits: CompileLimits) -> Result<(), CompileError> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let hard = |value: u64| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::As, hard(limits.memory)).map_err(std::io::Error::from)?;
    setrlimit(Resource::Cpu, hard(limits.time.as_secs().max(1) * 4)).map_err(std::io::Error::from)?;
    setrlimit(Resource::Core, hard(0)).map_err(std::io::Error::from)?;
    Ok(())
}

#[cfg(not(unix))]
fn limit_this_process(_: CompileLimits) -> Result<(), CompileError> {
    Ok(())
}

fn compile_file(purpose: Purpose, input: &Path, output: &Path) -> Result<(), CompileError> {
    let engine = Engine::compiler(purpose)?;
    let bytes = std::fs::read(input)?;
    let code = engine
        .precompile_component(&bytes)
        .map_err(|error| CompileError::Invalid(format!("{error:#}")))?;
    std::fs::write(output, code)?;
    Ok(())
}
