-- +goose Up
-- No key forbids a second row for an event: it is to be seen.
CREATE TABLE crashtest_tally (
    place    BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    event    TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    life     BIGINT NOT NULL
);
CREATE TABLE crashtest_total (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    total BIGINT NOT NULL
);
INSERT INTO crashtest_total (one, total) VALUES (1, 0);

-- +goose Down
DROP TABLE crashtest_total;
DROP TABLE crashtest_tally;
