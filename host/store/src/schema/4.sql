-- Webhooks and the status queue. Times are milliseconds since 1970-01-01T00:00:00Z.

-- `secret` is sealed with the vault's key. `statuses`, `services` and `directions` are what the filter asks for: NULL for
-- anything, else the values in upper case with a comma before and after each.
CREATE TABLE subscription (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    push_endpoint TEXT NOT NULL,
    resource      TEXT NOT NULL,
    event         TEXT NOT NULL,
    filter        TEXT,
    statuses      TEXT,
    services      TEXT,
    directions    TEXT,
    secret        BLOB NOT NULL,
    last_error    TEXT,
    last_error_at INTEGER,
    dropped       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (name, push_endpoint)
) STRICT;

-- An event that a subscriber has not confirmed. Its content is that of the status, and goes with it.
CREATE TABLE webhook_delivery (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription INTEGER NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    status       INTEGER NOT NULL REFERENCES status (id) ON DELETE CASCADE,
    key          BLOB NOT NULL DEFAULT (randomblob(16)),
    queued       INTEGER NOT NULL DEFAULT (CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)),
    attempt      INTEGER NOT NULL DEFAULT 0,
    due          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_delivery_in_order ON webhook_delivery (subscription, id);
CREATE INDEX webhook_delivery_of_status ON webhook_delivery (status);

-- Statuses that the fagsystem has not taken from the queue, oldest first by id.
CREATE TABLE status_queue (
    status INTEGER PRIMARY KEY REFERENCES status (id) ON DELETE CASCADE
) STRICT;

-- The services whose statuses go on the queue; written from the configuration at each start.
CREATE TABLE status_queue_service (
    service TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
