package host

import (
	"embed"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Host is a machine that VMs run on. What isn't known is left empty or 0.
type Host struct {
	resources.Object
	Hypervisor        string `json:"hypervisor,omitempty" gorm:"column:hypervisor;type:text;not null"` // kvm, vmware, …
	HypervisorVersion string `json:"hypervisor_version,omitempty" gorm:"column:hypervisor_version;type:text;not null"`
	AgentVersion      string `json:"agent_version,omitempty" gorm:"column:agent_version;type:text;not null"`
	Arch              string `json:"arch,omitempty" gorm:"column:arch;type:text;not null"` // x86_64, aarch64, …
	CPUs              int    `json:"cpus" gorm:"column:cpus;type:bigint;not null"`
	MemoryMiB         int64  `json:"memory_mib" gorm:"column:memory_mib;type:bigint;not null"`
	StorageGiB        int64  `json:"storage_gib" gorm:"column:storage_gib;type:bigint;not null"`         // of its own, for volumes
	Address           string `json:"address,omitempty" gorm:"column:address;type:text;not null"`         // IPv4 or IPv6, where its agent is
	BMCAddress        string `json:"bmc_address,omitempty" gorm:"column:bmc_address;type:text;not null"` // of its management controller
	ZoneID            string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	Rack              string `json:"rack,omitempty" gorm:"column:rack;type:text;not null"` // what fails together with it
}

// Changed is the event of a host.
type Changed = resources.Changed[Host]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds hosts.
func (Host) TableName() string { return "hosts" }

// Migrations is the SQL of the table.
func (*Host) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses sizes below 0 and addresses that are none, with a *resources.InvalidError.
func (h *Host) Validate() error {
	for _, size := range []struct {
		field string
		value int64
	}{{"cpus", int64(h.CPUs)}, {"memory_mib", h.MemoryMiB}, {"storage_gib", h.StorageGiB}} {
		if size.value < 0 {
			return h.invalid(size.field, "is %d: must be 0 (unknown) or more", size.value)
		}
	}
	for _, a := range []struct{ field, value string }{{"address", h.Address}, {"bmc_address", h.BMCAddress}} {
		if a.value != "" && !isAddress(a.value) {
			return h.invalid(a.field, "%q is not an IP address", a.value)
		}
	}
	return nil
}

// isAddress leaves out addresses with a zone, which mean something on one host only, and IPv4 ones in disguise.
func isAddress(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Zone() == "" && !a.Is4In6()
}

func (h *Host) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: h.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

var (
	_ resources.Migrator  = (*Host)(nil)
	_ resources.Validator = (*Host)(nil)
)
