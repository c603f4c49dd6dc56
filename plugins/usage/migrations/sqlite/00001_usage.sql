-- +goose Up
CREATE TABLE usage_intervals (
    opened_seq  BIGINT NOT NULL,
    meter       TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    cpus        BIGINT NOT NULL,
    memory_mib  BIGINT NOT NULL,
    gib         BIGINT NOT NULL,
    units       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    closed_seq  BIGINT NOT NULL,
    PRIMARY KEY (opened_seq, meter)
);
CREATE INDEX usage_intervals_resource ON usage_intervals (kind, resource_id, closed_seq);
CREATE INDEX usage_intervals_tenant ON usage_intervals (tenant, meter, started_at);

-- +goose Down
DROP TABLE usage_intervals;
