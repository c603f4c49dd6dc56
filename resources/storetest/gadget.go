package storetest

import (
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Grade is a column of a named type.
type Grade string

// Gadget is the suite's kind: it has a column of each sort that a store must bring back as it was.
type Gadget struct {
	resources.Object
	Label    string    `json:"label" gorm:"column:label;type:text;not null"`
	Grade    Grade     `json:"grade" gorm:"column:grade;type:text;not null"`
	Size     int64     `json:"size" gorm:"column:size;type:bigint;not null"`
	Small    int32     `json:"small" gorm:"column:small;type:integer;not null"`
	Parts    uint32    `json:"parts" gorm:"column:parts;type:bigint;not null"`
	Ratio    float64   `json:"ratio" gorm:"column:ratio;type:double precision;not null"`
	Shiny    bool      `json:"shiny" gorm:"column:shiny;type:boolean;not null"`
	Due      time.Time `json:"due,omitzero" gorm:"column:due;serializer:unixnano;type:bigint;not null"`
	Peer     bus.ID    `json:"peer,omitzero" gorm:"column:peer;type:text;not null"`
	Tags     []string  `json:"tags,omitempty" gorm:"column:tags;serializer:json;type:text;not null"`
	Password string    `json:"password,omitempty" cloudbus:"secret" gorm:"column:password;type:text;not null"`
	Starts   int       `json:"starts" gorm:"column:starts;type:bigint;not null"` // how often it was switched on; moves count
}

// GadgetChanged is the event of a gadget.
type GadgetChanged = resources.Changed[Gadget]

// States and triggers of a gadget.
const (
	Off       fsm.State = "off"
	Starting  fsm.State = "starting"
	On        fsm.State = "on"
	Scrapping fsm.State = "scrapping"
	Gone      fsm.State = "gone"

	StartRequested fsm.Trigger = "start_requested"
	StopRequested  fsm.Trigger = "stop_requested"
	WakeRequested  fsm.Trigger = "wake_requested"
	ScrapRequested fsm.Trigger = "scrap_requested"
	Ticked         fsm.Trigger = "ticked"
	Succeeded                  = fsm.OperationSucceeded
	Failed                     = fsm.OperationFailed
)

func spec() fsm.Spec {
	hasRun := fsm.If("has_run", func(g *Gadget) bool { return g.Starts > 0 })
	return fsm.Spec{
		Kind:    "gadget",
		Initial: fsm.States(Off),
		Final:   fsm.States(Gone),
		Limits:  map[fsm.State]time.Duration{Starting: time.Minute, Scrapping: time.Hour},
		Edges: []fsm.Edge{
			{From: fsm.States(Off), On: StartRequested, To: Starting},
			{From: fsm.States(Off), On: WakeRequested, To: On, If: hasRun},
			{From: fsm.States(Off), On: StopRequested, To: fsm.Same},
			{From: fsm.States(Off), On: Ticked, To: Off},
			{From: fsm.States(Starting), On: Succeeded, To: On},
			{From: fsm.States(Starting), On: Failed, To: fsm.Origin},
			{From: fsm.States(Starting), On: StartRequested, To: fsm.Same},
			{From: fsm.States(On), On: StopRequested, To: Off},
			{From: fsm.States(On), On: Ticked, To: On},
			{From: fsm.States(Off, On), On: ScrapRequested, To: Scrapping},
			{From: fsm.States(Scrapping), On: Succeeded, To: Gone},
			{From: fsm.States(Scrapping), On: Failed, To: Scrapping},
			{From: fsm.States(Gone), On: ScrapRequested, To: fsm.Same},
		},
	}
}

// Machine is the lifecycle of a gadget: off, starting, on, scrapping, gone. Ticked moves off and on to themselves.
var Machine = fsm.MustNew(spec())

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds gadgets.
func (Gadget) TableName() string { return "gadgets" }

// Migrations is the SQL of the table.
func (*Gadget) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

var errNegative = errors.New("size is negative")

// Validate refuses negative sizes.
func (g *Gadget) Validate() error {
	if g.Size < 0 {
		return errNegative
	}
	return nil
}

// Moved counts how often the gadget was switched on.
func (g *Gadget) Moved(_, to fsm.State, _ fsm.Trigger) {
	if to == On {
		g.Starts++
	}
}

var (
	_ resources.Migrator  = (*Gadget)(nil)
	_ resources.Validator = (*Gadget)(nil)
	_ resources.Mover     = (*Gadget)(nil)
)
