//! A line with a blocking far end, unless the test says otherwise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use budstikke_test_line::Line;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Long enough for bytes on loopback to have arrived if they were on their way.
const WHILE: Duration = Duration::from_millis(100);

/// A line and what is behind it.
struct World {
    far: TcpListener,
    line: Line,
}

impl World {
    fn new() -> Self {
        let far = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Line::to(far.local_addr().unwrap()).unwrap();
        Self { far, line }
    }

    /// Both ends of a new connection that has passed something each way.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let mut near = TcpStream::connect(self.line.address()).unwrap();
        let mut far = self.far.accept().unwrap().0;
        pass(&mut near, &mut far, b"ask");
        pass(&mut far, &mut near, b"answer");
        (near, far)
    }
}

fn pass(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    from.write_all(bytes).unwrap();
    let mut arrived = vec![0; bytes.len()];
    to.read_exact(&mut arrived).unwrap();
    assert_eq!(arrived, bytes);
}

/// What arrives before the reset.
fn until_reset(stream: &mut TcpStream) -> Vec<u8> {
    let mut arrived = Vec::new();
    let error = stream.read_to_end(&mut arrived).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    arrived
}

fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(WHILE)).unwrap();
    let read = stream.read(&mut [0; 16]);
    stream.set_read_timeout(None).unwrap();
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn is_refused(line: &Line) -> bool {
    TcpStream::connect(line.address()).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn large_things_pass_whole_and_their_end_is_passed_on() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    let sent: Vec<u8> = (0..5_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let arrived = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut arrived = Vec::new();
            far.read_to_end(&mut arrived).unwrap();
            far.write_all(b"got it").unwrap();
            drop(far);
            arrived
        });
        near.write_all(&sent).unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        reader.join().unwrap()
    });
    assert!(arrived == sent);
    let mut answer = String::new();
    near.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "got it");
}

#[test]
fn a_cut_resets_both_ends_of_every_connection() {
    let world = World::new();
    let mut connections = [world.connect(), world.connect()];
    world.line.cut().unwrap();
    for (near, far) in &mut connections {
        assert_eq!(until_reset(near), b"");
        assert_eq!(until_reset(far), b"");
    }
}

#[test]
fn a_cut_line_refuses_connections_until_it_is_mended() {
    let world = World::new();
    for _ in 0..20 {
        world.connect();
        world.line.cut().unwrap();
        assert!(is_refused(&world.line));
        world.line.mend().unwrap();
    }
    world.connect();
}

#[test]
fn what_is_sent_in_the_frost_never_arrives_and_resets_its_connection_when_mended() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    world.line.freeze().unwrap();
    near.write_all(b"lost").unwrap();
    assert!(is_silent(&mut far));
    assert!(is_silent(&mut near));
    world.line.mend().unwrap();
    assert_eq!(until_reset(&mut near), b"");
    assert_eq!(until_reset(&mut far), b"");
    world.connect();
}

#[test]
fn an_answer_is_lost_in_the_frost_as_well() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    world.line.freeze().unwrap();
    far.write_all(b"lost").unwrap();
    assert!(is_silent(&mut near));
    world.line.mend().unwrap();
    assert_eq!(until_reset(&mut near), b"");
}

#[test]
fn the_frost_takes_more_than_any_buffer_holds() {
    let world = World::new();
    let (mut near, _far) = world.connect();
    world.line.freeze().unwrap();
    near.write_all(&vec![0; 50_000_000]).unwrap();
}

#[test]
fn a_connection_that_lost_nothing_outlives_the_frost() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    world.line.freeze().unwrap();
    world.line.mend().unwrap();
    pass(&mut near, &mut far, b"still here");
    pass(&mut far, &mut near, b"so am I");
}

#[test]
fn an_end_in_the_frost_is_not_seen_before_it_is_over() {
    let world = World::new();
    let (near, mut far) = world.connect();
    world.line.freeze().unwrap();
    drop(near);
    assert!(is_silent(&mut far));
    world.line.mend().unwrap();
    assert_eq!(until_reset(&mut far), b"");
}

#[test]
fn a_new_connection_in_the_frost_is_taken_and_silent() {
    let world = World::new();
    world.line.freeze().unwrap();
    let mut near = TcpStream::connect(world.line.address()).unwrap();
    near.write_all(b"anybody?").unwrap();
    assert!(is_silent(&mut near));
    world.line.mend().unwrap();
    assert_eq!(until_reset(&mut near), b"");
    world.far.set_nonblocking(true).unwrap();
    assert_eq!(world.far.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_frozen_line_can_be_cut_and_a_cut_one_frozen() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    world.line.freeze().unwrap();
    world.line.cut().unwrap();
    assert_eq!(until_reset(&mut near), b"");
    assert_eq!(until_reset(&mut far), b"");
    assert!(is_refused(&world.line));
    world.line.freeze().unwrap();
    assert!(is_silent(&mut TcpStream::connect(world.line.address()).unwrap()));
}

#[test]
fn a_delay_holds_for_each_way_until_the_line_is_mended() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    world.line.delay(WHILE).unwrap();
    let start = Instant::now();
    pass(&mut near, &mut far, b"slow");
    pass(&mut far, &mut near, b"indeed");
    assert!(start.elapsed() >= 2 * WHILE);
    world.line.delay(Duration::from_hours(1)).unwrap();
    world.line.mend().unwrap();
    pass(&mut near, &mut far, b"quick again");
}

#[test]
fn the_next_connection_is_cut_after_so_many_bytes_and_the_one_after_it_is_whole() {
    let world = World::new();
    let (mut older, mut older_far) = world.connect();
    world.line.cut_after(5).unwrap();
    let mut near = TcpStream::connect(world.line.address()).unwrap();
    let mut far = world.far.accept().unwrap().0;
    pass(&mut far, &mut near, b"the other way is not counted");
    near.write_all(b"12").unwrap();
    near.write_all(b"34567").unwrap();
    assert_eq!(until_reset(&mut far), b"12345");
    assert_eq!(until_reset(&mut near), b"");
    pass(&mut older, &mut older_far, b"more than five");
    let (mut next, mut next_far) = world.connect();
    pass(&mut next, &mut next_far, b"more than five");
}

#[test]
fn mending_forgets_a_cut_that_has_not_come() {
    let world = World::new();
    world.line.cut_after(1).unwrap();
    world.line.mend().unwrap();
    world.connect();
}

#[test]
fn a_connection_is_reset_when_nobody_is_at_the_far_end() {
    // No test is given port 1.
    let line = Line::to(([127, 0, 0, 1], 1).into()).unwrap();
    assert_eq!(until_reset(&mut TcpStream::connect(line.address()).unwrap()), b"");
}

#[test]
fn a_reset_is_passed_on_as_one() {
    let world = World::new();
    let (mut near, mut far) = world.connect();
    near.write_all(b"unread").unwrap();
    far.read_exact(&mut [0; 1]).unwrap();
    // Closing with bytes unread is a reset.
    drop(far);
    assert_eq!(until_reset(&mut near), b"");
}

#[test]
fn a_line_is_cut_when_it_is_dropped() {
    let World { far, line } = World::new();
    let mut near = TcpStream::connect(line.address()).unwrap();
    let mut far = far.accept().unwrap().0;
    drop(line);
    assert_eq!(until_reset(&mut near), b"");
    assert_eq!(until_reset(&mut far), b"");
}

#[tokio::test]
async fn an_asynchronous_test_orders_and_drops_it_like_any_other() {
    let far = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = Line::to(far.local_addr().unwrap()).unwrap();
    let mut near = tokio::net::TcpStream::connect(line.address()).await.unwrap();
    let (mut far, _) = far.accept().await.unwrap();
    near.write_all(b"ask").await.unwrap();
    far.read_exact(&mut [0; 3]).await.unwrap();
    line.cut().unwrap();
    assert_eq!(near.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    line.mend().unwrap();
    tokio::net::TcpStream::connect(line.address()).await.unwrap();
    drop(line);
}
