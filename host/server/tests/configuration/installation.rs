//! A folder with all that the example configuration names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use budstikke_component_builder::build_component;
use budstikke_doubles::TestOrganisation;
use tempfile::TempDir;

pub(crate) const EXAMPLE: &str = include_str!("../../../../examples/budstikke.toml");
const SCHEMA: &str = include_str!("../../../../examples/types/byggesak.schema.json");
const OWN: &str = "991825827";
const RECEIVER: &str = "974720760";
const PASSWORD: &str = "hemmelig";
/// Of the password above, by bcrypt.
pub(crate) const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuWmL4JtIt1luPpPxSJbKR3CQv3k4mbvm";

/// Keys and certificates, made once: RSA keys take their time.
static KEYS: LazyLock<[(&str, Vec<u8>); 8]> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let own = TestOrganisation::create_with_password(folder.path(), OWN, PASSWORD).unwrap();
    let receiver = TestOrganisation::create(folder.path(), RECEIVER).unwrap();
    [
        ("keys/virksomhet.p12", own.p12_path()),
        ("keys/maskinporten.p12", own.p12_path()),
        ("keys/maskinporten.jwk.json", own.jwk_path()),
        ("keys/server.pem", own.certificate_path()),
        ("keys/server.key", own.key_path()),
        ("keys/proxy-ca.pem", folder.path().join("test-ca.cert.pem")),
        ("receivers/974720760.pem", receiver.certificate_path()),
        ("receivers/print.pem", receiver.certificate_path()),
    ]
    .map(|(name, made)| (name, fs::read(made).unwrap()))
});

pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    /// Keys and certificates where the example expects them; no plugin yet.
    pub(crate) fn new() -> Self {
        let this = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let at = |path: &str| this.folder.path().join(path);
        for name in ["keys", "receivers", "types", "var/lib/budstikke-plugins"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for (name, bytes) in &*KEYS {
            fs::write(at(name), bytes).unwrap();
        }
        fs::write(at("types/byggesak.schema.json"), SCHEMA).unwrap();
        fs::write(at("keys/maskinporten.password"), format!("{PASSWORD}\n")).unwrap();
        fs::write(at("keys/drift.hash"), format!("{HASH}\n")).unwrap();
        this.write(EXAMPLE);
        this
    }

    /// The DPO adapter, as operators get it.
    pub(crate) fn with_plugin(self) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dpo");
        let component = build_component(&package).unwrap();
        fs::copy(component, self.folder.path().join("var/lib/budstikke-plugins/dpo.wasm")).unwrap();
        self
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("budstikke.toml")
    }

    /// The example with one piece of it exchanged.
    pub(crate) fn change(&self, from: &str, to: &str) {
        assert!(EXAMPLE.contains(from), "{from} is in the example");
        self.write(&EXAMPLE.replacen(from, to, 1));
    }

    /// The example without a single user, and with another line in place of `open = false`.
    pub(crate) fn without_users(&self, open: &str) {
        let (before, rest) = EXAMPLE.split_once("[[server.users]]").unwrap();
        let (_, after) = rest.split_once("[server.tls]").unwrap();
        self.write(&format!("{}[server.tls]{after}", before.replace("open = false", open)));
    }

    /// `file:line: ` of the first line that begins so.
    pub(crate) fn place(&self, line: &str) -> String {
        let text = fs::read_to_string(self.file()).unwrap();
        let index = text.lines().position(|other| other.starts_with(line));
        let index = index.unwrap_or_else(|| panic!("{line} is in the file"));
        format!("{}:{}: ", self.file().display(), index + 1)
    }

    /// Puts something else into a file.
    pub(crate) fn put(&self, path: &str, content: &str) {
        fs::write(self.folder.path().join(path), content).unwrap();
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    /// The folders of a machine become folders of this installation.
    fn write(&self, text: &str) {
        let root = self.folder.path().display();
        fs::write(self.file(), text.replace("\"/var/", &format!("\"{root}/var/"))).unwrap();
    }

    /// `budstikke check --config …`, with the secrets of the example in the environment.
    pub(crate) fn check(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_budstikke"))
            .args(["check", "--config"])
            .arg(self.file())
            .env("BUDSTIKKE_KEYSTORE_PASSWORD", PASSWORD)
            .env("BUDSTIKKE_FAGSYSTEM_HASH", HASH)
            .env_remove("BUDSTIKKE_NOT_SET")
            .output()
            .unwrap()
    }
}
