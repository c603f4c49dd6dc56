-- +goose Up
-- Whose events the journal holds: local 1 are those of the servers that write it, 0 of those whose events came in over a bridge.
CREATE TABLE bridge_sources (
    source TEXT   NOT NULL PRIMARY KEY,
    local  BIGINT NOT NULL
);
INSERT INTO bridge_sources (source, local) SELECT DISTINCT source, 1 FROM journal;

-- How far each way in has come.
CREATE TABLE bridge_inward (
    name    TEXT   NOT NULL PRIMARY KEY,
    durable TEXT   NOT NULL,
    newest  BIGINT NOT NULL
);

-- What came in lately, by which repeats are told.
CREATE TABLE bridge_received (
    source TEXT   NOT NULL,
    id     TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX bridge_received_at ON bridge_received (at);

-- What came in and was no event: the newest thousand of each way in.
CREATE TABLE bridge_refused (
    name   TEXT   NOT NULL,
    n      BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    reason TEXT   NOT NULL,
    size   BIGINT NOT NULL,
    letter TEXT   NOT NULL,
    PRIMARY KEY (name, n)
);

-- +goose Down
DROP TABLE bridge_refused;
DROP TABLE bridge_received;
DROP TABLE bridge_inward;
DROP TABLE bridge_sources;
