-- +goose Up
CREATE TABLE nics (
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
    vm_id        TEXT    NOT NULL,
    network_id   TEXT    NOT NULL,
    device_id    BIGINT  NOT NULL,
    is_default   BOOLEAN NOT NULL,
    mac          TEXT    NOT NULL,
    ipv4         TEXT    NOT NULL,
    ipv4_gateway TEXT    NOT NULL,
    ipv6         TEXT    NOT NULL,
    ipv6_gateway TEXT    NOT NULL
);
CREATE INDEX nics_tenant ON nics (tenant, id);
CREATE INDEX nics_state ON nics (state);
CREATE INDEX nics_vm ON nics (vm_id);
CREATE INDEX nics_network ON nics (network_id);

-- +goose Down
DROP TABLE nics;
