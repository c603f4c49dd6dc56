-- +goose Up
DROP INDEX nics_state;
CREATE INDEX nics_stay ON nics (state, state_since);

-- +goose Down
DROP INDEX nics_stay;
CREATE INDEX nics_state ON nics (state);
