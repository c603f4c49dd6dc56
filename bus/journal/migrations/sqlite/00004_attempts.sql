-- +goose Up
-- What durable subscriptions were at when the process died: seq 0 says that one runs, others are events that are being handled.
CREATE TABLE journal_attempts (
    name  TEXT   NOT NULL,
    seq   BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (name, seq)
);

-- +goose Down
DROP TABLE journal_attempts;
