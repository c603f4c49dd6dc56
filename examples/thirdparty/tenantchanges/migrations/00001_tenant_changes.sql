-- +goose Up
CREATE TABLE tenant_changes (
    tenant   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    changes  BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind)
);

-- +goose Down
DROP TABLE tenant_changes;
