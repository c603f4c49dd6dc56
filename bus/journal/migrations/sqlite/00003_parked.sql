-- +goose Up
-- Events that durable subscriptions have set aside, each with a copy of the record.
CREATE TABLE journal_parked (
    subscription   TEXT   NOT NULL,
    seq            BIGINT NOT NULL,
    id             TEXT   NOT NULL,
    type           TEXT   NOT NULL,
    schema         BIGINT NOT NULL,
    kind           TEXT   NOT NULL,
    resource_id    TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    tenant         TEXT   NOT NULL,
    actor          TEXT   NOT NULL,
    source         TEXT   NOT NULL,
    time           BIGINT NOT NULL,
    recorded_at    BIGINT NOT NULL,
    correlation_id TEXT   NOT NULL,
    causation_id   TEXT   NOT NULL,
    trace_parent   TEXT   NOT NULL,
    data           TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    tries          BIGINT NOT NULL,
    parked_at      BIGINT NOT NULL,
    PRIMARY KEY (subscription, seq)
);
CREATE INDEX journal_parked_by_resource ON journal_parked (subscription, kind, resource_id, seq);

-- +goose Down
DROP TABLE journal_parked;
