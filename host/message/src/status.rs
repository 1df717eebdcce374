//! The statuses that a conversation collects on its way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One step in the life of a message, in either direction. Spec: documents and packaging, 11.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Registered here.
    Opprettet,
    /// Handed over to the service.
    Sendt,
    /// The receiving side has it.
    Mottatt,
    /// Delivered to the receiver.
    Levert,
    /// Read or processed by the receiver.
    Lest,
    /// Failed for good.
    Feil,
    /// Something the other statuses have no word for.
    Annet,
    /// Incoming and waiting in the queue.
    InnkommendeMottatt,
    /// Incoming and fetched by the fagsystem.
    InnkommendeLevert,
    /// The deadline passed before the message was delivered.
    LevetidUtlopt,
}

/// A status with its name on the wire and what it does to the conversation that gets it.
struct Row {
    status: Status,
    name: &'static str,
    finished: bool,
    stops_polling: bool,
}

const fn row(status: Status, name: &'static str, finished: bool, stops_polling: bool) -> Row {
    Row {
        status,
        name,
        finished,
        stops_polling,
    }
}

/// In the order of [`Status`], so that a status finds its row by its number.
#[rustfmt::skip]
const TABLE: [Row; 10] = [
    row(Status::Opprettet,          "OPPRETTET",           false, false),
    row(Status::Sendt,              "SENDT",               false, false),
    row(Status::Mottatt,            "MOTTATT",             false, false),
    row(Status::Levert,             "LEVERT",              true,  false),
    row(Status::Lest,               "LEST",                true,  true),
    row(Status::Feil,               "FEIL",                true,  true),
    row(Status::Annet,              "ANNET",               false, false),
    row(Status::InnkommendeMottatt, "INNKOMMENDE_MOTTATT", false, false),
    row(Status::InnkommendeLevert,  "INNKOMMENDE_LEVERT",  true,  true),
    row(Status::LevetidUtlopt,      "LEVETID_UTLOPT",      true,  true),
];

/// The text is not the name of a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a status; known statuses are OPPRETTET, SENDT, MOTTATT, LEVERT, LEST, FEIL, ANNET, INNKOMMENDE_MOTTATT, INNKOMMENDE_LEVERT, LEVETID_UTLOPT"
)]
pub struct UnknownStatus;

impl Status {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Every status, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.status)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether the fagsystem needs to follow the message no further. `LEST` may still come after `LEVERT`.
    pub fn finished(self) -> bool {
        self.row().finished
    }

    /// Whether the service is asked no more for news about the message.
    pub fn stops_polling(self) -> bool {
        self.row().stops_polling
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        TABLE
            .iter()
            .find(|row| row.name == text)
            .map(|row| row.status)
            .ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_stands_in_its_own_row_and_reads_back_from_its_name() {
        for (number, row) in TABLE.iter().enumerate() {
            assert_eq!(row.status as usize, number);
            assert_eq!(row.name.parse(), Ok(row.status));
            assert_eq!(serde_json::to_value(row.status).unwrap(), row.name);
        }
    }

    #[test]
    fn a_delivered_message_is_finished_but_still_asked_about() {
        assert!(Status::Levert.finished());
        assert!(!Status::Levert.stops_polling());
        assert!(Status::Lest.stops_polling());
    }

    #[test]
    fn a_status_in_lower_case_is_unknown() {
        assert_eq!("levert".parse::<Status>(), Err(UnknownStatus));
    }
}
