//! The program `budstikke`.

use std::process::ExitCode;

/// Many small messages are many small allocations, on many threads, and what a busy hour took must go back to the machine.
/// `.cargo/config.toml` says how it is set up.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    budstikke::cli::main()
}
