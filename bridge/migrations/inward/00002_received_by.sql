-- +goose Up
-- By which way in an event came: each forgets its own, since one may be far behind another. '' came before this was known.
ALTER TABLE bridge_received ADD COLUMN name TEXT NOT NULL DEFAULT '';
DROP INDEX bridge_received_at;
CREATE INDEX bridge_received_name_at ON bridge_received (name, at);

-- +goose Down
DROP INDEX bridge_received_name_at;
CREATE INDEX bridge_received_at ON bridge_received (at);
ALTER TABLE bridge_received DROP COLUMN name;
