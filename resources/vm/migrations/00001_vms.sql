-- +goose Up
CREATE TABLE vms (
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
    cpus        BIGINT  NOT NULL,
    memory_mib  BIGINT  NOT NULL,
    hypervisor  TEXT    NOT NULL,
    guest_os    TEXT    NOT NULL,
    hostname    TEXT    NOT NULL,
    zone_id     TEXT    NOT NULL,
    host_id     TEXT    NOT NULL,
    template_id TEXT    NOT NULL,
    offering_id TEXT    NOT NULL,
    ever_ran    BOOLEAN NOT NULL
);
CREATE INDEX vms_tenant ON vms (tenant, id);
CREATE INDEX vms_state ON vms (state);
CREATE INDEX vms_host ON vms (host_id);

-- +goose Down
DROP TABLE vms;
