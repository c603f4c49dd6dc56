-- +goose Up
CREATE TABLE public_ips (
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
    address     TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    vlan        BIGINT  NOT NULL,
    network_id  TEXT    NOT NULL,
    vm_id       TEXT    NOT NULL,
    nic_id      TEXT    NOT NULL,
    source_nat  BOOLEAN NOT NULL,
    static_nat  BOOLEAN NOT NULL,
    zone_id     TEXT    NOT NULL
);
CREATE INDEX public_ips_tenant ON public_ips (tenant, id);
CREATE INDEX public_ips_stay ON public_ips (state, state_since);
CREATE INDEX public_ips_network ON public_ips (network_id, id);
CREATE INDEX public_ips_vm ON public_ips (vm_id, id);
CREATE INDEX public_ips_nic ON public_ips (nic_id, id);
CREATE INDEX public_ips_address ON public_ips (address, id);

-- +goose Down
DROP TABLE public_ips;
