-- What the address service keeps itself. Times are milliseconds since 1970-01-01T00:00:00Z.

-- One row for each change: who, when, what. `number` rises, so nodes see that something is new.
CREATE TABLE registry_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL
) STRICT;

CREATE TABLE registry_process (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier           TEXT NOT NULL UNIQUE,
    service_code         TEXT,
    service_edition_code TEXT,
    resource             TEXT,
    category             TEXT NOT NULL
) STRICT;

CREATE TABLE registry_document_type (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT NOT NULL UNIQUE
) STRICT;

-- Without a cascade from the document type: one that is in use stays.
CREATE TABLE registry_process_document_type (
    process       INTEGER NOT NULL REFERENCES registry_process (id) ON DELETE CASCADE,
    document_type INTEGER NOT NULL REFERENCES registry_document_type (id),
    position      INTEGER NOT NULL,
    PRIMARY KEY (process, document_type)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_process_document_type_by_type ON registry_process_document_type (document_type);

-- Lines of an address have a line break between them; without `has_address` there is none. Without `has_registrations` the outside
-- register is asked; with it the rows of registry_registration are all that there is.
CREATE TABLE registry_organisation (
    number            TEXT PRIMARY KEY,
    name              TEXT,
    form              TEXT,
    has_address       INTEGER NOT NULL,
    address_lines     TEXT NOT NULL,
    postal_code       TEXT,
    postal_area       TEXT,
    country           TEXT,
    has_registrations INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_registration (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    process      TEXT NOT NULL,
    PRIMARY KEY (organisation, process)
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_certificate (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    purpose      TEXT NOT NULL,
    der          BLOB NOT NULL,
    PRIMARY KEY (organisation, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_override (
    organisation TEXT NOT NULL REFERENCES registry_organisation (number) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    process      TEXT,
    decision     TEXT NOT NULL CHECK (decision IN ('ONLY', 'NEVER', 'CLOSED')),
    service      TEXT,
    reason       TEXT NOT NULL,
    PRIMARY KEY (organisation, position),
    CHECK ((decision = 'CLOSED') = (service IS NULL))
) STRICT, WITHOUT ROWID;
