-- +goose Up
CREATE TABLE hosts (
    id                 TEXT   NOT NULL PRIMARY KEY,
    tenant             TEXT   NOT NULL,
    name               TEXT   NOT NULL,
    state              TEXT   NOT NULL,
    origin             TEXT   NOT NULL,
    operation          TEXT   NOT NULL,
    version            BIGINT NOT NULL,
    state_since        BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    removed_at         BIGINT NOT NULL,
    hypervisor         TEXT   NOT NULL,
    hypervisor_version TEXT   NOT NULL,
    agent_version      TEXT   NOT NULL,
    arch               TEXT   NOT NULL,
    cpus               BIGINT NOT NULL,
    memory_mib         BIGINT NOT NULL,
    storage_gib        BIGINT NOT NULL,
    address            TEXT   NOT NULL,
    bmc_address        TEXT   NOT NULL,
    zone_id            TEXT   NOT NULL,
    rack               TEXT   NOT NULL
);
CREATE INDEX hosts_tenant ON hosts (tenant, id);
CREATE INDEX hosts_stay ON hosts (state, state_since);

-- +goose Down
DROP TABLE hosts;
