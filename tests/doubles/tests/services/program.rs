//! The program, as people start it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use budstikke_doubles::TestOrganisation;

use crate::caller::OWN;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn the_program_says_where_it_listens_and_takes_faults() {
    let dir = tempfile::tempdir().unwrap();
    let own = TestOrganisation::create(dir.path(), OWN).unwrap();
    let client = format!("client-1={}", own.certificate_path().display());
    let child = Command::new(env!("CARGO_BIN_EXE_doubles"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--client",
            &client,
            "--system-user",
            &format!("{OWN}=user"),
        ])
        .arg("--dir")
        .arg(dir.path().join("uploads"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let line = lines
        .find(|line| line.as_ref().unwrap().starts_with("exchange"))
        .unwrap()
        .unwrap();
    let exchange = line.split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(reqwest::get(&exchange).await.unwrap().status(), 401);
    let base = exchange.split("/authentication").next().unwrap();
    let fault = r#"{"route":"exchange","fault":"status","status":418}"#;
    let faults = format!("{base}/__doubles/faults");
    assert_eq!(
        reqwest::Client::new()
            .post(faults)
            .body(fault)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(reqwest::get(&exchange).await.unwrap().status(), 418);
}

#[test]
fn the_program_names_the_argument_at_fault() {
    for (arguments, named) in [
        (["--client", "no-file"], "--client no-file"),
        (["--client", "id=/nonexistent.pem"], "/nonexistent.pem"),
        (["--system-user", "12=name"], "--system-user 12=name"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_doubles"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(named), "{text}");
    }
}
