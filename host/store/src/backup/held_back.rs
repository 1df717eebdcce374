//! What a restored database may do with messages that were on their way when the backup was made.
//!
//! A backup is older than the truth: what it shows as waiting may have left since. Sending it all again would bring letters twice to
//! citizens, so by default a person decides about each.

use crate::StoreError;
use crate::database::{Connection, Dialect, params};

/// What becomes of messages that were on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InHand {
    /// They stand among those that were given up, as uncertain, until somebody sends them again or drops them.
    HeldBack,
    /// They are sent, as uncertain: an adapter that can ask its service does so first.
    Sent,
}

/// Ids that are left out, because they can have been given out since the backup.
const GAP: i64 = 1_000_000;

/// Settles a copied database before anybody works with it. Returns how many messages were on their way.
pub(super) fn settle(connection: &Connection, in_hand: InHand, made: &str, now: i64) -> Result<u64, StoreError> {
    let messages = match in_hand {
        InHand::HeldBack => connection.execute(
            "UPDATE sending SET state = 3, holder = NULL, uncertain = 1, due = ?2, last_error = ?1 \
             WHERE answers IS NULL AND state IN (1, 2, 4)",
            params![
                format!("restored from a backup of {made}: it may have left since; send it again or drop it"),
                now
            ],
        )?,
        InHand::Sent => connection.execute(
            "UPDATE sending SET uncertain = 1 WHERE answers IS NULL AND state IN (1, 2, 4)",
            &[],
        )?,
    };
    // The status in an answer counts once at its receiver, however often it comes.
    connection.execute("UPDATE sending SET uncertain = 1 WHERE answers IS NOT NULL", &[])?;
    connection.execute("UPDATE sending SET state = 1, holder = NULL WHERE state = 2", &[])?;
    connection.execute("DELETE FROM duty", &[])?;
    connection.execute("DELETE FROM session", &[])?;
    leave_a_gap(connection)?;
    Ok(messages)
}

/// A client can hold an id that was given out after the backup: it must not come to mean something else.
fn leave_a_gap(connection: &Connection) -> Result<(), StoreError> {
    match connection.dialect() {
        Dialect::Sqlite => {
            connection.execute("UPDATE sqlite_sequence SET seq = seq + ?1", params![GAP])?;
        }
        Dialect::Postgres => {
            connection.all(
                &format!(
                    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + {GAP}) \
                     FROM pg_sequences WHERE schemaname = 'public'"
                ),
                &[],
                |_| Ok(()),
            )?;
        }
    }
    Ok(())
}
