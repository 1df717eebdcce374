-- What the address service keeps itself. Times are milliseconds since 1970-01-01T00:00:00Z.

-- One row for each commit, to find out about one whose answer was lost.
CREATE TABLE IF NOT EXISTS commit_mark (
    id BIGINT PRIMARY KEY
);

-- One row for each change: who, when, what. `number` rises, so nodes see that something is new.
CREATE TABLE registry_change (
    number BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at     BIGINT NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL
);

CREATE TABLE registry_process (
    id                   BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identifier           TEXT NOT NULL UNIQUE,
    service_code         TEXT,
    service_edition_code TEXT,
    resource             TEXT,
    category             TEXT NOT NULL
);

CREATE TABLE registry_document_type (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identifier TEXT NOT NULL UNIQUE
);

-- Without a cascade from the document type: one that is in use stays.
CREATE TABLE registry_process_document_type (
    process       BIGINT NOT NULL REFERENCES registry_process (id) ON DELETE CASCADE,
    document_type BIGINT NOT NULL REFERENCES registry_document_type (id),
    position      BIGINT NOT NULL,
    PRIMARY KEY (process, document_type)
);
CREATE INDEX registry_process_document_type_by_type ON registry_process_document_type (document_type);

-- Lines of an address have a line break between them; without `has_address` there is none. Without `has_registrations` the outside
-- register is asked; with it the rows of registry_registration are all that there is.
CREATE TABLE registry_organisation (
    number            TEXT PRIMARY KEY,
    name              TEXT,
    form              TEXT,
    has_address       BIGINT NOT NULL,
    address_lines     TEXT NOT NULL,
    postal_code       TEXT,
    postal_area       TEXT,
    country           TEXT,
    has_registrations BIGINT NOT NULL
);

CREATE TABLE registry_registration (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    process      TEXT NOT NULL,
    PRIMARY KEY (organisation, process)
);

CREATE TABLE registry_certificate (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    purpose      TEXT NOT NULL,
    der          BYTEA NOT NULL,
    PRIMARY KEY (organisation, purpose)
);

CREATE TABLE registry_override (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    position     BIGINT NOT NULL,
    process      TEXT,
    decision     TEXT NOT NULL CHECK (decision IN ('ONLY', 'NEVER', 'CLOSED')),
    service      TEXT,
    reason       TEXT NOT NULL,
    PRIMARY KEY (organisation, position),
    CHECK ((decision = 'CLOSED') = (service IS NULL))
);
