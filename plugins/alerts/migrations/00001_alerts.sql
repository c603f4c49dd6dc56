-- +goose Up
CREATE TABLE alerts (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    severity    TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    raised_at   BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    cleared_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX alerts_active ON alerts (name, kind, resource_id) WHERE cleared_at = 0;
CREATE INDEX alerts_resource ON alerts (kind, resource_id, id);

CREATE TABLE alerts_pending (
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id)
);
CREATE INDEX alerts_pending_due ON alerts_pending (due_at);

CREATE TABLE alerts_outcomes (
    kind       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    succeeded  BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (kind, started_at)
);

CREATE TABLE alerts_position (
    name TEXT   NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE alerts_position;
DROP TABLE alerts_outcomes;
DROP TABLE alerts_pending;
DROP TABLE alerts;
