-- +goose Up
CREATE TABLE journal (
    seq            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL,
    type           TEXT    NOT NULL,
    schema         INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    resource_id    TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    tenant         TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    time           INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    correlation_id TEXT    NOT NULL,
    causation_id   TEXT    NOT NULL,
    trace_parent   TEXT    NOT NULL,
    data           TEXT    NOT NULL
);
CREATE INDEX journal_by_resource ON journal (kind, resource_id, seq);
CREATE INDEX journal_by_tenant ON journal (tenant, seq);
CREATE INDEX journal_by_type ON journal (type, seq);
CREATE INDEX journal_by_correlation ON journal (correlation_id);

CREATE TABLE journal_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
);
INSERT INTO journal_head (one, seq) VALUES (1, 0);

CREATE TABLE journal_cursor (
    name       TEXT    PRIMARY KEY,
    seq        INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE journal_cursor;
DROP TABLE journal_head;
DROP TABLE journal;
