-- What is being done about a message that has not left, apart from the message itself: it changes with each attempt, and a small row
-- is quickly written anew, however many messages wait. `state`: 0 draft, 1 ready, 2 leased by a worker of the session `holder`, 3 given
-- up (content kept), 4 waiting. `due`: until when it waits, how long a draft lives, since when it is ready or given up. `lane`: the receiver,
-- `-` for none, for taking turns. `answers`: for an answer of our own, the message that it answers. `uncertain`: an attempt ended without
-- anybody knowing whether the message had left. Who changes a message locks this row first.
CREATE TABLE sending (
    outgoing   BIGINT PRIMARY KEY REFERENCES outgoing (id) ON DELETE CASCADE,
    service    TEXT NOT NULL,
    lane       TEXT COLLATE "C" NOT NULL,
    answers    TEXT,
    state      BIGINT NOT NULL,
    due        BIGINT NOT NULL,
    attempt    BIGINT NOT NULL DEFAULT 0,
    uncertain  BIGINT NOT NULL DEFAULT 0,
    lease      BIGINT NOT NULL DEFAULT 0,
    holder     BIGINT,
    last_error TEXT
);
INSERT INTO sending (outgoing, service, lane, answers, state, due, attempt, uncertain, lease, holder, last_error)
    SELECT id, service, lane, CASE kind WHEN 'answer' THEN message_id END, state,
        CASE state WHEN 0 THEN expiry WHEN 3 THEN last_updated ELSE due END, attempt, uncertain, lease, holder, last_error
    FROM outgoing;
DROP INDEX outgoing_ready, outgoing_waiting, outgoing_held, outgoing_drafts, outgoing_given_up, outgoing_answers;
ALTER TABLE outgoing DROP COLUMN service, DROP COLUMN lane, DROP COLUMN state, DROP COLUMN due,
    DROP COLUMN attempt, DROP COLUMN uncertain, DROP COLUMN lease, DROP COLUMN holder, DROP COLUMN last_error;
CREATE INDEX sending_ready ON sending (service, lane, outgoing) WHERE state = 1;
CREATE INDEX sending_waiting ON sending (service, due) WHERE state = 4;
CREATE INDEX sending_held ON sending (holder) WHERE state = 2;
CREATE INDEX sending_drafts ON sending (due) WHERE state = 0;
CREATE INDEX sending_given_up ON sending (due, outgoing) WHERE state = 3;
CREATE INDEX sending_answers ON sending (answers, outgoing) WHERE answers IS NOT NULL;
ALTER TABLE sending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
