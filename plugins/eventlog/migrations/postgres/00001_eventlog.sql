-- +goose Up
-- Texts are compared byte by byte, whatever the database's collation is.
CREATE TABLE eventlog (
    seq            BIGINT PRIMARY KEY,
    id             TEXT   COLLATE "C" NOT NULL,
    type           TEXT   COLLATE "C" NOT NULL,
    schema         BIGINT NOT NULL,
    source         TEXT   COLLATE "C" NOT NULL,
    kind           TEXT   COLLATE "C" NOT NULL,
    resource_id    TEXT   COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    tenant         TEXT   COLLATE "C" NOT NULL,
    actor          TEXT   COLLATE "C" NOT NULL,
    time           BIGINT NOT NULL,
    level          TEXT   COLLATE "C" NOT NULL,
    correlation_id TEXT   COLLATE "C" NOT NULL,
    causation_id   TEXT   COLLATE "C" NOT NULL,
    trace_parent   TEXT   COLLATE "C" NOT NULL,
    archived_at    BIGINT NOT NULL,
    data           TEXT   NOT NULL
);

-- The one index for all filters. Bit i of a row: the event 32*block+i has the term. Rows of the newest block are updated by each event:
-- room on a page lets updates stay there.
CREATE TABLE eventlog_terms (
    term  TEXT   COLLATE "C" NOT NULL,
    block BIGINT NOT NULL,
    bits  BIGINT NOT NULL,
    PRIMARY KEY (term, block)
) WITH (fillfactor = 80);

-- The earliest and the latest time in a block of 32 events (level 0), of 32 such blocks (level 1), and so on.
CREATE TABLE eventlog_spans (
    level      BIGINT NOT NULL,
    node       BIGINT NOT NULL,
    first_time BIGINT NOT NULL,
    last_time  BIGINT NOT NULL,
    PRIMARY KEY (level, node)
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE eventlog_spans;
DROP TABLE eventlog_terms;
DROP TABLE eventlog;
