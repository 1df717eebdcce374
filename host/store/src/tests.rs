//! The store as its callers use it: every test runs on a file and on a server.

use std::sync::Arc;
use std::time::Duration;

use budstikke_message::status::Status;

use super::*;

const NOW: i64 = 1_772_442_900_000;
const HOUR: i64 = 3_600_000;
const RULES: AttachmentRules = AttachmentRules { limit: 1000 };

/// A store of a test's own, and what it stands on.
struct Place {
    store: Arc<Store>,
    ground: Ground,
}

enum Ground {
    File(tempfile::TempDir),
    Server(budstikke_test_postgres::Database),
}

impl Ground {
    fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    async fn server() -> Self {
        let database = || budstikke_test_postgres::Server::shared().unwrap().database().unwrap();
        Self::Server(tokio::task::spawn_blocking(database).await.unwrap())
    }

    /// An empty one of the same kind.
    async fn another(&self) -> Self {
        match self {
            Self::File(_) => Self::file(),
            Self::Server(_) => Self::server().await,
        }
    }

    fn place(&self) -> crate::Place {
        match self {
            Self::File(folder) => crate::Place::File(folder.path().join("b.db")),
            Self::Server(database) => crate::Place::Server {
                url: database.url().to_owned(),
                writers: 3,
            },
        }
    }
}

impl Place {
    async fn on(ground: Ground) -> Self {
        Self {
            store: Arc::new(Store::open(ground.place(), "test").await.unwrap()),
            ground,
        }
    }

    async fn on_a_file() -> Self {
        Self::on(Ground::file()).await
    }

    async fn on_a_server() -> Self {
        Self::on(Ground::server().await).await
    }

    /// After a crash, once it was noticed.
    async fn reopened(self) -> Self {
        self.store.beat(Duration::ZERO).await.unwrap();
        drop(self.store);
        let place = Self::on(self.ground).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        place.store.bury_the_dead().await.unwrap();
        place
    }
}

/// Makes a test of each function that needs several nodes: on PostgreSQL.
macro_rules! on_a_server {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(crate::tests::Place::on_a_server().await).await;
            }
        })*
    };
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            use crate::tests::Place;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(Place::on_a_file().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(Place::on_a_server().await).await;
            }
        })*
    };
}

fn facts(message_id: &str) -> ConversationFacts {
    ConversationFacts {
        message_id: message_id.into(),
        conversation_id: format!("c-{message_id}"),
        sender: "0192:991825827".into(),
        sender_identifier: "991825827".into(),
        receiver: Some("0192:910076787".into()),
        receiver_identifier: Some("910076787".into()),
        process: "p".into(),
        document_type: "d::t".into(),
        service: "S".into(),
        channel: None,
        expiry: NOW + HOUR,
    }
}

fn sealed() -> SealedSbd {
    SealedSbd {
        content: b"sealed".to_vec(),
        data_key: b"key".to_vec(),
    }
}

/// Up to so many, from whatever lane.
fn some(limit: usize) -> Turn {
    Turn {
        limit,
        lane_limit: limit,
        ..Turn::default()
    }
}

fn new(message_id: &str) -> NewOutgoing {
    NewOutgoing {
        facts: facts(message_id),
        message_type: "t".into(),
        sbd: sealed(),
        reply_channel: None,
        ready: false,
        route: None,
    }
}

/// An answer of our own to a message.
fn answer(message_id: &str) -> NewOutgoing {
    NewOutgoing {
        ready: true,
        ..new(message_id)
    }
}

fn file(name: &str, size: u64) -> NewAttachment {
    let file = Attachment {
        number: 0,
        blob: format!("blob-{name}"),
        filename: name.into(),
        title: None,
        mime: "text/plain".into(),
        size,
        primary: name == "first.txt",
    };
    NewAttachment {
        file,
        small: None,
        describes: None,
    }
}

fn arrival(message_id: &str, reference: &str) -> Arrival {
    Arrival {
        facts: facts(message_id),
        message_type: "t".into(),
        sbd: sealed(),
        package: Some(StoredFile {
            blob: format!("package-{reference}"),
            size: 10,
            small: None,
        }),
        statuses: vec![
            NewStatus::plain(Status::Opprettet, NOW),
            NewStatus::plain(Status::InnkommendeMottatt, NOW),
        ],
        queue: true,
        answer: Some(answer(message_id)),
        related: None,
        reference: reference.into(),
        now: NOW,
    }
}

fn about(message_id: &str, sender: &str) -> About {
    About {
        message_id: message_id.into(),
        service: "S".into(),
        sender: sender.into(),
    }
}

fn created() -> NewStatus {
    NewStatus::plain(Status::Opprettet, NOW)
}

async fn queued(store: &Store, id: &str) {
    store
        .create(new(id), vec![file("first.txt", 5)], RULES, created())
        .await
        .unwrap();
    store.queue(id, NOW).await.unwrap();
}

fn sent() -> Outcome {
    Outcome::Sent {
        statuses: vec![NewStatus::plain(Status::Sendt, NOW + 1)],
        reference: Some("transfer".into()),
        track_at: Some(NOW + 5000),
    }
}

async fn statuses(store: &Store, id: &str) -> Vec<String> {
    let filter = StatusFilter {
        message_id: Some(id.into()),
        ..StatusFilter::default()
    };
    let page = PageRequest {
        page: 0,
        size: 100,
        sort: Vec::new(),
    };
    let each = |seen: &mut Vec<String>, status: StatusRow| seen.push(status.status);
    let (seen, _) = store
        .look_through_statuses(filter, page, Vec::new(), each)
        .await
        .unwrap();
    seen
}

mod backing_up;
mod erasing;
mod faults;
mod folding;
mod listing;
mod purging;
mod receiving;
mod registry_answers;
mod remembering;
mod schema;
mod searching;
mod sending;
mod taking_turns;
mod telling;
mod tidying;
