//! How fast messages are taken in, while nothing can be sent: the token issuer does not answer.
//!
//! Every call is on disk before its client gets its answer. Clients and the integrasjonspunkt share the machine.

use std::time::{Duration, Instant};

use budstikke_doubles::{Fault, Route};

use crate::figure::{Figure, quantile};
use crate::ground::{Ground, Kind, on_each};
use crate::letters::{CLIENTS, SIZE, Way, hand_over_all};
use crate::machine::peak_mib;
use crate::running::Running;

const MESSAGES: usize = 10_000;
/// Before the clock starts.
const WARM_UP: usize = 500;

/// Messages per second.
fn target(way: Way, ground: &Ground) -> f64 {
    match (way, ground) {
        (Way::OneShot, Ground::Postgres { .. }) => 2000.0,
        _ => 1000.0,
    }
}

pub(crate) async fn measure(kinds: &[Kind]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (way, name) in [(Way::ThreeCalls, "three calls"), (Way::OneShot, "one request")] {
        figures.extend(on_each(kinds, async |ground| run(way, name, ground).await).await?);
    }
    Ok(figures)
}

async fn run(way: Way, name: &str, ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = format!("{name}, {}", ground.name());
    println!("accept: {MESSAGES} messages of {SIZE} bytes from {CLIENTS} clients, {name} each; nothing is sent");
    let world = Running::world().await?;
    world
        .doubles
        .faults()
        .always(Route::Token, Fault::Delay(Duration::from_hours(1)));
    let running = Running::start_in(world, ground).await?;
    hand_over_all(&running.fagsystem, way, &running.file, WARM_UP).await?;

    let cpu = running.cpu()?;
    let started = Instant::now();
    let answered = hand_over_all(&running.fagsystem, way, &running.file, MESSAGES).await?;
    let accepted = started.elapsed();
    let cpu = (running.cpu()?.0 - cpu.0, running.cpu()?.1 - cpu.1);

    let count = f64::from(u32::try_from(MESSAGES)?);
    let figure = |what: &str, value, unit| Figure::plain(format!("accept, {name}: {what}"), value, unit);
    let wait = |thousandths| quantile(&answered, thousandths).as_secs_f64() * 1e3;
    Ok(vec![
        figure("durable messages", count / accepted.as_secs_f64(), "/s").at_least(target(way, ground)),
        figure("client's wait, median", wait(500), "ms"),
        figure("client's wait, 99 of 100", wait(990), "ms"),
        figure("processor time of ours", cpu.0 / count * 1e3, "ms/message"),
        figure("… of clients", cpu.1 / count * 1e3, "ms/message"),
        figure("peak memory of ours", peak_mib(running.pid)?, "MiB"),
    ])
}
