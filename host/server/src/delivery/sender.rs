//! The road out: takes due messages of one service and has its adapter send them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke_message::status::Status;
use budstikke_runtime::Plugin;
use budstikke_runtime::services::{Failure, Sent, StatusReport};
use budstikke_store::{Claimed, NewStatus, Outcome, StoreError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::lanes::{Ending, Lanes};
use super::outgoing_call::OutgoingCall;
use super::{bounded, retry};
use crate::adapters::Adapter;
use crate::fail_point;
use crate::node::Node;
use crate::presence;
use crate::routing::Request;

/// The longest sleep of a sender that nobody wakes.
const IDLE: Duration = Duration::from_secs(5);
/// How long to wait for an adapter that is not running.
const NOT_RUNNING: Duration = Duration::from_secs(1);
/// How long to wait when what is ready has to wait for its receiver.
const BUSY: Duration = Duration::from_millis(250);
/// A message that is under way for so long stands aside.
const SLOW: Duration = Duration::from_secs(5);
/// How many may stand aside for each that is under way.
const ASIDE: u32 = 2;
/// How long the only free places wait for more to become free.
const COMPANY: Duration = Duration::from_millis(5);
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Raw receipts are cut here, bytes. Contract: `types.status-report`.
const RECEIPT: usize = 256 * 1024;

/// What a message is told that has lived too long. The wording is the one that fagsystems know.
pub(super) const EXPIRED: &str = "Levetiden for meldingen er utgått. Må sendes på nytt";

/// Sends until told to stop; then waits for what is under way.
pub(super) async fn run(node: Arc<Node>, adapter: Arc<Adapter>, service: String, stop: CancellationToken) {
    let sender = Arc::new(Sender::new(node, adapter, service));
    loop {
        // Registered before the look at the store, so that a message queued in between is not slept over.
        let rung = sender.node.queued.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let free = tokio::select! {
            () = stop.cancelled() => break,
            free = sender.free() => free,
        };
        match sender.claim(free).await {
            Ok(messages) if messages.is_empty() => {
                let idle = sender.until_next().await;
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = &mut rung => {}
                    () = sender.ended.notified() => {}
                    () = tokio::time::sleep(idle) => {}
                }
            }
            Ok(messages) => {
                for message in messages {
                    let Ok(permit) = sender.permits.clone().acquire_owned().await else {
                        break;
                    };
                    sender.lanes.begin(&message.lane);
                    let span = tracing::info_span!(
                        "send",
                        message_id = %message.message.facts.message_id,
                        service = %message.message.facts.service,
                        attempt = message.attempt
                    );
                    tokio::spawn(sender.clone().turn(message, permit).instrument(span));
                }
            }
            Err(error) => {
                tracing::error!(%error, service = sender.service, "the store cannot say what is to be sent; trying again");
                if error.is_unclear() {
                    presence::give_back(&sender.node).await;
                }
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
    }
    // All permits back: nothing is under way any more.
    let _done = sender.permits.acquire_many(sender.concurrency).await;
    let _done = sender.aside.acquire_many(sender.concurrency * ASIDE).await;
}

/// Sends the messages of one service.
struct Sender {
    node: Arc<Node>,
    adapter: Arc<Adapter>,
    service: String,
    concurrency: u32,
    lanes: Lanes,
    /// For messages under way.
    permits: Arc<Semaphore>,
    /// For those under way that take long: they stand aside, and others get their permit.
    aside: Arc<Semaphore>,
    /// Rung when a message is no longer under way: its lane may have room again.
    ended: Notify,
}

impl Sender {
    fn new(node: Arc<Node>, adapter: Arc<Adapter>, service: String) -> Self {
        let concurrency = node.settings.concurrency_of(&service);
        let permits = u32::try_from(concurrency).unwrap_or(u32::MAX / ASIDE);
        Self {
            lanes: Lanes::new(concurrency),
            permits: Arc::new(Semaphore::new(permits as usize)),
            aside: Arc::new(Semaphore::new((permits * ASIDE) as usize)),
            ended: Notify::new(),
            concurrency: permits,
            node,
            adapter,
            service,
        }
    }

    /// Waits until a message more can be under way; how many can. When it is few, others that end in the next moment are
    /// replaced with the same claim: a commit for each single one would cost more than it brings.
    async fn free(&self) -> usize {
        let Ok(permit) = self.permits.acquire().await else {
            return 0;
        };
        if self.permits.available_permits() < self.concurrency as usize / 4 {
            tokio::time::sleep(COMPANY).await;
        }
        self.permits.available_permits() + permit.num_permits()
    }

    async fn claim(&self, free: usize) -> Result<Vec<Claimed>, StoreError> {
        let turn = self.lanes.turn(free, Instant::now());
        if turn.limit == 0 || self.adapter.plugin().is_none() || !self.node.presence.is_here() {
            return Ok(Vec::new());
        }
        self.node.store.claim(&self.service, Node::now(), turn).await
    }

    /// How long nobody needs to look.
    async fn until_next(&self) -> Duration {
        if self.adapter.plugin().is_none() || !self.node.presence.is_here() {
            return NOT_RUNNING;
        }
        if let Some(pause) = self.lanes.pause(Instant::now()) {
            return pause.min(IDLE);
        }
        match self.node.store.next_due(&self.service).await {
            // Something is ready, but its receiver has enough in hand, or is left alone.
            Ok(Some(0)) => BUSY,
            Ok(Some(due)) => Duration::from_millis((due - Node::now()).max(10).unsigned_abs()).min(IDLE),
            _ => IDLE,
        }
    }

    /// One message under way.
    async fn turn(self: Arc<Self>, message: Claimed, permit: OwnedSemaphorePermit) {
        let lane = message.lane.clone();
        let sending = send(&self.node, &self.adapter, message);
        tokio::pin!(sending);
        let mut held = permit;
        let (ending, slow) = tokio::select! {
            ending = &mut sending => (ending, false),
            () = tokio::time::sleep(SLOW) => {
                self.lanes.slow(&lane);
                if let Ok(aside) = self.aside.clone().try_acquire_owned() {
                    held = aside;
                }
                (sending.await, true)
            }
        };
        if let Some(paused) = self.lanes.end(&lane, slow, ending, Instant::now()) {
            tracing::warn!(
                service = self.service,
                ?paused,
                "attempts fail again and again; it is left alone for a while"
            );
        }
        drop(held);
        self.ended.notify_one();
    }
}

async fn send(node: &Arc<Node>, adapter: &Adapter, claimed: Claimed) -> Ending {
    fail_point::reached("send.after-claim");
    let (id, lease, answer) = (claimed.message.id, claimed.lease, claimed.answer);
    let (outcome, ending) = attempt(node, adapter, claimed).await;
    fail_point::reached("send.before-finish");
    // Nobody else can end this attempt: a message whose outcome is not stored would stay in our hands until the next start.
    loop {
        match node.store.finish(id, lease, outcome.clone()).await {
            Ok(()) => {
                fail_point::reached("send.after-finish");
                if answer || matches!(outcome, Outcome::Retry { .. }) {
                    // The sender sleeps until the next message that it knew of, which was not this one, and not the answer
                    // that waited for this answer.
                    node.queued.notify_waiters();
                }
                return ending;
            }
            Err(StoreError::LeaseLost) => {
                tracing::warn!("another worker took the message; this attempt changes nothing");
                return Ending::Neither;
            }
            Err(StoreError::Closed(reason)) => {
                tracing::warn!(
                    reason,
                    "the store closed before the outcome was stored; it is found out again"
                );
                presence::give_back(node).await;
                return Ending::Neither;
            }
            Err(error) => tracing::error!(%error, "the outcome of an attempt could not be stored; trying again"),
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
}

/// Why a message waits, when a rule of routing wants another version of its adapter than the one that runs.
fn waits_for_version(node: &Node, claimed: &Claimed, plugin: &Plugin) -> Option<String> {
    let facts = &claimed.message.facts;
    let request = Request {
        process: &facts.process,
        receiver: facts.receiver_identifier.as_deref(),
        document_type: Some(&facts.document_type),
    };
    let wanted = node.routing.pinned_version(&request, &facts.service)?;
    let running = format!("sha256:{}", plugin.digest());
    (!claimed.answer && wanted != running)
        .then(|| format!("a rule of routing wants the adapter's version {wanted}; {running} is running"))
}

/// The outcome for the message, and what it says about its service.
async fn attempt(node: &Arc<Node>, adapter: &Adapter, claimed: Claimed) -> (Outcome, Ending) {
    let expired = claimed.message.facts.expiry < Node::now();
    // With a checkpoint the message may have left already, whose outcome only the adapter can find out.
    let may_have_left = claimed.uncertain || !claimed.checkpoints.is_empty();
    if expired && !may_have_left {
        return (life_ended(), Ending::Neither);
    }
    let again = Again {
        attempt: claimed.attempt,
        receiver: claimed.message.facts.receiver_identifier.clone().unwrap_or_default(),
        service: claimed.message.facts.service.clone(),
        uncertain: claimed.uncertain,
    };
    let answer = claimed.answer;
    let Some(plugin) = adapter.plugin() else {
        let text = format!("the adapter {} is not running", adapter.name);
        return (again.later(node, None, text), Ending::Neither);
    };
    if let Some(text) = waits_for_version(node, &claimed, &plugin) {
        return (again.later(node, None, text), Ending::Neither);
    }
    let call = match OutgoingCall::new(node, claimed).await {
        Ok(call) => call,
        // Our own disk or registry: the service was not asked.
        Err(failure) => return (again.failed(node, failure, answer, expired), Ending::Neither),
    };
    match plugin.send(Arc::new(call)).await {
        Ok(Ok(sent)) => (left(sent), Ending::Works),
        Ok(Err(failure)) => {
            let ending = match failure {
                Failure::Permanent { .. } => Ending::Works,
                Failure::Temporary { .. } | Failure::Unknown { .. } => Ending::Fails,
            };
            (again.failed(node, failure, answer, expired), ending)
        }
        Err(_) if expired => (life_ended(), Ending::Fails),
        // Whatever it was doing when it broke off, it may have sent.
        Err(error) => {
            let again = Again {
                uncertain: true,
                ..again
            };
            (again.later(node, None, error.to_string()), Ending::Fails)
        }
    }
}

/// What is needed to say when the next attempt is due, or that there is none.
struct Again {
    attempt: u32,
    receiver: String,
    service: String,
    uncertain: bool,
}

impl Again {
    fn failed(self, node: &Node, failure: Failure, answer: bool, expired: bool) -> Outcome {
        match failure {
            _ if expired => life_ended(),
            Failure::Temporary { detail, retry_after } => self.later(node, retry_after, detail),
            Failure::Unknown { detail, retry_after } => Self {
                uncertain: true,
                ..self
            }
            .later(node, retry_after, detail),
            Failure::Permanent { code, detail } => {
                let now = Node::now();
                tracing::error!(code, detail, "the message cannot be sent");
                let status = NewStatus::plain(Status::Feil, now)
                    .saying("Failed to deliver message - check raw receipt")
                    .with_receipt(bounded(format!("{code}: {detail}"), RECEIPT));
                Outcome::GaveUp {
                    status,
                    discard: answer,
                    now,
                }
            }
        }
    }

    fn later(self, node: &Node, asked: Option<u32>, error: String) -> Outcome {
        let now = Node::now();
        let Some(delay) = retry::delay(&node.settings.retry_seconds, self.attempt, asked) else {
            tracing::error!(
                error,
                attempt = self.attempt,
                "the message did not leave; it was the last attempt"
            );
            let text = format!(
                "Request to receiver '{}' failed delivery over {} - Moved to DLQ",
                self.receiver, self.service
            );
            let status = NewStatus::plain(Status::Feil, now)
                .saying(text)
                .with_receipt(bounded(error, RECEIPT));
            return Outcome::GaveUp {
                status,
                discard: false,
                now,
            };
        };
        tracing::warn!(
            error,
            seconds = delay.as_secs(),
            uncertain = self.uncertain,
            "the message did not leave; it is tried again"
        );
        let due = now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        Outcome::Retry {
            due,
            error: bounded(error, 4096),
            uncertain: self.uncertain,
        }
    }
}

fn life_ended() -> Outcome {
    let now = Node::now();
    Outcome::GaveUp {
        status: NewStatus::plain(Status::LevetidUtlopt, now).saying(EXPIRED),
        discard: true,
        now,
    }
}

fn left(sent: Sent) -> Outcome {
    let now = Node::now();
    tracing::info!(reference = sent.reference.as_deref().unwrap_or(""), "sent");
    let mut statuses = vec![NewStatus::plain(Status::Sendt, now)];
    statuses.extend(sent.reports.into_iter().filter_map(|report| registered(report, now)));
    let track_at = sent
        .track_after
        .map(|seconds| now.saturating_add(i64::from(seconds) * 1000));
    Outcome::Sent {
        statuses,
        reference: sent.reference,
        track_at,
    }
}

/// A status that an adapter reported, if it is one.
pub(super) fn registered(report: StatusReport, now: i64) -> Option<NewStatus> {
    let Ok(status) = report.status.parse::<Status>() else {
        tracing::warn!(
            status = report.status,
            "the adapter reported a status that does not exist"
        );
        return None;
    };
    let at = report
        .at
        .and_then(|seconds| i64::try_from(seconds).ok())
        .map_or(now, |seconds| seconds.saturating_mul(1000));
    Some(NewStatus {
        status,
        description: report.description,
        raw_receipt: report.raw_receipt.map(|raw| bounded(raw, RECEIPT)),
        at,
    })
}
