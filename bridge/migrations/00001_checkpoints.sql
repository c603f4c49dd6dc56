-- +goose Up
CREATE TABLE bridge_checkpoints (
    bridge     TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    stream     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    stream_seq BIGINT NOT NULL,
    message_id TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (bridge, seq)
);

-- +goose Down
DROP TABLE bridge_checkpoints;
