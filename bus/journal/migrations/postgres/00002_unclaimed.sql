-- +goose Up
CREATE TABLE journal_unclaimed (
    name      TEXT   NOT NULL PRIMARY KEY,
    warned_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE journal_unclaimed;
