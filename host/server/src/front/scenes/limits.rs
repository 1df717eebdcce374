//! How much a caller may take: each limit is tripped.

use std::net::IpAddr;

use http::{Request, Version};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpSocket;

use super::*;
use crate::config::ServerLimits;

const SOON: Duration = Duration::from_secs(1);

fn limited(limits: ServerLimits) -> Server {
    Server { limits, ..open() }
}

fn default() -> ServerLimits {
    ServerLimits::default()
}

/// A connection on which an answer was read already.
async fn used(place: &Place) -> TcpStream {
    let mut stream = place.connect().await;
    ask(&mut stream).await;
    stream
}

/// The same, from another address of this machine.
async fn used_from(place: &Place, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    let mut stream = socket.connect(place.address).await.unwrap();
    ask(&mut stream).await;
    stream
}

async fn ask(stream: &mut TcpStream) {
    stream
        .write_all(b"GET /api/here HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let place = Place::new(&limited(ServerLimits {
        headers: 10,
        ..default()
    }))
    .await;
    let with = |count: usize| {
        (0..count).fold(place.get("/api/here"), |request, number| {
            request.header(format!("x-{number}"), "y")
        })
    };
    // The client adds two of its own.
    assert_eq!(status(with(8)).await, 200);
    let body = refused(
        with(9),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "HeadersTooLargeException",
    )
    .await;
    assert!(body["message"].as_str().unwrap().contains("10 headers"), "{body}");
    // Far too many do not come as far as the front.
    assert_eq!(status(with(30)).await, 431);
}

#[tokio::test]
async fn too_large_headers_are_refused() {
    let place = Place::new(&limited(ServerLimits {
        header_bytes: 4096,
        ..default()
    }))
    .await;
    let with = |bytes: usize| place.get("/api/here").header("x", "y".repeat(bytes));
    assert_eq!(status(with(3900)).await, 200);
    let body = refused(
        with(4096),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "HeadersTooLargeException",
    )
    .await;
    assert!(body["message"].as_str().unwrap().contains("4096 bytes"), "{body}");
    let long_path = place.get(&format!("/api/here?{}", "x".repeat(4100)));
    assert_eq!(status(long_path).await, 431);
    assert_eq!(status(with(300_000)).await, 431);
}

#[tokio::test]
async fn headers_that_do_not_come_to_an_end_end_the_connection() {
    let server = limited(ServerLimits {
        header_time: SOON,
        ..default()
    });
    let place = Place::new(&server).await;
    for begin in ["", "GET /api/here HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n"] {
        assert_eq!(place.told(begin.as_bytes()).await, "", "{begin}");
    }
    // Whoever sends a byte now and then gains nothing.
    let mut stream = place.connect().await;
    let (mut read, mut write) = stream.split();
    let drip = async {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SOON / 10).await;
        }
    };
    let ended = async {
        let mut byte = [0];
        matches!(read.read(&mut byte).await, Ok(0) | Err(_))
    };
    let over = timeout(PATIENCE, async {
        tokio::select! {
            over = ended => over,
            () = drip => true,
        }
    });
    assert!(over.await.unwrap());
    // The second request on a connection has no more time than the first.
    let mut stream = used(&place).await;
    stream.write_all(b"GET /api").await.unwrap();
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_connection_without_requests_is_ended() {
    let place = Place::new(&limited(ServerLimits {
        idle_time: SOON,
        ..default()
    }))
    .await;
    let mut stream = used(&place).await;
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn who_is_not_let_in_keeps_no_connection() {
    let place = Place::new(&Server {
        users: vec![user("sak", "hemmelig", &[Role::Fagsystem])],
        limits: ServerLimits {
            header_time: SOON,
            ..default()
        },
        ..Server::default()
    })
    .await;
    let answer = place.told(b"GET /api/here HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn one_address_takes_half_of_the_connections() {
    let place = Place::new(&limited(ServerLimits {
        connections: 4,
        ..default()
    }))
    .await;
    let (first, _second) = (used(&place).await, used(&place).await);
    assert_eq!(place.told(b"").await, "", "a third one is closed at once");
    let _other = used_from(&place, 2).await;
    drop(first);
    let again = timeout(PATIENCE, async {
        while place.get("/api/here").send().await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    again.await.expect("its place is free again");
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let place = Place::new(&limited(ServerLimits {
        connections: 2,
        ..default()
    }))
    .await;
    let (first, _second) = (used_from(&place, 1).await, used_from(&place, 2).await);
    let client = Client::builder()
        .local_address(IpAddr::from([127, 0, 0, 3]))
        .build()
        .unwrap();
    let third = tokio::spawn(client.get(format!("http://{}/api/here", place.address)).send());
    for _ in 0..20 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!third.is_finished(), "it has no place");
    drop(first);
    assert_eq!(third.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_its_connection() {
    let place = Place::new(&limited(ServerLimits {
        read_time: SOON,
        ..default()
    }))
    .await;
    let mut stream = place.connect().await;
    stream
        .write_all(b"GET /api/endless HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    // Then the client does nothing: the server's task ends by itself.
    place.stop.cancel();
    timeout(PATIENCE, place.served).await.expect("no task is held").unwrap();
    // What was under way in the network is all there is, and no end of the body.
    assert!(!rest(&mut stream).await.ends_with(b"0\r\n\r\n"));
}

async fn http2(place: &Place) -> (http2::SendRequest<Body>, JoinHandle<hyper::Result<()>>) {
    let stream = TokioIo::new(place.connect().await);
    let (client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    (client, tokio::spawn(connection))
}

fn request(place: &Place, path: &str) -> Request<Body> {
    let uri = format!("http://{}{path}", place.address);
    Request::get(uri).version(Version::HTTP_2).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_answer_of_http2_that_nobody_reads_ends_its_connection() {
    let place = Place::new(&limited(ServerLimits {
        read_time: SOON,
        ..default()
    }))
    .await;
    let (mut client, connection) = http2(&place).await;
    let unread = client.send_request(request(&place, "/api/endless")).await.unwrap();
    assert_eq!(unread.status(), 200);
    let ended = timeout(PATIENCE, connection)
        .await
        .expect("the connection ends")
        .unwrap();
    drop((unread, ended));
}

#[tokio::test]
async fn too_large_headers_of_http2_are_refused() {
    let place = Place::new(&limited(ServerLimits {
        header_bytes: 4096,
        ..default()
    }))
    .await;
    let (mut client, _connection) = http2(&place).await;
    for (bytes, expected) in [(3000, 200), (5000, 431), (12_000, 431)] {
        let mut request = request(&place, "/api/here");
        request.headers_mut().insert("x", "y".repeat(bytes).parse().unwrap());
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{bytes}");
    }
}

/// A frame of HTTP/2. Spec: RFC 9113, 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn a_flood_of_requests_that_are_given_up_ends_its_connection() {
    let (headers, rst_stream, settings, goaway) = (1, 3, 4, 7);
    let place = Place::new(&open()).await;
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(settings, 0, 0, &[]));
    for stream in (1..2000).step_by(2) {
        // GET http / from the static table of HPACK; END_STREAM and END_HEADERS; then CANCEL.
        flood.extend(frame(headers, 5, stream, &[0x82, 0x86, 0x84]));
        flood.extend(frame(rst_stream, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut stream = place.connect().await;
    // The server may have ended it already.
    let _sent = stream.write_all(&flood).await;
    let answer = rest(&mut stream).await;
    let too_much = [0, 0, 0, 11];
    let ended = answer
        .windows(17)
        .any(|bytes| bytes[3] == goaway && bytes[13..] == too_much);
    assert!(ended, "GOAWAY with ENHANCE_YOUR_CALM: {answer:?}");
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_end() {
    let place = Place::new(&open()).await;
    let mut stream = place.connect().await;
    stream
        .write_all(b"POST /api/read HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nab")
        .await
        .unwrap();
    let mut idle = used(&place).await;
    place.stop.cancel();
    assert_eq!(rest(&mut idle).await, b"", "an idle connection ends at once");
    stream.write_all(b"cd").await.unwrap();
    let answer = String::from_utf8(rest(&mut stream).await).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n4"),
        "{answer}"
    );
    timeout(PATIENCE, place.served).await.unwrap().unwrap();
    assert!(
        TcpStream::connect(place.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn more_requests_at_once_than_allowed_are_refused_on_http2() {
    let (headers, settings) = (1, 4);
    let place = Place::new(&open()).await;
    let mut requests = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    requests.extend(frame(settings, 0, 0, &[]));
    // POST http /api/read, whose body does not come.
    let head = [&[0x83, 0x86, 0x44, 9][..], b"/api/read"].concat();
    for stream in (1..=2 * 101).step_by(2) {
        requests.extend(frame(headers, 4, stream, &head));
    }
    let mut stream = place.connect().await;
    stream.write_all(&requests).await.unwrap();
    // RST_STREAM for the last one, with REFUSED_STREAM.
    let refusal = [0, 0, 4, 3, 0, 0, 0, 0, 201, 0, 0, 0, 7];
    let mut answer = Vec::new();
    while !answer.windows(refusal.len()).any(|bytes| bytes == refusal) {
        let more = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        assert!(more > 0, "{answer:?}");
    }
    let others = answer.windows(9).filter(|bytes| bytes[..5] == refusal[..5]).count();
    assert_eq!(others, 1, "only that one");
}
