//! Bodies of very many tiny pieces take no memory to speak of: forms of ten thousand parts, files that come byte by byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;
use std::fs;

use budstikke_e2e::{Fagsystem, File, World};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";
const PARTS: usize = 10_000;
/// Most that the process may grow, KiB.
const GROWTH: u64 = 16 * 1024;

/// What the parts have in common.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The SBD, then files.
    Files,
    /// The SBD, then files, all of one name.
    OneName,
    /// Neither SBD nor file name.
    Nameless,
    /// The SBD again and again.
    Envelopes,
    /// As many headers as a part may have.
    Headers,
}

/// A form of about 2 MB.
fn form(kind: Kind) -> Vec<u8> {
    let sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &uuid::Uuid::new_v4().to_string());
    let mut form = String::new();
    if !matches!(kind, Kind::Nameless) {
        write!(form, "--B\r\nContent-Disposition: form-data; name=sbd\r\n\r\n{sbd}\r\n").unwrap();
    }
    let filler = "x".repeat(100);
    for number in 0..PARTS {
        let headers = match kind {
            Kind::Files => format!("Content-Disposition: form-data; name=t; filename=\"{number}.txt\"\r\n"),
            Kind::OneName => "Content-Disposition: form-data; name=t; filename=\"brev.txt\"\r\n".to_owned(),
            Kind::Nameless => format!("Content-Disposition: form-data; name=\"{number}\"\r\n"),
            Kind::Envelopes => "Content-Disposition: form-data; name=sbd\r\n".to_owned(),
            Kind::Headers => format!(
                "Content-Disposition: form-data; filename={number}\r\n{}",
                "a:\r\n".repeat(31)
            ),
        };
        write!(form, "--B\r\n{headers}\r\n{filler}\r\n").unwrap();
    }
    form.push_str("--B--\r\n");
    form.into_bytes()
}

/// A form of one file.
fn one_file(size: usize) -> Vec<u8> {
    let mut form = b"--B\r\nContent-Disposition: form-data; name=t; filename=a.bin\r\n\r\n".to_vec();
    form.resize(form.len() + size, b'x');
    form.extend_from_slice(b"\r\n--B--\r\n");
    form
}

/// Sends the form to its end, whatever the answer, in pieces of so many bytes; chunked if `announced` is false.
async fn send(api: &Fagsystem, form: &[u8], announced: bool, piece: usize) -> (u16, Value) {
    let mut connection = TcpStream::connect(api.base().strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let length = if announced {
        format!("Content-Length: {}", form.len())
    } else {
        "Transfer-Encoding: chunked".to_owned()
    };
    let head = format!(
        "POST /api/messages/out/multipart HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}\r\n\
         Content-Type: multipart/form-data; boundary=B\r\n\r\n"
    );
    let mut body = Vec::new();
    for piece in form.chunks(piece) {
        if !announced {
            body.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
        }
        body.extend_from_slice(piece);
        if !announced {
            body.extend_from_slice(b"\r\n");
        }
    }
    if !announced {
        body.extend_from_slice(b"0\r\n\r\n");
    }
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&body).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A line of `/proc/<pid>/status`, KiB.
fn memory(pid: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    found
        .trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn bodies_of_very_many_pieces_take_no_memory_to_speak_of() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let api = ours.start().await.unwrap();
    let pid = ours.pid().unwrap();
    // What every process needs once: threads, statements of the database, buffers.
    let id = uuid::Uuid::new_v4().to_string();
    api.send_message(
        &Fagsystem::arkivmelding(SENDER, RECEIVER, &id),
        &File::examples().unwrap(),
    )
    .await
    .unwrap();
    for announced in [true, false] {
        send(&api, &form(Kind::Nameless), announced, 64 << 10).await;
    }

    // Makes the kernel forget the peak that the start left.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let before = memory(pid, "VmRSS");
    let all = [(true, 64 << 10), (false, 64 << 10), (false, 100)];
    for (kind, ways) in [
        (Kind::Files, &all[1..]),
        (Kind::Nameless, &all[..]),
        (Kind::OneName, &all[2..]),
        (Kind::Envelopes, &all[2..]),
        (Kind::Headers, &all[2..]),
    ] {
        let form = form(kind);
        assert!((1_000_000..4_000_000).contains(&form.len()), "{kind:?}: {}", form.len());
        for (announced, piece) in ways {
            let (status, body) = send(&api, &form, *announced, *piece).await;
            assert!(matches!(status, 400 | 413), "{kind:?}: {status} {body}");
            assert!(
                body["message"].as_str().is_some_and(|text| !text.is_empty()),
                "{kind:?}: {body}"
            );
            let grown = memory(pid, "VmHWM").saturating_sub(before);
            println!("{kind:?}, in pieces of {piece} bytes: {status}, {grown} KiB more");
            assert!(grown <= GROWTH, "{kind:?}, in pieces of {piece}: {grown} KiB more");
        }
    }
    // Just below what is collected before it goes to disk.
    let file = one_file(250 << 10);
    for piece in [1, 2, 10] {
        let (status, body) = send(&api, &file, false, piece).await;
        assert_eq!(status, 400, "there is no SBD: {body}");
        let grown = memory(pid, "VmHWM").saturating_sub(before);
        println!("one file, in pieces of {piece} bytes: {grown} KiB more");
        assert!(grown <= GROWTH, "one file, in pieces of {piece}: {grown} KiB more");
    }
    let waiting = api
        .ask(api.request(Method::GET, "/api/messages/out"))
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        waiting.json()["totalElements"].as_u64().unwrap() <= 1,
        "nothing of them was taken"
    );
    assert!(!ours.log().contains("panicked"));
}
