-- +goose Up
-- The type of the rule that raised it; empty for those that were raised before there were several of a name.
ALTER TABLE alerts ADD COLUMN type TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE alerts DROP COLUMN type;
