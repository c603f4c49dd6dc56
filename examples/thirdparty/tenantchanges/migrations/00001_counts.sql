-- +goose Up
CREATE TABLE tenantchanges_counts (
    tenant   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    changes  BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind)
);

-- +goose Down
DROP TABLE tenantchanges_counts;
