-- +goose Up
CREATE TABLE clusters (
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
    kubernetes_version TEXT   NOT NULL,
    control_planes     BIGINT NOT NULL,
    workers            BIGINT NOT NULL,
    endpoint           TEXT   NOT NULL,
    pod_cidr           TEXT   NOT NULL,
    service_cidr       TEXT   NOT NULL,
    network_id         TEXT   NOT NULL,
    template_id        TEXT   NOT NULL,
    zone_id            TEXT   NOT NULL,
    offering_id        TEXT   NOT NULL
);
CREATE INDEX clusters_tenant ON clusters (tenant, id);
CREATE INDEX clusters_stay ON clusters (state, state_since);
CREATE INDEX clusters_network ON clusters (network_id, id);
CREATE INDEX clusters_template ON clusters (template_id, id);

-- +goose Down
DROP TABLE clusters;
