-- +goose Up
CREATE TABLE replayed (
    instance     TEXT   NOT NULL,
    at           BIGINT NOT NULL, -- Unix nanoseconds
    sighting     BIGINT NOT NULL,
    nth          BIGINT NOT NULL, -- among identical lines of a file, from 1
    trigger_name TEXT   NOT NULL,
    outcome      TEXT   NOT NULL, -- moved, unchanged, refused
    PRIMARY KEY (instance, at, sighting, nth, trigger_name)
);

-- +goose Down
DROP TABLE replayed;
