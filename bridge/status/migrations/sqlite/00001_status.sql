-- +goose Up
-- What providers observe of resources, the newest of each; times are Unix nanoseconds.
CREATE TABLE status_observations (
	kind         TEXT NOT NULL,
	resource_id  TEXT NOT NULL,
	tenant       TEXT NOT NULL,
	provider     TEXT NOT NULL, -- whose the resource is; '' until the next report, after it was released
	source       TEXT NOT NULL,
	service_type TEXT NOT NULL,
	status       TEXT NOT NULL,
	raw          TEXT NOT NULL,
	message      TEXT NOT NULL,
	event_id     TEXT NOT NULL,
	sequence     BIGINT NOT NULL, -- 0: the provider sends none
	observed_at  BIGINT NOT NULL,
	stream_seq   BIGINT NOT NULL,
	received_at  BIGINT NOT NULL,
	changed_at   BIGINT NOT NULL, -- since when it is observed so
	state        TEXT NOT NULL,   -- the resource's own, when that was compared last
	version      BIGINT NOT NULL, -- of the resource, likewise
	differs_at   BIGINT NOT NULL, -- since when the two disagree; 0: they agree
	told_at      BIGINT NOT NULL, -- when that was reported; 0: it wasn't
	revision     BIGINT NOT NULL, -- of this row
	PRIMARY KEY (kind, resource_id)
);
CREATE INDEX status_observations_provider ON status_observations (provider, kind, resource_id);
CREATE INDEX status_observations_differs ON status_observations (differs_at) WHERE differs_at > 0;

-- Observations of resources that aren't there, the newest of each.
CREATE TABLE status_held (
	kind         TEXT NOT NULL,
	resource_id  TEXT NOT NULL,
	provider     TEXT NOT NULL,
	source       TEXT NOT NULL,
	service_type TEXT NOT NULL,
	status       TEXT NOT NULL,
	raw          TEXT NOT NULL,
	message      TEXT NOT NULL,
	event_id     TEXT NOT NULL,
	sequence     BIGINT NOT NULL,
	observed_at  BIGINT NOT NULL,
	stream_seq   BIGINT NOT NULL,
	received_at  BIGINT NOT NULL,
	held_at      BIGINT NOT NULL, -- since when observations of the resource are held
	due          BIGINT NOT NULL, -- 1: the resource is there now
	orphaned_at  BIGINT NOT NULL, -- when it was reported as an orphan; 0: it wasn't
	PRIMARY KEY (kind, resource_id)
);
CREATE INDEX status_held_due ON status_held (due, orphaned_at, held_at);
CREATE INDEX status_held_since ON status_held (held_at, kind, resource_id);

-- Messages that were rejected, as they came.
CREATE TABLE status_quarantine (
	id           TEXT NOT NULL PRIMARY KEY, -- rises with stored_at; the same whenever the message comes
	reason       TEXT NOT NULL,
	detail       TEXT NOT NULL,
	subject      TEXT NOT NULL,
	message_id   TEXT NOT NULL,
	header       TEXT NOT NULL, -- JSON
	data         BLOB NOT NULL,
	size         BIGINT NOT NULL,
	stream_seq   BIGINT NOT NULL,
	stored_at    BIGINT NOT NULL, -- by the stream
	rejected_at  BIGINT NOT NULL,
	provider     TEXT NOT NULL, -- '' where it isn't known
	service_type TEXT NOT NULL,
	resource_id  TEXT NOT NULL
);
CREATE INDEX status_quarantine_reason ON status_quarantine (reason, id);
CREATE INDEX status_quarantine_provider ON status_quarantine (provider, id);

-- +goose Down
DROP TABLE status_quarantine;
DROP TABLE status_held;
DROP TABLE status_observations;
