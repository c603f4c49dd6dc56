-- +goose Up
DROP INDEX vms_state;
CREATE INDEX vms_stay ON vms (state, state_since);

-- +goose Down
DROP INDEX vms_stay;
CREATE INDEX vms_state ON vms (state);
