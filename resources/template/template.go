package template

import (
	"embed"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Template is an image that VMs and volumes are made from. What isn't known is left empty or 0.
type Template struct {
	resources.Object
	SizeGiB    int64  `json:"size_gib" gorm:"column:size_gib;type:bigint;not null"`     // of the disk that is made from it
	Format     string `json:"format,omitempty" gorm:"column:format;type:text;not null"` // one of Formats
	GuestOS    string `json:"guest_os,omitempty" gorm:"column:guest_os;type:text;not null"`
	Arch       string `json:"arch,omitempty" gorm:"column:arch;type:text;not null"`             // x86_64, aarch64, …
	Hypervisor string `json:"hypervisor,omitempty" gorm:"column:hypervisor;type:text;not null"` // kvm, vmware, …
	Boot       string `json:"boot,omitempty" gorm:"column:boot;type:text;not null"`             // one of Boots
	URL        string `json:"url,omitempty" gorm:"column:url;type:text;not null"`               // where it comes from
	Checksum   string `json:"checksum,omitempty" gorm:"column:checksum;type:text;not null"`     // algorithm:hexadecimal digits, of the file at URL
	Public     bool   `json:"public" gorm:"column:public;type:boolean;not null"`                // all tenants may use it
	ZoneID     string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	Path       string `json:"path,omitempty" gorm:"column:path;type:text;not null"` // where it lies on the image store
	VolumeID   string `json:"volume_id,omitempty" cloudbus:"ref=volume" gorm:"column:volume_id;type:text;not null"`
	SnapshotID string `json:"snapshot_id,omitempty" cloudbus:"ref=snapshot" gorm:"column:snapshot_id;type:text;not null"` // what it was made from
}

// Formats lists the image formats a template can have.
func Formats() []string { return []string{"qcow2", "raw", "vhd", "vhdx", "vmdk", "ova", "iso"} }

// Boots lists the ways a VM can start from a template.
func Boots() []string { return []string{"bios", "uefi", "uefi_secure"} }

// Changed is the event of a template.
type Changed = resources.Changed[Template]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds templates.
func (Template) TableName() string { return "templates" }

// Migrations is the SQL of the table.
func (*Template) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

var (
	_ resources.Migrator  = (*Template)(nil)
	_ resources.Validator = (*Template)(nil)
)
