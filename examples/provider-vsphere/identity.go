package main

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// IdentifyBy says what of a VM is the id under which servers know it.
type IdentifyBy string

const (
	ByInstanceUUID IdentifyBy = "instance-uuid" // unique in a vCenter; a clone has another one
	ByExtraConfig  IdentifyBy = "extra-config"  // the value of Options.IDKey in the VM's configuration; a clone inherits it
	ByAttribute    IdentifyBy = "attribute"     // the value of the custom attribute Options.IDKey; a clone doesn't have it
)

// DefaultIDKey is the key in a VM's configuration under which its id stands.
const DefaultIDKey = "cloudbus.id"

// identity reads ids.
type identity struct {
	by    IdentifyBy
	key   string
	field int32 // of the custom attribute
}

// newIdentity looks the custom attribute up, if it needs one.
func newIdentity(ctx context.Context, c *vim25.Client, o Options) (identity, error) {
	id := identity{by: o.IdentifyBy, key: o.IDKey}
	if id.by != ByAttribute {
		return id, nil
	}
	fields, err := object.GetCustomFieldsManager(c)
	if err != nil {
		return id, fmt.Errorf("custom attributes: %w", err)
	}
	if id.field, err = fields.FindKey(ctx, id.key); err != nil {
		return id, fmt.Errorf("custom attribute %q: %w", id.key, err)
	}
	return id, nil
}

// properties are those that ids are read from.
func (id identity) properties() []string {
	switch id.by {
	case ByExtraConfig:
		return []string{propExtra}
	case ByAttribute:
		return []string{propCustom}
	}
	return []string{propUUID}
}

// of returns the id of a VM, "" if it has none.
func (id identity) of(m *machine) string {
	switch id.by {
	case ByExtraConfig:
		for _, option := range m.extra.OptionValue {
			if v := option.GetOptionValue(); v.Key == id.key {
				text, _ := v.Value.(string)
				return text
			}
		}
		return ""
	case ByAttribute:
		for _, value := range m.custom.CustomFieldValue {
			if text, ok := valueOf(value, id.field); ok {
				return text
			}
		}
		return ""
	}
	return m.uuid
}

func valueOf(value types.BaseCustomFieldValue, field int32) (string, bool) {
	text, ok := value.(*types.CustomFieldStringValue)
	if !ok || text.Key != field {
		return "", false
	}
	return text.Value, true
}
