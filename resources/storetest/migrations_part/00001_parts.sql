-- +goose Up
CREATE TABLE gadget_parts (
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
    gadget_id    TEXT    NOT NULL,
    spare_for    TEXT    NOT NULL
);
CREATE INDEX gadget_parts_gadget ON gadget_parts (gadget_id);

-- +goose Down
DROP TABLE gadget_parts;
