//! As many messages as the target says, second by second for ten minutes: nothing may pile up, slow down or grow.
//!
//! `sustained` sends them. `outage` takes in twice as many that nobody can send: what the database alone makes of it, without the
//! signatures.
//!
//! Each message has its moment. What its client waits is counted from there, so that one late answer delays the count of the
//! next ones as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Fagsystem, File};

use crate::figure::{Figure, quantile};
use crate::ground::Ground;
use crate::letters::{CLIENTS, SIZE, Way, hand_over};
use crate::machine::resident_mib;
use crate::running::{PATIENCE, Running};

/// Messages per second that are sent.
const SENT: u32 = 505;
/// Messages per second that are only taken in.
const TAKEN_IN: u32 = 1000;
/// Of either, what comes out at the end.
const SHARE: f64 = 0.99;
const MINUTES: u32 = 10;
/// The last minute is compared with the second: the first one is warming up.
const COMPARED: usize = 1;
/// How much more the last minute may take.
const FLAT: f64 = 1.5;
/// How much more memory there may be at the end.
const FLAT_MEMORY: f64 = 1.15;
/// Waits below this say nothing about growth, milliseconds.
const LEAST: f64 = 20.0;

/// What was seen in one minute.
#[derive(Default)]
struct Minute {
    /// From a message's moment to its answer.
    answered: Vec<Duration>,
    /// Accepted and not yet at Altinn's stand-in, each second.
    waiting: Vec<u64>,
    /// At its end, MiB.
    memory: f64,
}

impl Minute {
    /// From the answer to the upload, ms: as many as wait on average leave in that time.
    fn on_its_way(&self, pace: u32) -> f64 {
        let sum: u64 = self.waiting.iter().sum();
        to_f64(sum) / to_f64(self.waiting.len() as u64).max(1.0) / f64::from(pace) * 1e3
    }

    fn wait(&self, thousandths: usize) -> f64 {
        quantile(&self.answered, thousandths).as_secs_f64() * 1e3
    }
}

/// Messages that are sent. `pace`: other than the target's, for a machine that cannot do as many.
pub(crate) async fn measure(ground: &Ground, pace: Option<u32>) -> anyhow::Result<Vec<Figure>> {
    let name = ground.name();
    let pace = pace.unwrap_or(SENT);
    println!("sustained: {pace} messages of {SIZE} bytes each second for {MINUTES} minutes, one request each, {name}");
    let run = Run::begin(Running::warm(ground).await?, pace)?;
    let minutes = run.hand_over().await?;
    while run.published() < run.messages() {
        ensure!(
            run.begun.elapsed() < Duration::from_mins(u64::from(MINUTES)) + PATIENCE,
            "not every message left"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rate = to_f64(run.messages()) / run.begun.elapsed().as_secs_f64();
    let mut figures = vec![Figure::plain("published", rate, "/s").at_least((f64::from(SENT) * SHARE).round())];
    figures.extend(waits(&minutes));
    figures.extend(flat("answer to upload, mean", &minutes, |minute| {
        minute.on_its_way(pace)
    }));
    figures.extend(run.cost(&minutes)?);
    Ok(figures
        .into_iter()
        .map(|figure| figure.of(&format!("sustained, {name}")))
        .collect())
}

/// Messages that wait: the token issuer does not answer.
pub(crate) async fn measure_outage(ground: &Ground, pace: Option<u32>) -> anyhow::Result<Vec<Figure>> {
    let name = ground.name();
    let pace = pace.unwrap_or(TAKEN_IN);
    println!("outage: {pace} messages of {SIZE} bytes each second for {MINUTES} minutes, {name}; nothing is sent");
    let world = Running::world().await?;
    let silence = Fault::Delay(Duration::from_hours(1));
    world.doubles.faults().always(Route::Token, silence);
    let run = Run::begin(Running::start_in(world, ground).await?, pace)?;
    let minutes = run.hand_over().await?;
    let rate = to_f64(run.messages()) / run.begun.elapsed().as_secs_f64();
    let mut figures = vec![Figure::plain("taken in", rate, "/s").at_least((f64::from(TAKEN_IN) * SHARE).round())];
    figures.extend(waits(&minutes));
    figures.extend(run.cost(&minutes)?);
    Ok(figures
        .into_iter()
        .map(|figure| figure.of(&format!("outage, {name}")))
        .collect())
}

fn waits(minutes: &[Minute]) -> Vec<Figure> {
    let mut figures = flat("client's wait, median", minutes, |minute| minute.wait(500));
    figures.extend(flat("client's wait, 99 of 100", minutes, |minute| minute.wait(990)));
    figures
}

/// Milliseconds that may not grow.
fn flat(what: &str, minutes: &[Minute], of: impl Fn(&Minute) -> f64) -> Vec<Figure> {
    let (Some(early), Some(last)) = (minutes.get(COMPARED), minutes.last()) else {
        return Vec::new();
    };
    let most = (of(early).max(LEAST) * FLAT).round();
    vec![
        Figure::plain(format!("{what}, minute {}", COMPARED + 1), of(early), "ms"),
        Figure::plain(format!("{what}, last minute"), of(last), "ms").at_most(most),
    ]
}

/// Ten minutes of it.
struct Run {
    running: Running,
    pace: u32,
    begun: Instant,
    /// At the beginning.
    uploads: u64,
    /// Seconds of processor time at the beginning.
    cpu: (f64, f64),
}

impl Run {
    fn begin(running: Running, pace: u32) -> anyhow::Result<Self> {
        let (uploads, cpu) = (running.uploads(), running.cpu()?);
        Ok(Self {
            running,
            pace,
            begun: Instant::now(),
            uploads,
            cpu,
        })
    }

    fn messages(&self) -> u64 {
        u64::from(self.pace * MINUTES * 60)
    }

    fn published(&self) -> u64 {
        self.running.uploads() - self.uploads
    }

    /// Each at its moment; says every minute how it goes.
    async fn hand_over(&self) -> anyhow::Result<Vec<Minute>> {
        let (next, accepted) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let client = Client {
                    fagsystem: self.running.fagsystem.clone(),
                    file: self.running.file.clone(),
                    begun: self.begun,
                    pace: self.pace,
                    next: Arc::clone(&next),
                    accepted: Arc::clone(&accepted),
                };
                tokio::spawn(client.work())
            })
            .collect();
        let mut minutes: Vec<Minute> = (0..MINUTES).map(|_| Minute::default()).collect();
        for second in 0..MINUTES * 60 {
            tokio::time::sleep_until((self.begun + Duration::from_secs(u64::from(second) + 1)).into()).await;
            let minute = &mut minutes[(second / 60) as usize];
            let (accepted, published) = (u64::from(accepted.load(Ordering::Relaxed)), self.published());
            minute.waiting.push(accepted.saturating_sub(published));
            if (second + 1) % 60 == 0 {
                minute.memory = resident_mib(self.running.pid)?;
                println!(
                    "  minute {:>2}: {accepted} taken in, {published} published, {:.0} MiB",
                    second / 60 + 1,
                    minute.memory
                );
            }
        }
        for client in clients {
            for (moment, wait) in client.await?? {
                let place = usize::try_from(moment.as_secs() / 60)?.min(minutes.len() - 1);
                minutes[place].answered.push(wait);
            }
        }
        for (number, minute) in minutes.iter_mut().enumerate() {
            minute.answered.sort();
            println!(
                "  minute {:>2}: clients waited {:.1} ms, 99 of 100 at most {:.1} ms, 999 of 1000 {:.1} ms",
                number + 1,
                minute.wait(500),
                minute.wait(990),
                minute.wait(999)
            );
        }
        Ok(minutes)
    }

    /// In memory and processor time.
    fn cost(&self, minutes: &[Minute]) -> anyhow::Result<Vec<Figure>> {
        let memory = |index: usize| minutes.get(index).map_or(0.0, |minute| minute.memory);
        let (early, last) = (memory(COMPARED), memory(minutes.len() - 1));
        let (ours, others) = self.running.cpu()?;
        let each = |seconds: f64| seconds / to_f64(self.messages()) * 1e3;
        Ok(vec![
            Figure::plain("memory after minute 2", early, "MiB"),
            Figure::plain("memory at the end", last, "MiB").at_most((early * FLAT_MEMORY).round()),
            Figure::plain("processor time of ours", each(ours - self.cpu.0), "ms/message"),
            Figure::plain("… of clients and stand-ins", each(others - self.cpu.1), "ms/message"),
        ])
    }
}

/// One of those who hand messages over.
struct Client {
    fagsystem: Fagsystem,
    file: File,
    begun: Instant,
    pace: u32,
    next: Arc<AtomicU32>,
    accepted: Arc<AtomicU32>,
}

impl Client {
    /// The moment of each message, and what it waited.
    async fn work(self) -> anyhow::Result<Vec<(Duration, Duration)>> {
        let mut answered = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.pace * MINUTES * 60 {
                return Ok(answered);
            }
            let moment = Duration::from_secs(u64::from(number)) / self.pace;
            tokio::time::sleep_until((self.begun + moment).into()).await;
            let id = uuid::Uuid::new_v4().to_string();
            hand_over(&self.fagsystem, Way::OneShot, &id, &self.file).await?;
            self.accepted.fetch_add(1, Ordering::Relaxed);
            answered.push((moment, self.begun.elapsed().saturating_sub(moment)));
        }
    }
}

fn to_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
