-- +goose Up
CREATE TABLE host_admins (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant       TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    origin       TEXT   NOT NULL,
    operation    TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    state_since  BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL,
    reason       TEXT   NOT NULL,
    requested_by TEXT   NOT NULL,
    until        BIGINT NOT NULL
);
CREATE INDEX host_admins_tenant ON host_admins (tenant, id);
CREATE INDEX host_admins_stay ON host_admins (state, state_since);

-- +goose Down
DROP TABLE host_admins;
