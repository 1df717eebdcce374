-- Lists stay quick with millions of rows: the filters that fagsystemer use have an index, and totals are kept, not counted.

CREATE INDEX conversation_by_sender ON conversation (sender_identifier, last_update);
CREATE INDEX conversation_by_receiver ON conversation (receiver_identifier, last_update);
CREATE INDEX conversation_open ON conversation (last_update) WHERE finished = 0;
CREATE INDEX conversation_by_reference ON conversation (message_reference);
-- By value alone for lists in the order of ids, which the other would have to sort.
CREATE INDEX status_by_value ON status (status);
CREATE INDEX status_by_value_and_time ON status (status, at);

-- How many conversations there are of each kind.
CREATE TABLE conversation_tally (
    direction TEXT NOT NULL,
    service   TEXT NOT NULL,
    finished  INTEGER NOT NULL,
    tracked   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (direction, service, finished, tracked)
) STRICT, WITHOUT ROWID;
INSERT INTO conversation_tally
SELECT direction, service, finished, track_at IS NOT NULL, count(*) FROM conversation GROUP BY 1, 2, 3, 4;

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
INSERT INTO status_tally SELECT status, count(*) FROM status GROUP BY 1;

CREATE TRIGGER status_counted AFTER INSERT ON status BEGIN
    INSERT INTO status_tally VALUES (new.status, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER status_uncounted AFTER DELETE ON status BEGIN
    UPDATE status_tally SET count = count - 1 WHERE status = old.status;
END;
