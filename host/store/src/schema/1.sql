-- Times are milliseconds since 1970-01-01T00:00:00Z. `sbd` columns are sealed with the vault's key.
-- A blob column holds the name of a file in the vault. Ids with AUTOINCREMENT are never used again: a client may still hold one.

CREATE TABLE conversation (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id        TEXT NOT NULL,
    direction         TEXT NOT NULL CHECK (direction IN ('OUTGOING', 'INCOMING')),
    conversation_id   TEXT NOT NULL,
    sender            TEXT NOT NULL,
    sender_identifier TEXT NOT NULL,
    receiver          TEXT,
    receiver_identifier TEXT,
    process           TEXT NOT NULL,
    document_type     TEXT NOT NULL,
    message_reference TEXT NOT NULL,
    message_title     TEXT NOT NULL DEFAULT '',
    service           TEXT NOT NULL,
    external_reference TEXT,
    channel           TEXT,
    last_update       INTEGER NOT NULL,
    expiry            INTEGER NOT NULL,
    finished          INTEGER NOT NULL DEFAULT 0,
    track_at          INTEGER,
    UNIQUE (message_id, direction)
) STRICT;
CREATE INDEX conversation_by_update ON conversation (last_update);
CREATE INDEX conversation_by_conversation ON conversation (conversation_id);
CREATE INDEX conversation_unfinished ON conversation (expiry) WHERE finished = 0;
CREATE INDEX conversation_tracked ON conversation (track_at) WHERE track_at IS NOT NULL;

CREATE TABLE status (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    status       TEXT NOT NULL,
    description  TEXT,
    raw_receipt  TEXT,
    at           INTEGER NOT NULL,
    UNIQUE (conversation, status)
) STRICT;
CREATE INDEX status_by_time ON status (at);

-- What has not left yet. `kind`: a message of the fagsystem, or an answer (status) of our own making, which carries the
-- message id of the message that it answers. `state`: 0 draft, 1 queued, 2 leased by a worker, 3 given up (content kept).
CREATE TABLE outgoing (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN ('message', 'answer')),
    message_id      TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    process         TEXT NOT NULL,
    document_type   TEXT NOT NULL,
    message_type    TEXT NOT NULL,
    sender          TEXT NOT NULL,
    sender_identifier TEXT NOT NULL,
    receiver        TEXT,
    receiver_identifier TEXT,
    service         TEXT NOT NULL,
    sbd             BLOB NOT NULL,
    expiry          INTEGER NOT NULL,
    reply_channel   TEXT,
    last_updated    INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    attempt         INTEGER NOT NULL DEFAULT 0,
    lease           INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT
) STRICT;
CREATE UNIQUE INDEX outgoing_once ON outgoing (message_id) WHERE kind = 'message';
CREATE INDEX outgoing_due ON outgoing (service, due) WHERE state = 1;
CREATE INDEX outgoing_answers ON outgoing (message_id, id) WHERE kind = 'answer';

CREATE TABLE attachment (
    outgoing   INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    blob       TEXT NOT NULL,
    filename   TEXT NOT NULL,
    title      TEXT,
    mime       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    is_primary INTEGER NOT NULL,
    PRIMARY KEY (outgoing, number),
    UNIQUE (outgoing, filename)
) STRICT;

CREATE TABLE checkpoint (
    outgoing INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    value    BLOB NOT NULL,
    PRIMARY KEY (outgoing, name)
) STRICT;

CREATE TABLE kept (
    outgoing   INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    md5        BLOB NOT NULL,
    sha256     BLOB NOT NULL,
    PRIMARY KEY (outgoing, name)
) STRICT;

CREATE TABLE incoming (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id      TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    process         TEXT NOT NULL,
    message_type    TEXT NOT NULL,
    sender_identifier   TEXT NOT NULL,
    receiver_identifier TEXT NOT NULL,
    service         TEXT NOT NULL,
    sbd             BLOB NOT NULL,
    package         TEXT,
    package_size    INTEGER,
    answered        INTEGER NOT NULL,
    last_updated    INTEGER NOT NULL,
    locked_until    INTEGER
) STRICT;
CREATE INDEX incoming_by_age ON incoming (last_updated);

-- The memory of what has been received: 16 bytes of SHA-256 over service and id, and the day.
CREATE TABLE seen (
    key BLOB PRIMARY KEY,
    day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE set_aside (
    id        INTEGER PRIMARY KEY,
    service   TEXT NOT NULL,
    reference TEXT NOT NULL,
    reason    TEXT NOT NULL,
    blob      TEXT,
    size      INTEGER,
    at        INTEGER NOT NULL,
    UNIQUE (service, reference)
) STRICT;

CREATE TABLE adapter_state (
    adapter TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    expires INTEGER,
    PRIMARY KEY (adapter, key)
) STRICT, WITHOUT ROWID;

-- Files that no row needs any more; removed from disk after the commit that put them here.
CREATE TABLE garbage (
    blob TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
