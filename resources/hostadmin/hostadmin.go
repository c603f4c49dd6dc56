package hostadmin

import (
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// HostAdmin is what operators want of the host that has its id. What isn't known is left empty or zero.
type HostAdmin struct {
	resources.Object
	Reason      string    `json:"reason,omitempty" gorm:"column:reason;type:text;not null"`                    // why it isn't enabled, for people
	RequestedBy string    `json:"requested_by,omitempty" gorm:"column:requested_by;type:text;not null"`        // who wanted that: user:42
	Until       time.Time `json:"until,omitzero" gorm:"column:until;serializer:unixnano;type:bigint;not null"` // when it is expected back
}

// Changed is the event of a host's administration.
type Changed = resources.Changed[HostAdmin]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds the administration of hosts.
func (HostAdmin) TableName() string { return "host_admins" }

// Migrations is the SQL of the table.
func (*HostAdmin) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

const (
	maxReason = 1024
	maxWho    = 255
)

// Validate refuses texts that are too long, with a *resources.InvalidError.
func (h *HostAdmin) Validate() error {
	switch {
	case len(h.Reason) > maxReason:
		return h.invalid("reason", "has %d bytes; at most %d are allowed", len(h.Reason), maxReason)
	case len(h.RequestedBy) > maxWho:
		return h.invalid("requested_by", "has %d bytes; at most %d are allowed", len(h.RequestedBy), maxWho)
	}
	return nil
}

func (h *HostAdmin) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: h.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

// Moved clears why, who and until when a host is enabled again.
func (h *HostAdmin) Moved(_, to fsm.State, _ fsm.Trigger) {
	if to == Enabled {
		h.Reason, h.RequestedBy, h.Until = "", "", time.Time{}
	}
}

var (
	_ resources.Migrator  = (*HostAdmin)(nil)
	_ resources.Validator = (*HostAdmin)(nil)
	_ resources.Mover     = (*HostAdmin)(nil)
)
