-- +goose Up
CREATE TABLE eventlog (
    seq            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL,
    type           TEXT    NOT NULL,
    schema         INTEGER NOT NULL,
    source         TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    resource_id    TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    tenant         TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    time           INTEGER NOT NULL,
    level          TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    causation_id   TEXT    NOT NULL,
    trace_parent   TEXT    NOT NULL,
    archived_at    INTEGER NOT NULL,
    data           TEXT    NOT NULL
);

-- The one index for all filters. Bit i of a row: the event 32*block+i has the term.
CREATE TABLE eventlog_terms (
    term  TEXT    NOT NULL,
    block INTEGER NOT NULL,
    bits  INTEGER NOT NULL,
    PRIMARY KEY (term, block)
) WITHOUT ROWID;

-- The earliest and the latest time in a block of 32 events (level 0), of 32 such blocks (level 1), and so on.
CREATE TABLE eventlog_spans (
    level      INTEGER NOT NULL,
    node       INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    PRIMARY KEY (level, node)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE eventlog_spans;
DROP TABLE eventlog_terms;
DROP TABLE eventlog;
