//! The program `budstikke`.

use std::process::ExitCode;

fn main() -> ExitCode {
    budstikke::cli::main()
}
