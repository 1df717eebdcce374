//! As many messages as the target says, second by second for ten minutes: nothing may pile up, slow down or grow.
//!
//! Each message has its moment. What its client waits is counted from there, so that one late answer delays the count of the
//! next ones as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use budstikke_e2e::{Fagsystem, File};

use crate::figure::{Figure, quantile};
use crate::ground::Ground;
use crate::letters::{CLIENTS, SIZE, Way, hand_over};
use crate::machine::resident_mib;
use crate::running::{PATIENCE, Running};

/// Messages per second that are handed over, and that must be published.
const PACE: u32 = 505;
const TARGET: f64 = 500.0;
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
    fn on_its_way(&self) -> f64 {
        let sum: u64 = self.waiting.iter().sum();
        to_f64(sum) / to_f64(self.waiting.len() as u64).max(1.0) / f64::from(PACE) * 1e3
    }

    fn wait(&self, thousandths: usize) -> f64 {
        quantile(&self.answered, thousandths).as_secs_f64() * 1e3
    }
}

pub(crate) async fn measure(ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = ground.name();
    println!("sustained: {PACE} messages of {SIZE} bytes each second for {MINUTES} minutes, one request each, {name}");
    let running = Running::warm(ground).await?;
    let (before, cpu) = (running.uploads(), running.cpu()?);
    let begun = Instant::now();
    let (next, accepted) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let client = Client {
                fagsystem: running.fagsystem.clone(),
                file: running.file.clone(),
                begun,
                next: Arc::clone(&next),
                accepted: Arc::clone(&accepted),
            };
            tokio::spawn(client.work())
        })
        .collect();
    let mut minutes: Vec<Minute> = (0..MINUTES).map(|_| Minute::default()).collect();
    for second in 0..MINUTES * 60 {
        tokio::time::sleep_until((begun + Duration::from_secs(u64::from(second) + 1)).into()).await;
        let minute = &mut minutes[(second / 60) as usize];
        let (accepted, uploaded) = (accepted.load(Ordering::Relaxed), running.uploads() - before);
        minute.waiting.push(u64::from(accepted).saturating_sub(uploaded));
        if (second + 1) % 60 == 0 {
            minute.memory = resident_mib(running.pid)?;
            println!(
                "  minute {:>2}: {uploaded} published, {:.0} ms on their way, {:.0} MiB",
                second / 60 + 1,
                minute.on_its_way(),
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
    let total = u64::from(PACE * MINUTES * 60);
    while running.uploads() - before < total {
        ensure!(
            begun.elapsed() < Duration::from_mins(u64::from(MINUTES)) + PATIENCE,
            "not every message left"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (rate, cpu_now) = (to_f64(total) / begun.elapsed().as_secs_f64(), running.cpu()?);
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
    Ok(figures(
        name,
        rate,
        &minutes,
        (cpu_now.0 - cpu.0, cpu_now.1 - cpu.1),
        total,
    ))
}

fn figures(name: &str, rate: f64, minutes: &[Minute], cpu: (f64, f64), total: u64) -> Vec<Figure> {
    let figure = |what: &str, value, unit| Figure::plain(format!("sustained, {name}: {what}"), value, unit);
    let mut figures = vec![figure("published", rate, "/s").at_least(TARGET)];
    let (Some(early), Some(last)) = (minutes.get(COMPARED), minutes.last()) else {
        return figures;
    };
    let mut pair = |what: &str, early: f64, last: f64| {
        figures.push(figure(&format!("{what}, minute {}", COMPARED + 1), early, "ms"));
        figures.push(figure(&format!("{what}, last minute"), last, "ms").at_most((early.max(LEAST) * FLAT).round()));
    };
    pair("client's wait, median", early.wait(500), last.wait(500));
    pair("client's wait, 99 of 100", early.wait(990), last.wait(990));
    pair("answer to upload, mean", early.on_its_way(), last.on_its_way());
    let limit = (early.memory * FLAT_MEMORY).round();
    figures.extend([
        figure("memory after minute 2", early.memory, "MiB"),
        figure("memory at the end", last.memory, "MiB").at_most(limit),
        figure("processor time of ours", cpu.0 / to_f64(total) * 1e3, "ms/message"),
        figure("… of clients and stand-ins", cpu.1 / to_f64(total) * 1e3, "ms/message"),
    ]);
    figures
}

/// One of those who hand messages over.
struct Client {
    fagsystem: Fagsystem,
    file: File,
    begun: Instant,
    next: Arc<AtomicU32>,
    accepted: Arc<AtomicU32>,
}

impl Client {
    /// The moment of each message, and what it waited.
    async fn work(self) -> anyhow::Result<Vec<(Duration, Duration)>> {
        let mut answered = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= PACE * MINUTES * 60 {
                return Ok(answered);
            }
            let moment = Duration::from_secs(u64::from(number)) / PACE;
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
