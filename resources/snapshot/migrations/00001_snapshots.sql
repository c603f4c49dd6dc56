-- +goose Up
CREATE TABLE snapshots (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    origin      TEXT   NOT NULL,
    operation   TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    state_since BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    removed_at  BIGINT NOT NULL,
    volume_id   TEXT   NOT NULL,
    parent_id   TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    size_gib    BIGINT NOT NULL,
    format      TEXT   NOT NULL,
    zone_id     TEXT   NOT NULL,
    pool        TEXT   NOT NULL,
    backup      TEXT   NOT NULL,
    path        TEXT   NOT NULL
);
CREATE INDEX snapshots_tenant ON snapshots (tenant, id);
CREATE INDEX snapshots_stay ON snapshots (state, state_since);
CREATE INDEX snapshots_volume ON snapshots (volume_id, id);
CREATE INDEX snapshots_parent ON snapshots (parent_id, id);

-- +goose Down
DROP TABLE snapshots;
