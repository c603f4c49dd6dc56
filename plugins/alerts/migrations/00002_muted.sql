-- +goose Up
DROP TABLE alerts_pending;
CREATE TABLE alerts_muted (
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id)
);

-- +goose Down
DROP TABLE alerts_muted;
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
