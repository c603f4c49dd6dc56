package storetest

import (
	"embed"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Part is the suite's kind with relations: a part belongs to a gadget, and may be a spare for another part.
type Part struct {
	resources.Object
	GadgetID string `json:"gadget_id,omitempty" cloudbus:"ref=gadget" gorm:"column:gadget_id;type:text;not null"`
	SpareFor string `json:"spare_for,omitempty" cloudbus:"ref=part" gorm:"column:spare_for;type:text;not null"`
}

// PartChanged is the event of a part.
type PartChanged = resources.Changed[Part]

// States and triggers of a part.
const (
	Loose  fsm.State = "loose"
	Fitted fsm.State = "fitted"
	Broken fsm.State = "broken"

	FitRequested   fsm.Trigger = "fit_requested"
	UnfitRequested fsm.Trigger = "unfit_requested"
	Broke          fsm.Trigger = "broke"
)

// PartMachine is the lifecycle of a part: loose, fitted, broken.
var PartMachine = fsm.MustNew(fsm.Spec{
	Kind: "part", Initial: fsm.States(Loose), Final: fsm.States(Broken),
	Edges: []fsm.Edge{
		{From: fsm.States(Loose), On: FitRequested, To: Fitted},
		{From: fsm.States(Fitted), On: UnfitRequested, To: Loose},
		{From: fsm.States(Loose, Fitted), On: Broke, To: Broken},
	},
})

//go:embed migrations_part/*.sql
var partMigrations embed.FS

// TableName is the table that holds parts.
func (Part) TableName() string { return "gadget_parts" }

// Migrations is the SQL of the table.
func (*Part) Migrations() fs.FS {
	sub, err := fs.Sub(partMigrations, "migrations_part")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

var _ resources.Migrator = (*Part)(nil)
