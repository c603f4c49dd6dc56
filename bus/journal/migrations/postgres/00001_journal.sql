-- +goose Up
-- Texts are compared byte by byte, whatever the database's collation is.
CREATE TABLE journal (
    seq            BIGINT PRIMARY KEY,
    id             TEXT   COLLATE "C" NOT NULL,
    type           TEXT   COLLATE "C" NOT NULL,
    schema         BIGINT NOT NULL,
    kind           TEXT   COLLATE "C" NOT NULL,
    resource_id    TEXT   COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    tenant         TEXT   COLLATE "C" NOT NULL,
    actor          TEXT   COLLATE "C" NOT NULL,
    source         TEXT   COLLATE "C" NOT NULL,
    time           BIGINT NOT NULL,
    recorded_at    BIGINT NOT NULL,
    correlation_id TEXT   COLLATE "C" NOT NULL,
    causation_id   TEXT   COLLATE "C" NOT NULL,
    trace_parent   TEXT   COLLATE "C" NOT NULL,
    data           TEXT   NOT NULL
);
CREATE INDEX journal_by_resource ON journal (kind, resource_id, seq);
CREATE INDEX journal_by_tenant ON journal (tenant, seq);
CREATE INDEX journal_by_type ON journal (type, seq);
CREATE INDEX journal_by_correlation ON journal (correlation_id);

-- One row, updated by every group: room on its page lets updates stay there.
CREATE TABLE journal_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO journal_head (one, seq) VALUES (1, 0);

CREATE TABLE journal_cursor (
    name       TEXT   COLLATE "C" PRIMARY KEY,
    seq        BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Which server runs a durable subscription, until when by this database's clock. The fence rises with each holder; it is part of a key,
-- so that a new holder's update waits for transactions that have the row FOR KEY SHARE.
CREATE TABLE leases (
    name   TEXT        COLLATE "C" PRIMARY KEY,
    holder TEXT        NOT NULL,
    fence  BIGINT      NOT NULL,
    until  TIMESTAMPTZ NOT NULL,
    UNIQUE (name, fence)
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE leases;
DROP TABLE journal_cursor;
DROP TABLE journal_head;
DROP TABLE journal;
