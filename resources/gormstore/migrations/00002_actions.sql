-- +goose Up
-- Actions that have no end yet.
CREATE TABLE resources_actions (
    id             TEXT   NOT NULL PRIMARY KEY,
    kind           TEXT   NOT NULL,
    verb           TEXT   NOT NULL,
    resource_id    TEXT   NOT NULL,
    tenant         TEXT   NOT NULL,
    actor          TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    correlation_id TEXT   NOT NULL,
    owner          TEXT   NOT NULL,
    scheduled_at   BIGINT NOT NULL,
    started_at     BIGINT NOT NULL,
    started        TEXT   NOT NULL
);
CREATE INDEX resources_actions_by_owner ON resources_actions (owner, id);

-- +goose Down
DROP TABLE resources_actions;
