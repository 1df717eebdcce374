//! A small program that behaves as a good, a failing, a hanging or a lying release of an integrasjonspunkt. Called as `java -jar FILE …`
//! it plays what is written in the jar; called as itself it plays the file beside it.
//!
//! What it plays, as JSON: `port`, `version`, and
//! - `kind`: `good`; `failing` prints and ends; `hanging` never listens; `stubborn` refuses to stop; `deaf` says that it stops, and does
//!   not; `garbage` answers with something that is no JSON
//! - `says`: another version in `/manage/info`
//! - `slow`: milliseconds until it listens; `lingers`: milliseconds from the request to stop to its end, without listening
//! - `dies`, `unwell`, `fails`: milliseconds after which it ends, answers 503, counts failed calls

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let jar = arguments.iter().position(|argument| argument == "-jar");
    let part = if let Some(at) = jar {
        part_of(Path::new(arguments.get(at + 1).context("no jar")?))?
    } else {
        let own = std::env::current_exe()?;
        serde_json::from_slice(&std::fs::read(own.with_file_name("part.json"))?)?
    };
    // The supervisor asks whether the program can read its configuration.
    if arguments.iter().any(|argument| argument == "check") {
        return Ok(());
    }
    play(&part)
}

fn part_of(jar: &Path) -> anyhow::Result<Value> {
    let mut jar = zip::ZipArchive::new(std::fs::File::open(jar)?)?;
    let mut text = String::new();
    jar.by_name("part.json")?.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn millis(part: &Value, name: &str) -> Option<Duration> {
    part[name].as_u64().map(Duration::from_millis)
}

fn play(part: &Value) -> anyhow::Result<()> {
    let kind = part["kind"].as_str().unwrap_or("good");
    match kind {
        "failing" => {
            println!("Application startup failed");
            std::process::exit(1);
        }
        "hanging" => loop {
            std::thread::sleep(Duration::from_mins(1));
        },
        _ => {}
    }
    if let Some(slow) = millis(part, "slow") {
        std::thread::sleep(slow);
    }
    let port = u16::try_from(part["port"].as_u64().context("no port")?)?;
    let listener = match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => listener,
        Err(error) => {
            println!("Application startup failed: {error}");
            std::process::exit(1);
        }
    };
    println!("Started IntegrasjonspunktApplication");
    let begun = Instant::now();
    if let Some(dies) = millis(part, "dies") {
        std::thread::spawn(move || {
            std::thread::sleep(dies);
            println!("java.lang.OutOfMemoryError");
            std::process::exit(137);
        });
    }
    let since = |name: &str| millis(part, name).is_some_and(|after| begun.elapsed() >= after);
    for stream in listener.incoming() {
        let mut stream = stream?;
        let Some((method, path)) = request(&stream) else {
            continue;
        };
        let version = part["says"].as_str().or(part["version"].as_str()).unwrap_or_default();
        let (status, body) = match (method.as_str(), path.as_str()) {
            _ if kind == "garbage" => (200, "<html>".to_owned()),
            ("GET", "/manage/info") => (
                200,
                json!({ "build": { "version": version, "time": 1 }, "git": {} }).to_string(),
            ),
            ("GET", "/manage/health") if since("unwell") => (503, json!({ "status": "DOWN" }).to_string()),
            ("GET", "/manage/health") => (200, json!({ "status": "UP" }).to_string()),
            ("GET", "/manage/prometheus") => {
                let failed = if since("fails") { 50 } else { 0 };
                let counter = "http_server_requests_seconds_count";
                (
                    200,
                    format!("{counter}{{status=\"200\"}} 50\n{counter}{{status=\"500\"}} {failed}\n"),
                )
            }
            ("POST", "/manage/shutdown") if kind == "stubborn" => (404, json!({ "status": 404 }).to_string()),
            ("POST", "/manage/shutdown") => (200, json!({ "message": "Shutting down, bye..." }).to_string()),
            _ => (404, json!({ "status": 404 }).to_string()),
        };
        let answered = write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        drop((answered, stream));
        if method == "POST" && status == 200 && kind != "deaf" {
            drop(listener);
            std::thread::sleep(millis(part, "lingers").unwrap_or_default());
            std::process::exit(0);
        }
    }
    Ok(())
}

fn request(stream: &TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let mut words = first.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}
