-- +goose Up
DROP INDEX volumes_state;
CREATE INDEX volumes_stay ON volumes (state, state_since);

-- +goose Down
DROP INDEX volumes_stay;
CREATE INDEX volumes_state ON volumes (state);
