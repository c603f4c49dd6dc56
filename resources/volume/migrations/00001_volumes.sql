-- +goose Up
CREATE TABLE volumes (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    origin       TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    state_since  BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    removed_at   BIGINT  NOT NULL,
    size_gib     BIGINT  NOT NULL,
    format       TEXT    NOT NULL,
    zone_id      TEXT    NOT NULL,
    pool         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    vm_id        TEXT    NOT NULL,
    device_id    BIGINT  NOT NULL,
    template_id  TEXT    NOT NULL,
    snapshot_id  TEXT    NOT NULL,
    offering_id  TEXT    NOT NULL,
    was_created  BOOLEAN NOT NULL,
    was_uploaded BOOLEAN NOT NULL
);
CREATE INDEX volumes_tenant ON volumes (tenant, id);
CREATE INDEX volumes_state ON volumes (state);
CREATE INDEX volumes_vm ON volumes (vm_id);

-- +goose Down
DROP TABLE volumes;
