-- +goose Up
-- No key forbids a second row for an event: it is to be seen.
CREATE TABLE crashtest_tally (
    subscription TEXT   NOT NULL,
    place        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    event        TEXT   NOT NULL,
    resource     TEXT   NOT NULL,
    life         BIGINT NOT NULL
);
CREATE TABLE crashtest_total (
    subscription TEXT   PRIMARY KEY,
    total        BIGINT NOT NULL
);
INSERT INTO crashtest_total (subscription, total) VALUES ('tally', 0), ('moody_tally', 0);

-- +goose Down
DROP TABLE crashtest_total;
DROP TABLE crashtest_tally;
