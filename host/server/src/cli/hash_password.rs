//! `budstikke hash-password`

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::front::hashed;

/// More than any password, bytes.
const INPUT: u64 = 4096;

/// Reads a password from standard input and prints its hash.
pub(super) fn run() -> ExitCode {
    let made = password().map_err(|error| error.to_string());
    match made.and_then(|password| hashed(&password).map_err(|error| error.to_string())) {
        Ok(hash) => {
            println!("{hash}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("no hash was made: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line; its end does not count.
fn password() -> io::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    let mut line = Zeroizing::new(String::new());
    if stdin.is_terminal() {
        eprint!("Password: ");
        io::stderr().flush()?;
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
        let read = stdin.lock().take(INPUT).read_line(&mut line);
        // Whatever was read: a terminal that stays silent is of no use.
        tcsetattr(&stdin, OptionalActions::Now, &before)?;
        eprintln!();
        read?;
    } else {
        stdin.lock().take(INPUT).read_line(&mut line)?;
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
