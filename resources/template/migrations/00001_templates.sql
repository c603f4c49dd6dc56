-- +goose Up
CREATE TABLE templates (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    origin      TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    version     BIGINT  NOT NULL,
    state_since BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    removed_at  BIGINT  NOT NULL,
    size_gib    BIGINT  NOT NULL,
    format      TEXT    NOT NULL,
    guest_os    TEXT    NOT NULL,
    arch        TEXT    NOT NULL,
    hypervisor  TEXT    NOT NULL,
    boot        TEXT    NOT NULL,
    url         TEXT    NOT NULL,
    checksum    TEXT    NOT NULL,
    public      BOOLEAN NOT NULL,
    zone_id     TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    volume_id   TEXT    NOT NULL,
    snapshot_id TEXT    NOT NULL
);
CREATE INDEX templates_tenant ON templates (tenant, id);
CREATE INDEX templates_stay ON templates (state, state_since);
CREATE INDEX templates_volume ON templates (volume_id, id);
CREATE INDEX templates_snapshot ON templates (snapshot_id, id);

-- +goose Down
DROP TABLE templates;
