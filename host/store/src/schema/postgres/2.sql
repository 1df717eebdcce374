-- The last good answers of the address service, used while it cannot be reached. `question` is what was asked about the receiver;
-- `sealed` is the answer, sealed with the store's key, since it can say where a person lives.
CREATE TABLE registry_answer (
    receiver TEXT NOT NULL,
    question TEXT NOT NULL,
    sealed   BYTEA NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (receiver, question)
);
CREATE INDEX registry_answer_by_time ON registry_answer (at);

-- Why a message went where it went: JSON of at most 4 KiB. NULL: it came in, or it was created before this was kept.
ALTER TABLE conversation ADD COLUMN route TEXT;
