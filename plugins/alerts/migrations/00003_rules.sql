-- +goose Up
ALTER TABLE alerts ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN is_group BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN members BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN first_members TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN grouped_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN told BIGINT NOT NULL DEFAULT 1;
ALTER TABLE alerts ADD COLUMN notices BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN notify_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN acknowledged_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN note TEXT NOT NULL DEFAULT '';
DROP INDEX alerts_active;
CREATE UNIQUE INDEX alerts_active ON alerts (name, kind, resource_id, scope, is_group) WHERE cleared_at = 0;
CREATE INDEX alerts_about ON alerts (resource_id) WHERE cleared_at = 0;
CREATE INDEX alerts_single ON alerts (name, kind, cause, raised_at) WHERE cleared_at = 0 AND is_group = 0 AND grouped_by = '';
CREATE INDEX alerts_members ON alerts (grouped_by, id);
CREATE INDEX alerts_notify ON alerts (notify_at) WHERE notify_at > 0;
CREATE INDEX alerts_cleared ON alerts (cleared_at);

CREATE TABLE alerts_notices (
    alert_id TEXT   NOT NULL,
    n        BIGINT NOT NULL,
    what     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    message  TEXT   NOT NULL,
    count    BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    PRIMARY KEY (alert_id, n)
);

CREATE TABLE alerts_reports (
    rule        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (rule, kind, resource_id)
);
INSERT INTO alerts_reports (rule, kind, resource_id, tenant, message, reported_at)
    SELECT 'stuck', kind, resource_id, tenant, message, reported_at FROM alerts_muted;
DROP TABLE alerts_muted;

CREATE TABLE alerts_rates (
    rule       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    succeeded  BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (rule, kind, started_at)
);
INSERT INTO alerts_rates (rule, kind, started_at, succeeded, failed)
    SELECT 'failure_rate', kind, started_at, succeeded, failed FROM alerts_outcomes;
DROP TABLE alerts_outcomes;

CREATE TABLE alerts_tracks (
    rule        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    times       TEXT   NOT NULL,
    due_at      BIGINT NOT NULL,
    PRIMARY KEY (rule, kind, resource_id)
);
CREATE INDEX alerts_tracks_due ON alerts_tracks (due_at);
CREATE INDEX alerts_tracks_resource ON alerts_tracks (resource_id);

CREATE TABLE alerts_follows (
    follow   TEXT   NOT NULL PRIMARY KEY,
    from_seq BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    reached  TEXT   NOT NULL,
    complete BIGINT NOT NULL
);

CREATE TABLE alerts_stays (
    follow      TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (follow, resource_id)
);
CREATE INDEX alerts_stays_due ON alerts_stays (due_at);

CREATE TABLE alerts_shares (
    follow      TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    scope       TEXT   NOT NULL,
    amount      BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (follow, resource_id)
);

CREATE TABLE alerts_sums (
    follow    TEXT   NOT NULL,
    scope     TEXT   NOT NULL,
    amount    BIGINT NOT NULL,
    resources BIGINT NOT NULL,
    PRIMARY KEY (follow, scope)
);

-- +goose Down
DROP TABLE alerts_sums;
DROP TABLE alerts_shares;
DROP TABLE alerts_stays;
DROP TABLE alerts_follows;
DROP TABLE alerts_tracks;
CREATE TABLE alerts_outcomes (
    kind       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    succeeded  BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (kind, started_at)
);
INSERT INTO alerts_outcomes (kind, started_at, succeeded, failed)
    SELECT kind, started_at, succeeded, failed FROM alerts_rates WHERE rule = 'failure_rate';
DROP TABLE alerts_rates;
CREATE TABLE alerts_muted (
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id)
);
INSERT INTO alerts_muted (kind, resource_id, tenant, message, reported_at)
    SELECT kind, resource_id, tenant, message, reported_at FROM alerts_reports WHERE rule = 'stuck';
DROP TABLE alerts_reports;
DROP TABLE alerts_notices;
DROP INDEX alerts_cleared;
DROP INDEX alerts_notify;
DROP INDEX alerts_members;
DROP INDEX alerts_single;
DROP INDEX alerts_about;
DROP INDEX alerts_active;
DELETE FROM alerts WHERE is_group = 1 OR scope <> '';
CREATE UNIQUE INDEX alerts_active ON alerts (name, kind, resource_id) WHERE cleared_at = 0;
ALTER TABLE alerts DROP COLUMN note;
ALTER TABLE alerts DROP COLUMN acknowledged_at;
ALTER TABLE alerts DROP COLUMN acknowledged_by;
ALTER TABLE alerts DROP COLUMN notify_at;
ALTER TABLE alerts DROP COLUMN notices;
ALTER TABLE alerts DROP COLUMN told;
ALTER TABLE alerts DROP COLUMN grouped_by;
ALTER TABLE alerts DROP COLUMN first_members;
ALTER TABLE alerts DROP COLUMN members;
ALTER TABLE alerts DROP COLUMN is_group;
ALTER TABLE alerts DROP COLUMN cause;
ALTER TABLE alerts DROP COLUMN scope;
