//! What Altinn's stand-in has: of every message and every status one transfer with a file.

use std::collections::HashSet;
use std::io::{Cursor, Read as _};

use anyhow::Context as _;
use budstikke_doubles::{Doubles, Transfer, TransferStatus};
use budstikke_message::asic::{ZipFiles, ZipLimits};
use serde_json::Value;

use super::ledger::{Ledger, Wrong};

/// What has been seen there.
#[derive(Default)]
pub(super) struct Shelf {
    transfers: HashSet<String>,
    contents: HashSet<Content>,
}

/// Sender, message id, message type and status.
type Content = (String, String, String, String);

impl Shelf {
    /// Looks at what is new.
    pub(super) fn look(&mut self, doubles: &Doubles, ledger: &Ledger) {
        for transfer in doubles.transfers() {
            let id = transfer.id.to_string();
            if has_file(&transfer) && !self.transfers.contains(&id) {
                match content(&transfer) {
                    Ok(content) if self.contents.contains(&content) => {
                        ledger.wrong(
                            Wrong::Duplicated,
                            format!("{content:?} left twice; the second time as {id}"),
                        );
                    }
                    Ok(content) => drop(self.contents.insert(content)),
                    Err(error) => ledger.wrong(Wrong::Other, format!("the transfer {id}: {error:#}")),
                }
                self.transfers.insert(id);
            }
        }
    }

    /// Messages and statuses that left.
    pub(super) fn transfers(&self) -> usize {
        self.transfers.len()
    }
}

fn has_file(transfer: &Transfer) -> bool {
    matches!(
        transfer.status,
        TransferStatus::Published | TransferStatus::AllConfirmedDownloaded
    )
}

fn content(transfer: &Transfer) -> anyhow::Result<Content> {
    let mut zip = ZipFiles::open(Cursor::new(transfer.read()?), ZipLimits::of_total(1 << 30))?;
    let mut sbd = Vec::new();
    zip.file("sbd.json")?.read_to_end(&mut sbd)?;
    let sbd: Value = serde_json::from_slice(&sbd)?;
    let facts = &sbd["standardBusinessDocumentHeader"]["documentIdentification"];
    let text = |value: &Value, what| value.as_str().map(ToOwned::to_owned).context(what);
    let kind = text(&facts["type"], "a type")?;
    let status = match kind.as_str() {
        "status" => text(&sbd["status"]["status"], "a status")?,
        _ => String::new(),
    };
    let id = text(&facts["instanceIdentifier"], "a message id")?;
    Ok((transfer.sender.number().to_owned(), id, kind, status))
}
