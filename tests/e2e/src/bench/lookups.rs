//! How many questions the address service answers from its own data: plain, then signed.
//!
//! A signature takes most of the time of a signed answer, and is remembered for as long as the answer is the same. So a first round
//! over all receivers is told apart from the rounds that follow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{AddressService, Profile, World};

use crate::SENDER;
use crate::ask::Connection;
use crate::figure::{Figure, quantile};
use crate::machine::{cpu_seconds, peak_mib};

/// Questions at the same time, each on a connection of its own.
const CONNECTIONS: usize = 16;
/// Receivers in own data.
const RECEIVERS: usize = 2000;
const TIME: Duration = Duration::from_secs(10);
/// Before the clock starts.
const WARM_UP: Duration = Duration::from_secs(1);
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
/// Questions a second.
const PLAIN: f64 = 5000.0;
const SIGNED: f64 = 1500.0;

#[derive(Clone, Copy)]
enum Until {
    /// Time is up.
    Passed(Duration),
    /// Every receiver was asked about once.
    Round,
}

/// What came of a load.
struct Load {
    waits: Vec<Duration>,
    took: Duration,
    /// Seconds of processor time of the address service.
    cpu: f64,
}

impl Load {
    fn rate(&self) -> f64 {
        count(&self.waits) / self.took.as_secs_f64()
    }

    fn figures(&self, name: &str, target: f64) -> Vec<Figure> {
        let figure = |what: &str, value, unit| Figure::plain(format!("lookups, {name}: {what}"), value, unit);
        let wait = |thousandths| quantile(&self.waits, thousandths).as_secs_f64() * 1e3;
        vec![
            figure("answers", self.rate(), "/s").at_least(target),
            figure("client's wait, median", wait(500), "ms"),
            figure("client's wait, 99 of 100", wait(990), "ms"),
            figure(
                "processor time of ours",
                self.cpu / count(&self.waits) * 1e6,
                "µs/answer",
            ),
        ]
    }
}

fn count(waits: &[Duration]) -> f64 {
    f64::from(u32::try_from(waits.len()).unwrap_or(u32::MAX))
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!(
        "lookups: {RECEIVERS} receivers in own data, {CONNECTIONS} connections, {} s each",
        TIME.as_secs()
    );
    let world = World::with(&[SENDER], Profile::Release, None, DoublesConfig::default()).await?;
    let mut service = world.address_service(SENDER)?;
    service.import(&receivers(&world)).await?;
    service.start_with(&[("RUST_LOG", "error")]).await?;

    load(&service, "application/json", Until::Passed(WARM_UP)).await?;
    let plain = load(&service, "application/json", Until::Passed(TIME)).await?;
    let first = load(&service, "application/jose", Until::Round).await?;
    let signed = load(&service, "application/jose", Until::Passed(TIME)).await?;

    let mut figures = plain.figures("plain", PLAIN);
    figures.extend(signed.figures("signed", SIGNED));
    figures.push(Figure::plain(
        "lookups, signed for the first time: answers",
        first.rate(),
        "/s",
    ));
    figures.push(Figure::plain(
        "lookups: peak memory of ours",
        peak_mib(service.pid()?)?,
        "MiB",
    ));
    Ok(figures)
}

fn number(receiver: usize) -> String {
    format!("9{:08}", receiver % RECEIVERS)
}

fn receivers(world: &World) -> String {
    let certificate = world.organisations.first().map(|one| one.identity.certificate_pem());
    let certificate = certificate.unwrap_or_default();
    let one = |receiver| {
        let number = number(receiver);
        format!(
            "[[organisations]]\nnumber = \"{number}\"\nname = \"EKSEMPEL {number}\"\nregistrations = [\"{PROCESS}\"]\n\
             certificates = {{ DPO = \"\"\"{certificate}\"\"\" }}\n"
        )
    };
    (0..RECEIVERS).map(one).collect()
}

async fn load(service: &AddressService, accept: &'static str, until: Until) -> anyhow::Result<Load> {
    let pid = service.pid()?;
    let next = Arc::new(AtomicUsize::new(0));
    let cpu = cpu_seconds(pid)?;
    let started = Instant::now();
    let asking: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(ask(service.url(), accept, until, started, Arc::clone(&next))))
        .collect();
    let mut waits = Vec::new();
    for one in asking {
        waits.extend(one.await??);
    }
    let took = started.elapsed();
    let cpu = cpu_seconds(pid)? - cpu;
    waits.sort();
    Ok(Load { waits, took, cpu })
}

async fn ask(
    url: String,
    accept: &str,
    until: Until,
    started: Instant,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(&url).await?;
    let mut waits = Vec::new();
    loop {
        let receiver = next.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Passed(time) => started.elapsed() >= time,
            Until::Round => receiver >= RECEIVERS,
        };
        if over {
            return Ok(waits);
        }
        let path = format!("/adressetjeneste/identifier/{}/process/{PROCESS}", number(receiver));
        let asked = Instant::now();
        connection.get(&path, accept).await?;
        waits.push(asked.elapsed());
    }
}
