//! One of the example clients as a program that is started.

use std::path::{Path, PathBuf};
use std::process::Output;

use budstikke_e2e::{Fagsystem, Pair};
use tokio::process::Command;

pub(crate) const EXIT_FAILED: i32 = 1;
pub(crate) const EXIT_USAGE: i32 = 2;
pub(crate) const EXIT_LOST: i32 = 3;
pub(crate) const EXIT_UNDECIDED: i32 = 4;

/// A name that every layer may get wrong in its own way.
pub(crate) const AWKWARD: &str = "vedlegg 1 [ærlig] & 'blå'.txt";

pub(crate) struct Client {
    /// Folder below `examples/clients`.
    pub(crate) language: &'static str,
    interpreter: &'static str,
    program: &'static str,
    /// Looks at a package and does nothing else: the arguments for the interpreter, with the package in place of PACKAGE.
    checking: [&'static str; 3],
}

pub(crate) const CLIENTS: [Client; 3] = [
    Client {
        language: "python",
        interpreter: "python3",
        program: "fagsystem.py",
        checking: ["-B", "-c", "import asic; asic.check('PACKAGE')"],
    },
    Client {
        language: "javascript",
        interpreter: "node",
        program: "fagsystem.mjs",
        checking: [
            "--input-type=module",
            "--eval",
            "import { check } from './asic.mjs'; await check('PACKAGE')",
        ],
    },
    Client {
        language: "bash",
        interpreter: "bash",
        program: "fagsystem.sh",
        checking: ["-u", "-c", "source asic.sh; check_asic PACKAGE"],
    },
];

/// Where a client finds its integrasjonspunkt, and what it needs to know to get in.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) url: String,
    pub(crate) password: &'static str,
    /// Who vouches for its certificate.
    pub(crate) authority: Option<PathBuf>,
}

impl From<&Fagsystem> for Door {
    fn from(fagsystem: &Fagsystem) -> Self {
        Self {
            url: fagsystem.base().to_owned(),
            password: "hemmelig",
            authority: None,
        }
    }
}

impl Client {
    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/clients")
            .join(self.language)
    }

    /// Runs it to its end against an installation.
    pub(crate) async fn run(&self, door: impl Into<Door>, arguments: &[&str]) -> Run {
        let door = door.into();
        let mut command = Command::new(self.interpreter);
        command
            .arg(self.folder().join(self.program))
            .args(arguments)
            .env("INTEGRASJONSPUNKT_URL", door.url)
            .env("INTEGRASJONSPUNKT_USER", "fagsystem")
            .env("INTEGRASJONSPUNKT_PASSWORD", door.password)
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if let Some(authority) = door.authority {
            command.env("INTEGRASJONSPUNKT_CA", authority);
        }
        self.ran(command).await
    }

    /// Whether it finds a package good.
    pub(crate) async fn takes(&self, package: &Path) -> bool {
        let checking = self
            .checking
            .map(|argument| argument.replace("PACKAGE", package.to_str().unwrap()));
        let mut command = Command::new(self.interpreter);
        command.args(checking).current_dir(self.folder());
        self.ran(command).await.code == Some(0)
    }

    async fn ran(&self, mut command: Command) -> Run {
        let output = command.output().await;
        Run::of(output.unwrap_or_else(|error| panic!("{} is needed for this test: {error}", self.interpreter)))
    }

    /// Sends the example message with one file more.
    pub(crate) async fn send(&self, from: impl Into<Door>, files: &Path, more: &[&str]) -> Run {
        let names = ["arkivmelding.xml", "brev.pdf", AWKWARD].map(|name| files.join(name));
        let mut arguments = vec!["send", "--from", Pair::SENDER, "--to", Pair::RECEIVER];
        arguments.extend(["--interval", "0.2", "--patience", "60"]);
        arguments.extend(more);
        arguments.extend(names.iter().map(|path| path.to_str().unwrap()));
        self.run(from, &arguments).await
    }

    pub(crate) async fn receive(&self, at: impl Into<Door>, inbox: &Path) -> Run {
        let inbox = inbox.to_str().unwrap();
        let arguments = ["receive", "--inbox", inbox, "--wait", "60", "--interval", "0.2"];
        self.run(at, &[&arguments[..], &["--max", "1"]].concat()).await
    }
}

/// How a client ended, and what it said.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn told(&self) -> String {
        format!("exit {:?}\n{}{}", self.code, self.out, self.error)
    }

    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.told());
        self
    }

    pub(crate) fn message_id(&self) -> String {
        let line = self.out.lines().find_map(|line| line.strip_prefix("messageId "));
        line.unwrap_or_else(|| panic!("no messageId in {}", self.told())).into()
    }
}
