//! A certificate authority made with `openssl`: it issues, calls back, signs lists, and answers by OCSP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use budstikke_message::x509::Certificate;

const SETTINGS: &str = "
[req]
distinguished_name = name
[name]
[ca]
default_ca = test
[test]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
crl_extensions = list
unique_subject = no
[any]
countryName = optional
organizationIdentifier = optional
commonName = supplied
[list]
authorityKeyIdentifier = keyid:always
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = emailProtection
authorityInfoAccess = OCSP;URI:http://ADDRESS/ocsp
crlDistributionPoints = URI:http://ADDRESS/crl
[bare]
basicConstraints = CA:FALSE
keyUsage = critical, dataEncipherment
[signing]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
[responder]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
";

/// What the responder does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Responder {
    /// Answers, signed with this key.
    By(&'static str),
    /// Answers with 503.
    Away,
    /// Answers with something else.
    Strange,
    /// Does not answer.
    Hangs,
}

/// What comes in place of the authority's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    /// The list.
    There,
    /// Nothing.
    Away,
    /// No answer.
    Hangs,
    /// The list in another folder.
    Of(PathBuf),
}

pub(super) struct Life {
    folder: PathBuf,
    pub(super) responder: Mutex<Responder>,
    list: Mutex<List>,
    questions: AtomicUsize,
    fetched: AtomicUsize,
}

pub(super) struct TestAuthority {
    folder: tempfile::TempDir,
    pub(super) life: Arc<Life>,
}

impl TestAuthority {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let life = Arc::new(Life {
            folder: folder.path().to_owned(),
            responder: Mutex::new(Responder::By("ca")),
            list: Mutex::new(List::There),
            questions: AtomicUsize::new(0),
            fetched: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/ocsp", post(ocsp))
            .route("/crl", get(crl))
            .with_state(life.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let authority = Self { folder, life };
        authority.begin(address);
        authority
    }

    fn begin(&self, address: SocketAddr) {
        let write = |name: &str, text: &str| std::fs::write(self.path(name), text).unwrap();
        write("openssl.cnf", &SETTINGS.replace("ADDRESS", &address.to_string()));
        write("index.txt", "");
        write("serial", "1000\n");
        write("crlnumber", "01\n");
        let subject = ["-subj", "/C=NO/CN=Test CA", "-days", "3650", "-extensions", "authority"];
        let made = [
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-config",
            "openssl.cnf",
        ];
        self.openssl(&[&made[..], &["-keyout", "ca.key", "-out", "ca.pem"], &subject].concat());
        self.list();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        run(self.folder.path(), arguments, b"");
    }

    /// A certificate with its key, by a section of the settings.
    pub(super) fn issue(&self, name: &str, section: &str, organisation: &str) -> Certificate {
        let (key, request) = (format!("{name}.key"), format!("{name}.csr"));
        let pem = format!("{name}.pem");
        let subject = format!("/C=NO/organizationIdentifier=NTRNO-{organisation}/CN=Test {name}");
        let made = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-config", "openssl.cnf"];
        self.openssl(&[&made[..], &["-keyout", &key, "-out", &request, "-subj", &subject]].concat());
        let signed = [
            "ca",
            "-batch",
            "-notext",
            "-config",
            "openssl.cnf",
            "-extensions",
            section,
        ];
        self.openssl(&[&signed[..], &["-in", &request, "-out", &pem]].concat());
        Certificate::from_pem(&std::fs::read(self.path(&pem)).unwrap()).unwrap()
    }

    /// Calls a certificate back.
    pub(super) fn revoke(&self, name: &str) {
        let pem = format!("{name}.pem");
        self.openssl(&[
            "ca",
            "-config",
            "openssl.cnf",
            "-revoke",
            &pem,
            "-crl_reason",
            "keyCompromise",
        ]);
        self.list();
    }

    fn list(&self) {
        self.openssl(&["ca", "-config", "openssl.cnf", "-gencrl", "-out", "crl.pem"]);
        self.openssl(&["crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der"]);
    }

    pub(super) fn responds(&self, responder: Responder) {
        *self.life.responder.lock().unwrap() = responder;
    }

    pub(super) fn lists(&self, list: List) {
        *self.life.list.lock().unwrap() = list;
    }

    /// Questions to the responder, and lists that were fetched.
    pub(super) fn asked(&self) -> (usize, usize) {
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (read(&self.life.questions), read(&self.life.fetched))
    }

    /// The answer to a question, as the responder gives it.
    pub(super) fn answer(&self, signer: &str, question: &[u8]) -> Vec<u8> {
        respond(self.folder.path(), signer, question)
    }
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut child = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need 'openssl'");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {told}");
    output.stdout
}

fn respond(folder: &Path, signer: &str, question: &[u8]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let [asked, answered] = ["q", "a"].map(|name| place.path().join(name).display().to_string());
    std::fs::write(&asked, question).unwrap();
    let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
    let base = [
        "ocsp",
        "-index",
        "index.txt",
        "-CA",
        "ca.pem",
        "-rsigner",
        &pem,
        "-rkey",
        &key,
        "-nmin",
        "5",
    ];
    run(
        folder,
        &[&base[..], &["-reqin", &asked, "-respout", &answered]].concat(),
        b"",
    );
    std::fs::read(answered).unwrap()
}

async fn ocsp(State(life): State<Arc<Life>>, question: Bytes) -> Result<Vec<u8>, StatusCode> {
    life.questions.fetch_add(1, Ordering::SeqCst);
    let responder = *life.responder.lock().unwrap();
    match responder {
        Responder::Away => Err(StatusCode::SERVICE_UNAVAILABLE),
        Responder::Strange => Ok(b"<html>".to_vec()),
        Responder::Hangs => std::future::pending().await,
        Responder::By(signer) => {
            let folder = life.folder.clone();
            let answer = tokio::task::spawn_blocking(move || respond(&folder, signer, &question));
            Ok(answer.await.unwrap())
        }
    }
}

async fn crl(State(life): State<Arc<Life>>) -> Result<Vec<u8>, StatusCode> {
    life.fetched.fetch_add(1, Ordering::SeqCst);
    let list = life.list.lock().unwrap().clone();
    let folder = match list {
        List::There => life.folder.clone(),
        List::Of(folder) => folder,
        List::Away => return Err(StatusCode::NOT_FOUND),
        List::Hangs => std::future::pending().await,
    };
    Ok(std::fs::read(folder.join("crl.der")).unwrap())
}
