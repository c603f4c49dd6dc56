-- +goose Up
CREATE TABLE containers (
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
    image       TEXT   NOT NULL,
    cluster_id  TEXT   NOT NULL,
    namespace   TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    vm_id       TEXT   NOT NULL,
    milli_cpus  BIGINT NOT NULL,
    memory_mib  BIGINT NOT NULL,
    address     TEXT   NOT NULL,
    restarts    BIGINT NOT NULL,
    exit_code   BIGINT NOT NULL
);
CREATE INDEX containers_tenant ON containers (tenant, id);
CREATE INDEX containers_stay ON containers (state, state_since);
CREATE INDEX containers_cluster ON containers (cluster_id, id);
CREATE INDEX containers_vm ON containers (vm_id, id);

-- +goose Down
DROP TABLE containers;
