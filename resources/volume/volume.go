package volume

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Volume is a disk. What isn't known is left empty or 0.
type Volume struct {
	resources.Object
	SizeGiB     int64  `json:"size_gib" gorm:"column:size_gib;type:bigint;not null"`
	Format      string `json:"format,omitempty" gorm:"column:format;type:text;not null"` // one of Formats
	ZoneID      string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	Pool        string `json:"pool,omitempty" gorm:"column:pool;type:text;not null"`                     // the primary storage it lies on
	Path        string `json:"path,omitempty" gorm:"column:path;type:text;not null"`                     // and where there
	VMID        string `json:"vm_id,omitempty" cloudbus:"ref=vm" gorm:"column:vm_id;type:text;not null"` // the VM it is attached to, or being attached to
	DeviceID    int    `json:"device_id" gorm:"column:device_id;type:bigint;not null"`                   // its place among the VM's disks; 0 is the root disk's
	TemplateID  string `json:"template_id,omitempty" cloudbus:"ref=template" gorm:"column:template_id;type:text;not null"`
	SnapshotID  string `json:"snapshot_id,omitempty" cloudbus:"ref=snapshot" gorm:"column:snapshot_id;type:text;not null"` // what it was made from
	OfferingID  string `json:"offering_id,omitempty" gorm:"column:offering_id;type:text;not null"`                         // the size and speed it was sold as
	WasCreated  bool   `json:"was_created" gorm:"column:was_created;type:boolean;not null"`                                // it was once on primary storage; moves set it
	WasUploaded bool   `json:"was_uploaded" gorm:"column:was_uploaded;type:boolean;not null"`                              // it was once uploaded; moves set it
}

// Formats lists the image formats a volume can have.
func Formats() []string { return []string{"qcow2", "raw", "vhd", "vhdx", "vmdk", "ova"} }

// Changed is the event of a volume.
type Changed = resources.Changed[Volume]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds volumes.
func (Volume) TableName() string { return "volumes" }

// Migrations is the SQL of the table.
func (*Volume) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses sizes and device numbers below 0 and unknown formats, with a *resources.InvalidError.
func (v *Volume) Validate() error {
	switch {
	case v.SizeGiB < 0:
		return v.invalid("size_gib", "is %d: must be 0 (unknown) or more", v.SizeGiB)
	case v.DeviceID < 0:
		return v.invalid("device_id", "is %d: must be 0 (the root disk) or more", v.DeviceID)
	case v.Format != "" && !slices.Contains(Formats(), v.Format):
		return v.invalid("format", "is %q: must be one of %s, or empty (unknown)", v.Format, strings.Join(Formats(), ", "))
	}
	return nil
}

func (v *Volume) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: v.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

// Moved keeps the facts that recovery asks for, and ends an attachment that was taken away or never came about.
func (v *Volume) Moved(from, to fsm.State, on fsm.Trigger) {
	switch to {
	case Ready:
		v.WasCreated = true
	case Uploaded:
		v.WasUploaded = true
	}
	if from == Detaching && on == OperationSucceeded || from == Attaching && on == OperationFailed {
		v.VMID, v.DeviceID = "", 0
	}
}

var (
	_ resources.Migrator  = (*Volume)(nil)
	_ resources.Validator = (*Volume)(nil)
	_ resources.Mover     = (*Volume)(nil)
)
