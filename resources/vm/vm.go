package vm

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// VM is a virtual machine. What isn't known is left empty or 0.
type VM struct {
	resources.Object
	CPUs       int    `json:"cpus" gorm:"column:cpus;type:bigint;not null"`
	MemoryMiB  int64  `json:"memory_mib" gorm:"column:memory_mib;type:bigint;not null"`
	Hypervisor string `json:"hypervisor,omitempty" gorm:"column:hypervisor;type:text;not null"` // kvm, vmware, …
	GuestOS    string `json:"guest_os,omitempty" gorm:"column:guest_os;type:text;not null"`
	Hostname   string `json:"hostname,omitempty" gorm:"column:hostname;type:text;not null"` // what the guest calls itself
	ZoneID     string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	HostID     string `json:"host_id,omitempty" cloudbus:"ref=host" gorm:"column:host_id;type:text;not null"` // where it runs, or ran last
	TemplateID string `json:"template_id,omitempty" cloudbus:"ref=template" gorm:"column:template_id;type:text;not null"`
	OfferingID string `json:"offering_id,omitempty" gorm:"column:offering_id;type:text;not null"` // the size it was sold as
	EverRan    bool   `json:"ever_ran" gorm:"column:ever_ran;type:boolean;not null"`              // it was once running or paused; moves set it
}

// Changed is the event of a VM.
type Changed = resources.Changed[VM]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds VMs.
func (VM) TableName() string { return "vms" }

// Migrations is the SQL of the table.
func (*VM) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses sizes below 0, with a *resources.InvalidError.
func (v *VM) Validate() error {
	switch {
	case v.CPUs < 0:
		return v.invalid("cpus", v.CPUs)
	case v.MemoryMiB < 0:
		return v.invalid("memory_mib", v.MemoryMiB)
	}
	return nil
}

func (v *VM) invalid(field string, got any) error {
	return &resources.InvalidError{Kind: Kind, ID: v.ID, Field: field, Reason: fmt.Sprintf("is %v: must be 0 (unknown) or more", got)}
}

// Moved keeps the fact that the VM has run.
func (v *VM) Moved(_, to fsm.State, _ fsm.Trigger) {
	if to == Running || to == Paused {
		v.EverRan = true
	}
}

var (
	_ resources.Migrator  = (*VM)(nil)
	_ resources.Validator = (*VM)(nil)
	_ resources.Mover     = (*VM)(nil)
)
