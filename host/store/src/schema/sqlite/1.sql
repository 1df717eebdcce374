-- Times are milliseconds since 1970-01-01T00:00:00Z. Columns `sbd` are sealed with the key of their message; `data_key` is that key,
-- wrapped with the store's. A blob column holds the name of a file: its content stands in `small_file`, else in the file store.
-- Ids with AUTOINCREMENT are never used again: a client may still hold one.

-- The store's key, sealed to the organisation's certificate (CMS EnvelopedData).
CREATE TABLE store_key (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

-- One row for each run of a node. Dead when `alive_until` has passed: others take over what it held.
CREATE TABLE session (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    started     INTEGER NOT NULL,
    alive_until INTEGER NOT NULL
) STRICT;

-- What only one node does at a time. `number` rises with each change of hands.
CREATE TABLE duty (
    name    TEXT PRIMARY KEY,
    session INTEGER NOT NULL,
    number  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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
CREATE INDEX conversation_tracked ON conversation (service, track_at) WHERE track_at IS NOT NULL;
-- Lists stay quick with millions of rows: the filters that fagsystemer use have an index, and totals are kept, not counted.
CREATE INDEX conversation_by_sender ON conversation (sender_identifier, last_update);
CREATE INDEX conversation_by_receiver ON conversation (receiver_identifier, last_update);
CREATE INDEX conversation_open ON conversation (last_update) WHERE finished = 0;
CREATE INDEX conversation_by_reference ON conversation (message_reference);

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
-- By value alone for lists in the order of ids, which the other would have to sort.
CREATE INDEX status_by_value ON status (status);
CREATE INDEX status_by_value_and_time ON status (status, at);

-- What has not left yet. `kind`: a message of the fagsystem, or an answer (status) of our own making, which carries the
-- message id of the message that it answers. `state`: 0 draft, 1 ready, 2 leased by a worker of the session `holder`, 3 given up
-- (content kept), 4 waiting until `due`. `lane`: the receiver, `-` for none, for taking turns. `uncertain`: an attempt ended without anybody
-- knowing whether the message had left.
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
    lane            TEXT NOT NULL,
    sbd             BLOB NOT NULL,
    data_key        BLOB NOT NULL,
    expiry          INTEGER NOT NULL,
    reply_channel   TEXT,
    last_updated    INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    attempt         INTEGER NOT NULL DEFAULT 0,
    uncertain       INTEGER NOT NULL DEFAULT 0,
    lease           INTEGER NOT NULL DEFAULT 0,
    holder          INTEGER,
    last_error      TEXT
) STRICT;
CREATE UNIQUE INDEX outgoing_once ON outgoing (message_id) WHERE kind = 'message';
CREATE INDEX outgoing_ready ON outgoing (service, lane, id) WHERE state = 1;
CREATE INDEX outgoing_waiting ON outgoing (service, due) WHERE state = 4;
CREATE INDEX outgoing_held ON outgoing (holder) WHERE state = 2;
CREATE INDEX outgoing_drafts ON outgoing (expiry) WHERE state = 0;
CREATE INDEX outgoing_given_up ON outgoing (last_updated) WHERE state = 3;
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

CREATE INDEX attachment_by_blob ON attachment (blob);

CREATE TABLE checkpoint (
    outgoing INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    value    BLOB NOT NULL,
    PRIMARY KEY (outgoing, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept (
    outgoing   INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    md5        BLOB NOT NULL,
    sha256     BLOB NOT NULL,
    PRIMARY KEY (outgoing, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_by_blob ON kept (blob);

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
    data_key        BLOB NOT NULL,
    package         TEXT,
    package_size    INTEGER,
    answered        INTEGER NOT NULL,
    last_updated    INTEGER NOT NULL,
    locked_until    INTEGER,
    lock_token      TEXT
) STRICT;
CREATE INDEX incoming_by_package ON incoming (package) WHERE package IS NOT NULL;
CREATE INDEX incoming_by_age ON incoming (last_updated, id);

-- Files too small to stand alone, encrypted. They come and go in the transaction of the row that names them.
CREATE TABLE small_file (
    name    TEXT PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

-- Files that no row needs any more; removed from the file store after the commit that put them here.
CREATE TABLE garbage (
    blob TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The memory of ids: 16 bytes of SHA-256 over what it is, service and id, and the day. Ids of days that are over stand in pages:
-- the ids of a generation from `low` on, one after the other, up to where its next page begins.
CREATE TABLE seen (
    key BLOB PRIMARY KEY,
    day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_by_day ON seen (day, key);

CREATE TABLE seen_generation (
    generation INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE seen_page (
    generation INTEGER NOT NULL,
    low        BLOB NOT NULL,
    keys       BLOB NOT NULL,
    PRIMARY KEY (generation, low)
) STRICT;

CREATE TABLE set_aside (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    service   TEXT NOT NULL,
    reference TEXT NOT NULL,
    reason    TEXT NOT NULL,
    blob      TEXT,
    size      INTEGER,
    data_key  BLOB,
    at        INTEGER NOT NULL,
    UNIQUE (service, reference)
) STRICT;
CREATE INDEX set_aside_by_time ON set_aside (at);
CREATE INDEX set_aside_by_blob ON set_aside (blob) WHERE blob IS NOT NULL;

CREATE TABLE adapter_state (
    adapter TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    expires INTEGER,
    PRIMARY KEY (adapter, key)
) STRICT, WITHOUT ROWID;

-- Webhooks. `secret` is sealed with the store's key. `statuses`, `services` and `directions` are what the filter asks for: NULL
-- for anything, else the values in upper case with a comma before and after each.
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

-- How many conversations there are of each kind.
CREATE TABLE conversation_tally (
    direction TEXT NOT NULL,
    service   TEXT NOT NULL,
    finished  INTEGER NOT NULL,
    tracked   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (direction, service, finished, tracked)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER conversation_counted AFTER INSERT ON conversation BEGIN
    INSERT INTO conversation_tally VALUES (new.direction, new.service, new.finished, new.track_at IS NOT NULL, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER conversation_uncounted AFTER DELETE ON conversation BEGIN
    UPDATE conversation_tally SET count = count - 1 WHERE direction = old.direction AND service = old.service
    AND finished = old.finished AND tracked = (old.track_at IS NOT NULL);
END;
CREATE TRIGGER conversation_recounted AFTER UPDATE OF direction, service, finished, track_at ON conversation
WHEN (old.direction, old.service, old.finished, old.track_at IS NOT NULL)
    <> (new.direction, new.service, new.finished, new.track_at IS NOT NULL)
BEGIN
    UPDATE conversation_tally SET count = count - 1 WHERE direction = old.direction AND service = old.service
    AND finished = old.finished AND tracked = (old.track_at IS NOT NULL);
    INSERT INTO conversation_tally VALUES (new.direction, new.service, new.finished, new.track_at IS NOT NULL, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

-- How many statuses there are of each value.
CREATE TABLE status_tally (
    status TEXT PRIMARY KEY,
    count  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER status_counted AFTER INSERT ON status BEGIN
    INSERT INTO status_tally VALUES (new.status, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER status_uncounted AFTER DELETE ON status BEGIN
    UPDATE status_tally SET count = count - 1 WHERE status = old.status;
END;
