package snapshot

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Type says who asked for a snapshot.
type Type string

const (
	Manual    Type = "manual"    // a user
	Scheduled Type = "scheduled" // a schedule
	Internal  Type = "internal"  // the server itself, to make a template or a backup from it
)

// Types lists the types a snapshot can have.
func Types() []Type { return []Type{Manual, Scheduled, Internal} }

// Snapshot is what a volume held at a moment. What isn't known is left empty or 0.
type Snapshot struct {
	resources.Object
	VolumeID string `json:"volume_id,omitempty" cloudbus:"ref=volume" gorm:"column:volume_id;type:text;not null"`
	ParentID string `json:"parent_id,omitempty" cloudbus:"ref=snapshot" gorm:"column:parent_id;type:text;not null"` // the snapshot it holds the difference to; "": it is complete
	Type     Type   `json:"type,omitempty" gorm:"column:type;type:text;not null"`
	SizeGiB  int64  `json:"size_gib" gorm:"column:size_gib;type:bigint;not null"`     // of the volume at that moment
	Format   string `json:"format,omitempty" gorm:"column:format;type:text;not null"` // one of Formats
	ZoneID   string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	Pool     string `json:"pool,omitempty" gorm:"column:pool;type:text;not null"`     // the primary storage it lies on
	Backup   string `json:"backup,omitempty" gorm:"column:backup;type:text;not null"` // the store it was backed up to
	Path     string `json:"path,omitempty" gorm:"column:path;type:text;not null"`     // and where there
}

// Formats lists the image formats a snapshot can have.
func Formats() []string { return []string{"qcow2", "raw", "vhd", "vhdx", "vmdk", "ova"} }

// Changed is the event of a snapshot.
type Changed = resources.Changed[Snapshot]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds snapshots.
func (Snapshot) TableName() string { return "snapshots" }

// Migrations is the SQL of the table.
func (*Snapshot) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses sizes below 0, unknown types and formats, and a snapshot that is its own parent, with a *resources.InvalidError.
func (s *Snapshot) Validate() error {
	switch {
	case s.SizeGiB < 0:
		return s.invalid("size_gib", "is %d: must be 0 (unknown) or more", s.SizeGiB)
	case s.Type != "" && !slices.Contains(Types(), s.Type):
		return s.invalid("type", "is %q: must be %s, %s or %s, or empty (unknown)", s.Type, Manual, Scheduled, Internal)
	case s.Format != "" && !slices.Contains(Formats(), s.Format):
		return s.invalid("format", "is %q: must be one of %s, or empty (unknown)", s.Format, strings.Join(Formats(), ", "))
	case s.ParentID != "" && s.ParentID == s.ID:
		return s.invalid("parent_id", "is the snapshot itself")
	}
	return nil
}

func (s *Snapshot) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: s.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

var (
	_ resources.Migrator  = (*Snapshot)(nil)
	_ resources.Validator = (*Snapshot)(nil)
)
