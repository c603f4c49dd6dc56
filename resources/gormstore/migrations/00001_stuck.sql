-- +goose Up
CREATE TABLE resources_stuck (
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    operation   TEXT   NOT NULL,
    reported_at BIGINT NOT NULL,
    times       BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id)
);
CREATE INDEX resources_stuck_due ON resources_stuck (kind, state, reported_at);

-- +goose Down
DROP TABLE resources_stuck;
