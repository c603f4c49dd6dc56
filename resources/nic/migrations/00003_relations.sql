-- +goose Up
DROP INDEX nics_vm;
DROP INDEX nics_network;
CREATE INDEX nics_vm ON nics (vm_id, id);
CREATE INDEX nics_network ON nics (network_id, id);

-- +goose Down
DROP INDEX nics_network;
DROP INDEX nics_vm;
CREATE INDEX nics_vm ON nics (vm_id);
CREATE INDEX nics_network ON nics (network_id);
