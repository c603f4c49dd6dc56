package container

import (
	"embed"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Container is a container, or what its platform moves as one. What isn't known is left empty or 0.
type Container struct {
	resources.Object
	Image     string `json:"image,omitempty" gorm:"column:image;type:text;not null"` // registry.example.org:5000/shop/web:1.2@sha256:…
	ClusterID string `json:"cluster_id,omitempty" cloudbus:"ref=cluster" gorm:"column:cluster_id;type:text;not null"`
	Namespace string `json:"namespace,omitempty" gorm:"column:namespace;type:text;not null"`           // in the cluster
	Node      string `json:"node,omitempty" gorm:"column:node;type:text;not null"`                     // where it runs, by the platform's name
	VMID      string `json:"vm_id,omitempty" cloudbus:"ref=vm" gorm:"column:vm_id;type:text;not null"` // that node's VM, if it is one of ours
	MilliCPUs int64  `json:"milli_cpus" gorm:"column:milli_cpus;type:bigint;not null"`                 // thousandths of a CPU
	MemoryMiB int64  `json:"memory_mib" gorm:"column:memory_mib;type:bigint;not null"`
	Address   string `json:"address,omitempty" gorm:"column:address;type:text;not null"` // IPv4 or IPv6
	Restarts  int    `json:"restarts" gorm:"column:restarts;type:bigint;not null"`
	ExitCode  int    `json:"exit_code" gorm:"column:exit_code;type:bigint;not null"` // of its last run; 0 also if it never ended
}

// Changed is the event of a container.
type Changed = resources.Changed[Container]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds containers.
func (Container) TableName() string { return "containers" }

// Migrations is the SQL of the table.
func (*Container) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// image is a reference as the OCI distribution specification has it: a name of lower-case parts, perhaps behind a registry's host and
// port, then a tag, a digest, both or neither.
var image = regexp.MustCompile(`^(?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/)?` +
	`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*` +
	`(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,})?$`)

// Validate refuses image names that are none, sizes and counts below 0 and addresses that are none, with a *resources.InvalidError.
func (c *Container) Validate() error {
	if c.Image != "" && !image.MatchString(c.Image) {
		return c.invalid("image", "%q is not an image such as registry.example.org/shop/web:1.2", c.Image)
	}
	for _, n := range []struct {
		field string
		value int64
	}{{"milli_cpus", c.MilliCPUs}, {"memory_mib", c.MemoryMiB}, {"restarts", int64(c.Restarts)}} {
		if n.value < 0 {
			return c.invalid(n.field, "is %d: must be 0 (unknown) or more", n.value)
		}
	}
	if a, err := netip.ParseAddr(c.Address); c.Address != "" && (err != nil || a.Zone() != "" || a.Is4In6()) {
		return c.invalid("address", "%q is not an IP address", c.Address)
	}
	return nil
}

func (c *Container) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: c.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

var (
	_ resources.Migrator  = (*Container)(nil)
	_ resources.Validator = (*Container)(nil)
)
