-- +goose Up
DROP INDEX networks_state;
CREATE INDEX networks_stay ON networks (state, state_since);

-- +goose Down
DROP INDEX networks_stay;
CREATE INDEX networks_state ON networks (state);
