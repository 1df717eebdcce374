//! All file transfers, and the folder that their files lie in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::transfer::{Transfer, TransferStatus};
use crate::configuration::{DownloadMark, Limits};

#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) dir: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) resources: Vec<String>,
    pub(crate) virus_scan_delay: Duration,
    pub(crate) download_mark: DownloadMark,
    transfers: Mutex<Inner>,
}

/// In the order of creation, with an index by id.
#[derive(Debug, Default)]
struct Inner {
    transfers: Vec<Transfer>,
    places: HashMap<Uuid, usize>,
}

impl Shelf {
    pub(crate) fn new(
        dir: PathBuf,
        limits: Limits,
        resources: Vec<String>,
        virus_scan_delay: Duration,
        download_mark: DownloadMark,
    ) -> Self {
        Self {
            dir,
            limits,
            resources,
            virus_scan_delay,
            download_mark,
            transfers: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.transfers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, transfer: Transfer) {
        let mut inner = self.lock();
        let place = inner.transfers.len();
        inner.places.insert(transfer.id, place);
        inner.transfers.push(transfer);
    }

    /// Looks at or changes one transfer.
    pub(crate) fn with<T>(&self, id: Uuid, act: impl FnOnce(&mut Transfer) -> T) -> Option<T> {
        let mut inner = self.lock();
        let place = *inner.places.get(&id)?;
        let transfer = inner.transfers.get_mut(place)?;
        transfer.settle(Timestamp::now());
        Some(act(transfer))
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Transfer> {
        self.with(id, |transfer| transfer.clone())
    }

    /// All transfers, oldest first.
    pub(crate) fn transfers(&self) -> Vec<Transfer> {
        let mut inner = self.lock();
        let now = Timestamp::now();
        inner.transfers.iter_mut().for_each(|transfer| transfer.settle(now));
        inner.transfers.clone()
    }

    /// Ids of the transfers that the caller wants, at most the length of a list.
    pub(crate) fn list(&self, ascending: bool, wanted: impl Fn(&Transfer) -> bool) -> Vec<Uuid> {
        let mut inner = self.lock();
        let now = Timestamp::now();
        inner.transfers.iter_mut().for_each(|transfer| transfer.settle(now));
        let wanted = |transfer: &&Transfer| wanted(transfer);
        let (mut oldest, mut newest);
        let matching: &mut dyn Iterator<Item = &Transfer> = if ascending {
            oldest = inner.transfers.iter().filter(wanted);
            &mut oldest
        } else {
            newest = inner.transfers.iter().rev().filter(wanted);
            &mut newest
        };
        matching
            .map(|transfer| transfer.id)
            .take(self.limits.list_length)
            .collect()
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        for transfer in inner.transfers.drain(..) {
            drop(std::fs::remove_file(transfer.path));
        }
        inner.places.clear();
    }

    /// The file is in: scans it for viruses, in the background if that takes time.
    pub(crate) fn scan(self: &Arc<Self>, id: Uuid, virus: bool) {
        self.with(id, |transfer| {
            transfer.become_status(TransferStatus::UploadProcessing, None);
        });
        if self.virus_scan_delay.is_zero() {
            self.scanned(id, virus);
            return;
        }
        // A weak handle, so that a long scan does not keep a stopped double alive.
        let shelf = Arc::downgrade(self);
        let delay = self.virus_scan_delay;
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(shelf) = shelf.upgrade() {
                shelf.scanned(id, virus);
            }
        });
    }

    fn scanned(&self, id: Uuid, virus: bool) {
        self.with(id, |transfer| {
            if transfer.status != TransferStatus::UploadProcessing {
                return;
            }
            if virus {
                transfer.become_status(TransferStatus::Failed, Some("The virus scan found something"));
                drop(std::fs::remove_file(&transfer.path));
            } else {
                transfer.become_status(TransferStatus::Published, None);
            }
        });
    }
}
