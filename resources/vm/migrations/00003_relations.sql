-- +goose Up
DROP INDEX vms_host;
CREATE INDEX vms_host ON vms (host_id, id);
CREATE INDEX vms_template ON vms (template_id, id);

-- +goose Down
DROP INDEX vms_template;
DROP INDEX vms_host;
CREATE INDEX vms_host ON vms (host_id);
