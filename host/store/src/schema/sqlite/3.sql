-- What is being done about a message that has not left, apart from the message itself: it changes with each attempt, and a small row
-- is quickly written anew, however many messages wait. `state`: 0 draft, 1 ready, 2 leased by a worker of the session `holder`, 3 given
-- up (content kept), 4 waiting. `due`: until when it waits, how long a draft lives, since when it is ready or given up. `lane`: the receiver,
-- `-` for none, for taking turns. `answers`: for an answer of our own, the message that it answers. `uncertain`: an attempt ended without
-- anybody knowing whether the message had left. Who changes a message locks this row first.
CREATE TABLE sending (
    outgoing   INTEGER PRIMARY KEY REFERENCES outgoing (id) ON DELETE CASCADE,
    service    TEXT NOT NULL,
    lane       TEXT NOT NULL,
    answers    TEXT,
    state      INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL DEFAULT 0,
    uncertain  INTEGER NOT NULL DEFAULT 0,
    lease      INTEGER NOT NULL DEFAULT 0,
    holder     INTEGER,
    last_error TEXT
) STRICT;
INSERT INTO sending (outgoing, service, lane, answers, state, due, attempt, uncertain, lease, holder, last_error)
    SELECT id, service, lane, CASE kind WHEN 'answer' THEN message_id END, state,
        CASE state WHEN 0 THEN expiry WHEN 3 THEN last_updated ELSE due END, attempt, uncertain, lease, holder, last_error
    FROM outgoing;
DROP INDEX outgoing_ready;
DROP INDEX outgoing_waiting;
DROP INDEX outgoing_held;
DROP INDEX outgoing_drafts;
DROP INDEX outgoing_given_up;
DROP INDEX outgoing_answers;
ALTER TABLE outgoing DROP COLUMN service;
ALTER TABLE outgoing DROP COLUMN lane;
ALTER TABLE outgoing DROP COLUMN state;
ALTER TABLE outgoing DROP COLUMN due;
ALTER TABLE outgoing DROP COLUMN attempt;
ALTER TABLE outgoing DROP COLUMN uncertain;
ALTER TABLE outgoing DROP COLUMN lease;
ALTER TABLE outgoing DROP COLUMN holder;
ALTER TABLE outgoing DROP COLUMN last_error;
CREATE INDEX sending_ready ON sending (service, lane, outgoing) WHERE state = 1;
CREATE INDEX sending_waiting ON sending (service, due) WHERE state = 4;
CREATE INDEX sending_held ON sending (holder) WHERE state = 2;
CREATE INDEX sending_drafts ON sending (due) WHERE state = 0;
CREATE INDEX sending_given_up ON sending (due, outgoing) WHERE state = 3;
CREATE INDEX sending_answers ON sending (answers, outgoing) WHERE answers IS NOT NULL;
