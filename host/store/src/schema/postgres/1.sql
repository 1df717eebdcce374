-- Times are milliseconds since 1970-01-01T00:00:00Z. Columns `sbd` are sealed with the key of their message; `data_key` is that key,
-- wrapped with the store's. A blob column holds the name of a file: its content stands in `small_file`, else in the file store.
-- Ids are never used again: a client may still hold one.

-- The same as in SQLite, in what this database is called with; and what many writers need.
CREATE FUNCTION instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN strpos($1, $2);
CREATE FUNCTION instr(bytea, bytea) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN position($2 IN $1);

-- One row for each commit of the last hours: a connection that was lost during a commit leaves it to others to find out whether it
-- took place. Ids grow with time.
CREATE TABLE commit_mark (
    id BIGINT PRIMARY KEY
);

-- The store's key, sealed to the organisation's certificate (CMS EnvelopedData).
CREATE TABLE store_key (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BYTEA NOT NULL
);

-- One row for each run of a node. Dead when `alive_until` has passed: others take over what it held.
CREATE TABLE session (
    id          BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name        TEXT NOT NULL,
    started     BIGINT NOT NULL,
    alive_until BIGINT NOT NULL
);

-- What only one node does at a time. `number` rises with each change of hands.
CREATE TABLE duty (
    name    TEXT PRIMARY KEY,
    session BIGINT NOT NULL,
    number  BIGINT NOT NULL
);

CREATE TABLE conversation (
    id                BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
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
    last_update       BIGINT NOT NULL,
    expiry            BIGINT NOT NULL,
    finished          BIGINT NOT NULL DEFAULT 0,
    track_at          BIGINT,
    UNIQUE (message_id, direction)
);
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
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    conversation BIGINT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    status       TEXT NOT NULL,
    description  TEXT,
    raw_receipt  TEXT,
    at           BIGINT NOT NULL,
    UNIQUE (conversation, status)
);
CREATE INDEX status_by_time ON status (at);
-- By value alone for lists in the order of ids, which the other would have to sort.
CREATE INDEX status_by_value ON status (status);
CREATE INDEX status_by_value_and_time ON status (status, at);

-- What has not left yet. `kind`: a message of the fagsystem, or an answer (status) of our own making, which carries the
-- message id of the message that it answers. `state`: 0 draft, 1 ready, 2 leased by a worker of the session `holder`, 3 given up
-- (content kept), 4 waiting until `due`. `lane`: the receiver, `-` for none, for taking turns. `uncertain`: an attempt ended without anybody
-- knowing whether the message had left.
CREATE TABLE outgoing (
    id              BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
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
    lane            TEXT COLLATE "C" NOT NULL,
    sbd             BYTEA NOT NULL,
    data_key        BYTEA NOT NULL,
    expiry          BIGINT NOT NULL,
    reply_channel   TEXT,
    last_updated    BIGINT NOT NULL,
    state           BIGINT NOT NULL,
    due             BIGINT NOT NULL,
    attempt         BIGINT NOT NULL DEFAULT 0,
    uncertain       BIGINT NOT NULL DEFAULT 0,
    lease           BIGINT NOT NULL DEFAULT 0,
    holder          BIGINT,
    last_error      TEXT
);
CREATE UNIQUE INDEX outgoing_once ON outgoing (message_id) WHERE kind = 'message';
CREATE INDEX outgoing_ready ON outgoing (service, lane, id) WHERE state = 1;
CREATE INDEX outgoing_waiting ON outgoing (service, due) WHERE state = 4;
CREATE INDEX outgoing_held ON outgoing (holder) WHERE state = 2;
CREATE INDEX outgoing_drafts ON outgoing (expiry) WHERE state = 0;
CREATE INDEX outgoing_given_up ON outgoing (last_updated) WHERE state = 3;
CREATE INDEX outgoing_answers ON outgoing (message_id, id) WHERE kind = 'answer';

CREATE TABLE attachment (
    outgoing   BIGINT NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    blob       TEXT NOT NULL,
    filename   TEXT NOT NULL,
    title      TEXT,
    mime       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    is_primary BIGINT NOT NULL,
    PRIMARY KEY (outgoing, number),
    UNIQUE (outgoing, filename)
);
CREATE INDEX attachment_by_blob ON attachment (blob);

CREATE TABLE checkpoint (
    outgoing BIGINT NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    value    BYTEA NOT NULL,
    PRIMARY KEY (outgoing, name)
);

CREATE TABLE kept (
    outgoing   BIGINT NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       BIGINT NOT NULL,
    md5        BYTEA NOT NULL,
    sha256     BYTEA NOT NULL,
    PRIMARY KEY (outgoing, name)
);
CREATE INDEX kept_by_blob ON kept (blob);

CREATE TABLE incoming (
    id              BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    message_id      TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    process         TEXT NOT NULL,
    message_type    TEXT NOT NULL,
    sender_identifier   TEXT NOT NULL,
    receiver_identifier TEXT NOT NULL,
    service         TEXT NOT NULL,
    sbd             BYTEA NOT NULL,
    data_key        BYTEA NOT NULL,
    package         TEXT,
    package_size    BIGINT,
    answered        BIGINT NOT NULL,
    last_updated    BIGINT NOT NULL,
    locked_until    BIGINT,
    lock_token      TEXT
);
CREATE INDEX incoming_by_package ON incoming (package) WHERE package IS NOT NULL;
CREATE INDEX incoming_by_age ON incoming (last_updated, id);

-- Files too small to stand alone, encrypted. They come and go in the transaction of the row that names them.
CREATE TABLE small_file (
    name    TEXT PRIMARY KEY,
    content BYTEA NOT NULL
);
-- Encrypted bytes do not get smaller; trying costs time.
ALTER TABLE small_file ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE outgoing ALTER COLUMN sbd SET STORAGE EXTERNAL;
ALTER TABLE incoming ALTER COLUMN sbd SET STORAGE EXTERNAL;

-- Files that no row needs any more; removed from the file store after the commit that put them here.
CREATE TABLE garbage (
    blob TEXT PRIMARY KEY
);

-- The memory of ids: 16 bytes of SHA-256 over what it is, service and id, and the day. Ids of days that are over stand in pages:
-- the ids of a generation from `low` on, one after the other, up to where its next page begins.
CREATE TABLE seen (
    key BYTEA PRIMARY KEY,
    day BIGINT NOT NULL
);
CREATE INDEX seen_by_day ON seen (day, key);

CREATE TABLE seen_generation (
    generation BIGINT PRIMARY KEY
);

CREATE TABLE seen_page (
    generation BIGINT NOT NULL,
    low        BYTEA NOT NULL,
    keys       BYTEA NOT NULL,
    PRIMARY KEY (generation, low)
);

CREATE TABLE set_aside (
    id        BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    service   TEXT NOT NULL,
    reference TEXT NOT NULL,
    reason    TEXT NOT NULL,
    blob      TEXT,
    size      BIGINT,
    data_key  BYTEA,
    at        BIGINT NOT NULL,
    UNIQUE (service, reference)
);
CREATE INDEX set_aside_by_time ON set_aside (at);
CREATE INDEX set_aside_by_blob ON set_aside (blob) WHERE blob IS NOT NULL;

CREATE TABLE adapter_state (
    adapter TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   BYTEA NOT NULL,
    expires BIGINT,
    PRIMARY KEY (adapter, key)
);

-- Webhooks. `secret` is sealed with the store's key. `statuses`, `services` and `directions` are what the filter asks for: NULL
-- for anything, else the values in upper case with a comma before and after each.
CREATE TABLE subscription (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name          TEXT NOT NULL,
    push_endpoint TEXT NOT NULL,
    resource      TEXT NOT NULL,
    event         TEXT NOT NULL,
    filter        TEXT,
    statuses      TEXT,
    services      TEXT,
    directions    TEXT,
    secret        BYTEA NOT NULL,
    last_error    TEXT,
    last_error_at BIGINT,
    dropped       BIGINT NOT NULL DEFAULT 0,
    UNIQUE (name, push_endpoint)
);

-- An event that a subscriber has not confirmed. Its content is that of the status, and goes with it.
CREATE TABLE webhook_delivery (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    subscription BIGINT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    status       BIGINT NOT NULL REFERENCES status (id) ON DELETE CASCADE,
    key          BYTEA NOT NULL DEFAULT uuid_send(gen_random_uuid()),
    queued       BIGINT NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    attempt      BIGINT NOT NULL DEFAULT 0,
    due          BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX webhook_delivery_in_order ON webhook_delivery (subscription, id);
CREATE INDEX webhook_delivery_of_status ON webhook_delivery (status);

-- Statuses that the fagsystem has not taken from the queue, oldest first by id.
CREATE TABLE status_queue (
    status BIGINT PRIMARY KEY REFERENCES status (id) ON DELETE CASCADE
);

-- The services whose statuses go on the queue; written from the configuration at each start.
CREATE TABLE status_queue_service (
    service TEXT PRIMARY KEY
);

-- How many conversations there are of each kind. Each connection counts in rows of its own (`part`), so that none waits for
-- another; the sum is what counts.
CREATE TABLE conversation_tally (
    direction TEXT NOT NULL,
    service   TEXT NOT NULL,
    finished  BIGINT NOT NULL,
    tracked   BIGINT NOT NULL,
    part      BIGINT NOT NULL,
    count     BIGINT NOT NULL,
    PRIMARY KEY (direction, service, finished, tracked, part)
) WITH (fillfactor = 50);

CREATE FUNCTION count_conversation(conversation, bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO conversation_tally AS tally
    VALUES ($1.direction, $1.service, $1.finished, ($1.track_at IS NOT NULL)::int, pg_backend_pid(), $2)
    ON CONFLICT (direction, service, finished, tracked, part) DO UPDATE SET count = tally.count + $2
$$;
CREATE FUNCTION conversation_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_conversation(old, -1);
    IF TG_OP = 'UPDATE' THEN
        PERFORM count_conversation(new, 1);
    END IF;
    RETURN NULL;
END
$$;
-- Many are added with one statement, and counted with one.
CREATE FUNCTION conversations_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversation_tally AS tally
    SELECT direction, service, finished, (track_at IS NOT NULL)::int, pg_backend_pid(), count(*) FROM added GROUP BY 1, 2, 3, 4
    ON CONFLICT (direction, service, finished, tracked, part) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END
$$;
CREATE TRIGGER conversations_counted AFTER INSERT ON conversation REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION conversations_counted();
CREATE TRIGGER conversation_counted AFTER DELETE ON conversation
    FOR EACH ROW EXECUTE FUNCTION conversation_counted();
CREATE TRIGGER conversation_recounted AFTER UPDATE OF direction, service, finished, track_at ON conversation
    FOR EACH ROW WHEN ((old.direction, old.service, old.finished, old.track_at IS NOT NULL)
        IS DISTINCT FROM (new.direction, new.service, new.finished, new.track_at IS NOT NULL))
    EXECUTE FUNCTION conversation_counted();

-- How many statuses there are of each value.
CREATE TABLE status_tally (
    status TEXT NOT NULL,
    part   BIGINT NOT NULL,
    count  BIGINT NOT NULL,
    PRIMARY KEY (status, part)
) WITH (fillfactor = 50);

CREATE FUNCTION status_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO status_tally AS tally VALUES (old.status, pg_backend_pid(), -1)
    ON CONFLICT (status, part) DO UPDATE SET count = tally.count - 1;
    RETURN NULL;
END
$$;
CREATE FUNCTION statuses_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO status_tally AS tally SELECT status, pg_backend_pid(), count(*) FROM added GROUP BY 1
    ON CONFLICT (status, part) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
END
$$;
CREATE TRIGGER statuses_counted AFTER INSERT ON status REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION statuses_counted();
CREATE TRIGGER status_counted AFTER DELETE ON status FOR EACH ROW EXECUTE FUNCTION status_counted();

-- Rows that come and go all the time are swept often, a little at a time.
ALTER TABLE outgoing SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE attachment SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE checkpoint SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE kept SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE incoming SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE small_file SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE commit_mark SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE webhook_delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE seen SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE seen_page SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
-- A purge leaves many dead rows at once; what comes next takes their room.
ALTER TABLE conversation SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
ALTER TABLE status SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
-- Bytes of a digest do not get smaller.
ALTER TABLE seen_page ALTER COLUMN keys SET STORAGE PLAIN;
