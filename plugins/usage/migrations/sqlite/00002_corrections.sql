-- +goose Up
-- What was metered wrongly, or not at all. Times are nanoseconds; a correction of one moment has from_at = to_at.
CREATE TABLE usage_corrections (
    id          TEXT   NOT NULL PRIMARY KEY,
    key         TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    meter       TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    cpus        BIGINT NOT NULL,
    memory_mib  BIGINT NOT NULL,
    gib         BIGINT NOT NULL,
    units       BIGINT NOT NULL,
    from_at     BIGINT NOT NULL,
    to_at       BIGINT NOT NULL,
    seconds     BIGINT NOT NULL,
    nanoseconds BIGINT NOT NULL,
    opened_seq  BIGINT NOT NULL,
    reverses    TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_corrections_key ON usage_corrections (key);
CREATE UNIQUE INDEX usage_corrections_reverses ON usage_corrections (reverses) WHERE reverses <> '';
CREATE INDEX usage_corrections_to ON usage_corrections (to_at);
CREATE INDEX usage_corrections_interval ON usage_corrections (opened_seq, meter);

-- Of what was over before a window begins, a report reads nothing.
CREATE INDEX usage_intervals_ended ON usage_intervals (ended_at);

-- +goose Down
DROP INDEX usage_intervals_ended;
DROP TABLE usage_corrections;
