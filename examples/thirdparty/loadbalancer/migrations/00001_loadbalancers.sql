-- +goose Up
CREATE TABLE loadbalancers (
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
    vip         TEXT   NOT NULL,
    port        BIGINT NOT NULL,
    algorithm   TEXT   NOT NULL,
    backends    BIGINT NOT NULL,
    network_id  TEXT   NOT NULL,
    tls_key     TEXT   NOT NULL
);
CREATE INDEX loadbalancers_tenant ON loadbalancers (tenant);
CREATE INDEX loadbalancers_vip ON loadbalancers (vip);

-- +goose Down
DROP TABLE loadbalancers;
