-- +goose Up
DROP INDEX volumes_vm;
CREATE INDEX volumes_vm ON volumes (vm_id, id);
CREATE INDEX volumes_template ON volumes (template_id, id);
CREATE INDEX volumes_snapshot ON volumes (snapshot_id, id);

-- +goose Down
DROP INDEX volumes_snapshot;
DROP INDEX volumes_template;
DROP INDEX volumes_vm;
CREATE INDEX volumes_vm ON volumes (vm_id);
