-- +goose Up
-- What was metered wrongly, or not at all. Times are nanoseconds; a correction of one moment has from_at = to_at.
CREATE TABLE usage_corrections (
    id          TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    key         TEXT   COLLATE "C" NOT NULL,
    tenant      TEXT   COLLATE "C" NOT NULL,
    kind        TEXT   COLLATE "C" NOT NULL,
    meter       TEXT   COLLATE "C" NOT NULL,
    resource_id TEXT   COLLATE "C" NOT NULL,
    cpus        BIGINT NOT NULL,
    memory_mib  BIGINT NOT NULL,
    gib         BIGINT NOT NULL,
    units       BIGINT NOT NULL,
    from_at     BIGINT NOT NULL,
    to_at       BIGINT NOT NULL,
    seconds     BIGINT NOT NULL,
    nanoseconds BIGINT NOT NULL,
    opened_seq  BIGINT NOT NULL,
    reverses    TEXT   COLLATE "C" NOT NULL,
    reason      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_corrections_key ON usage_corrections (key);
CREATE UNIQUE INDEX usage_corrections_reverses ON usage_corrections (reverses) WHERE reverses <> '';
CREATE INDEX usage_corrections_to ON usage_corrections (to_at);
CREATE INDEX usage_corrections_interval ON usage_corrections (opened_seq, meter);

-- Texts are compared byte by byte, whatever the database's collation is: the reconciler walks resources in the order that the journal and the kinds' tables have.
ALTER TABLE usage_intervals
    ALTER COLUMN meter       TYPE TEXT COLLATE "C",
    ALTER COLUMN tenant      TYPE TEXT COLLATE "C",
    ALTER COLUMN kind        TYPE TEXT COLLATE "C",
    ALTER COLUMN resource_id TYPE TEXT COLLATE "C";

-- Of what was over before a window begins, a report reads nothing.
CREATE INDEX usage_intervals_ended ON usage_intervals (ended_at);

-- +goose Down
DROP INDEX usage_intervals_ended;
DROP TABLE usage_corrections;
