-- +goose Up
CREATE TABLE gadgets (
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
    label       TEXT    NOT NULL,
    grade       TEXT    NOT NULL,
    size        BIGINT  NOT NULL,
    small       INTEGER NOT NULL,
    parts       BIGINT  NOT NULL,
    ratio       DOUBLE PRECISION NOT NULL,
    shiny       BOOLEAN NOT NULL,
    due         BIGINT  NOT NULL,
    peer        TEXT    NOT NULL,
    tags        TEXT    NOT NULL,
    password    TEXT    NOT NULL,
    starts      BIGINT  NOT NULL
);
CREATE INDEX gadgets_tenant ON gadgets (tenant);

-- +goose Down
DROP TABLE gadgets;
