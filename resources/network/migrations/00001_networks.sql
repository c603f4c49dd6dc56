-- +goose Up
CREATE TABLE networks (
    id                  TEXT   NOT NULL PRIMARY KEY,
    tenant              TEXT   NOT NULL,
    name                TEXT   NOT NULL,
    state               TEXT   NOT NULL,
    origin              TEXT   NOT NULL,
    operation           TEXT   NOT NULL,
    version             BIGINT NOT NULL,
    state_since         BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    removed_at          BIGINT NOT NULL,
    type                TEXT   NOT NULL,
    cidr                TEXT   NOT NULL,
    gateway             TEXT   NOT NULL,
    ipv6_cidr           TEXT   NOT NULL,
    ipv6_gateway        TEXT   NOT NULL,
    vlan                BIGINT NOT NULL,
    dns1                TEXT   NOT NULL,
    dns2                TEXT   NOT NULL,
    domain              TEXT   NOT NULL,
    zone_id             TEXT   NOT NULL,
    physical_network_id TEXT   NOT NULL,
    offering_id         TEXT   NOT NULL
);
CREATE INDEX networks_tenant ON networks (tenant, id);
CREATE INDEX networks_state ON networks (state);

-- +goose Down
DROP TABLE networks;
