-- +goose Up
-- Events that durable subscriptions have set aside, each with a copy of the record.
CREATE TABLE journal_parked (
    subscription   TEXT   COLLATE "C" NOT NULL,
    seq            BIGINT NOT NULL,
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
    data           TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    tries          BIGINT NOT NULL,
    parked_at      BIGINT NOT NULL,
    PRIMARY KEY (subscription, seq)
);
CREATE INDEX journal_parked_by_resource ON journal_parked (subscription, kind, resource_id, seq);

-- +goose Down
DROP TABLE journal_parked;
