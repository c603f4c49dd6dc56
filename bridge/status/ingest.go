package status

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Name of the plugin that ingests reports.
const Name = "status"

// IngestOptions of NewIngest.
type IngestOptions struct {
	Engine    *resources.Engine // Whose resources the reports are about; kinds must be registered before the plugin starts. Required, unless Use gives it later.
	Transport bridge.Transport  // Where the reports come from. It stays the caller's, to be closed after the plugin. Required.

	Types   []Intake // Service types beside the built-in ones, or in their place. A built-in one whose kind isn't registered is left out.
	Stream  string   // The broker's stream; joined if it is there, made if it isn't. Defaults to "dcm-status".
	Subject string   // The subjects that are received. Defaults to "dcm.*".
	Durable string   // Under which name the broker keeps the server's place. Servers that share a database share it. Defaults to "cloudbus".
	Batch   int      // How many reports are taken at a time at most, from 1 to 1,000. Defaults to 256.

	OrphanAfter   time.Duration // How long a report may be held before it is an orphan. Defaults to 10m.
	DisagreeAfter time.Duration // How long own state and observed status may disagree before that is reported. Defaults to 5m.
	CheckEvery    time.Duration // How often that is looked at. Defaults to 5s.

	MaxHeld            int   // How many observations are held; beyond that the oldest are dropped, and counted. Defaults to 100,000.
	MaxQuarantine      int   // How many rejected messages are kept; beyond that the oldest are dropped. Defaults to 10,000.
	MaxQuarantineBytes int64 // How many bytes of them. Defaults to 64 MiB.
}

func (o *IngestOptions) complete() error {
	switch {
	case o.Transport == nil:
		return &bridge.OptionError{Option: "Transport", Reason: "is required"}
	case o.Batch < 0 || o.Batch > 1000:
		return &bridge.OptionError{Option: "Batch", Value: o.Batch, Reason: "must be from 1 to 1,000; 0 is the default"}
	}
	for _, d := range []struct {
		option string
		value  *time.Duration
		usual  time.Duration
	}{
		{"OrphanAfter", &o.OrphanAfter, 10 * time.Minute}, {"DisagreeAfter", &o.DisagreeAfter, 5 * time.Minute}, {"CheckEvery", &o.CheckEvery, 5 * time.Second},
	} {
		if *d.value < 0 {
			return &bridge.OptionError{Option: d.option, Value: *d.value, Reason: "must not be negative"}
		}
		*d.value = cmp.Or(*d.value, d.usual)
	}
	if o.MaxHeld < 0 || o.MaxQuarantine < 0 || o.MaxQuarantineBytes < 0 {
		return &bridge.OptionError{Option: "MaxHeld, MaxQuarantine, MaxQuarantineBytes", Reason: "must not be negative"}
	}
	o.Stream, o.Subject, o.Durable = cmp.Or(o.Stream, "dcm-status"), cmp.Or(o.Subject, "dcm.*"), cmp.Or(o.Durable, "cloudbus")
	o.Batch, o.MaxHeld = cmp.Or(o.Batch, 256), cmp.Or(o.MaxHeld, 100_000)
	o.MaxQuarantine, o.MaxQuarantineBytes = cmp.Or(o.MaxQuarantine, 10_000), cmp.Or(o.MaxQuarantineBytes, 64<<20)
	return nil
}

// Ingest is the plugin that takes what providers report: it checks each report, keeps the newest observation of each resource, and moves
// the resource. Its methods may be called concurrently once it has started.
type Ingest struct {
	options IngestOptions
	runtime *plugins.Runtime
	text    statements
	decoder *Decoder
	intakes map[string]*intake // by service type
	kinds   map[string]bool    // that intakes are about
	fires   map[move]bool      // what reports may fire

	ready  atomic.Bool   // the tables are there
	wake   chan struct{} // holds a token: something held is due
	counts counts
	size   sizer
	store  stored

	unreachable, waiting, untended atomic.Pointer[error] // why nothing is received, or stored, or the tables aren't looked after; nil: all is well

	applying sync.Mutex // one batch at a time
	misled   memory     // of wrong providers, so that not each report is news; guarded by applying
	logged   sync.Map   // by message: *throttle
}

// intake is an Intake, ready for use.
type intake struct {
	Intake
	handle *resources.Handle
	schema *jsonschema.Schema
}

// move is what is fired at resources of a kind.
type move struct {
	kind string
	on   fsm.Trigger
}

// NewIngest returns the plugin. Give its Listener to the engine's Options, and the engine to Use. Errors: *bridge.OptionError, or what is wrong with a service type.
func NewIngest(o IngestOptions) (*Ingest, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	i := newIngest()
	i.options = o
	return i, nil
}

func newIngest() *Ingest {
	return &Ingest{wake: make(chan struct{}, 1), intakes: map[string]*intake{}, kinds: map[string]bool{}, fires: map[move]bool{}}
}

// Use says whose resources the reports are about, if the options didn't: an engine that has the plugin's Listener can't be there before the
// plugin. It is called before the plugin starts.
func (i *Ingest) Use(e *resources.Engine) { i.options.Engine = e }

// Name is "status".
func (i *Ingest) Name() string { return Name }

//go:embed migrations
var migrations embed.FS

// Migrations returns the SQL of the plugin's tables.
func (i *Ingest) Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil // never: the folder is embedded
	}
	return files
}

// Init makes the service types ready, and adds the routes below /v1/status. It doesn't wait for the broker.
func (i *Ingest) Init(ctx context.Context, rt *plugins.Runtime) error {
	if rt.Journal() == nil {
		return plugins.ErrNoDatabase
	}
	if i.options.Engine == nil {
		return &bridge.OptionError{Option: "Engine", Reason: "is required: give it to the options, or to Use"}
	}
	i.runtime, i.text = rt, statementsFor(rt.Journal().DB().Name())
	if err := i.learn(); err != nil {
		return err
	}
	if err := i.count(ctx); err != nil {
		return err
	}
	i.ready.Store(true) // what is made from now on takes what is held; what was made before is looked for
	if err := errors.Join(i.recheck(ctx), i.route()); err != nil {
		i.ready.Store(false)
		return err
	}
	i.publishMetrics()
	return nil
}

// learn compiles the service types.
func (i *Ingest) learn() error {
	var types []ServiceType
	take := func(t Intake, builtIn bool) error {
		h, err := i.options.Engine.Kind(t.Kind)
		if err != nil {
			if builtIn {
				return nil
			}
			return fmt.Errorf("status: service type %q: %w", t.Name, err)
		}
		if err := t.ServiceType.check(); err != nil {
			return err
		}
		if err := t.check(h.Machine()); err != nil {
			return err
		}
		schema, err := t.compileSchema()
		if err != nil {
			return err
		}
		i.intakes[t.Name] = &intake{t, h, schema}
		i.kinds[t.Kind] = true
		for _, on := range t.Triggers {
			i.fires[move{t.Kind, on}] = true
		}
		types = append(types, t.ServiceType)
		return nil
	}
	for _, t := range Intakes() {
		if err := take(t, true); err != nil {
			return err
		}
	}
	for _, t := range i.options.Types {
		if err := take(t, false); err != nil {
			return err
		}
	}
	decoder, err := NewDecoder(types...)
	i.decoder = decoder
	return err
}

// Subscribe follows the resources' own moves, and begins to receive.
func (i *Ingest) Subscribe(c *bus.Client) error {
	if err := i.follow(c); err != nil {
		return err
	}
	i.runtime.Go("check", i.tend)
	i.runtime.Go("receive", i.receive)
	return nil
}

// Close has nothing to free: the transport is the caller's.
func (i *Ingest) Close(context.Context) error { return nil }

// Health is what keeps reports from being taken: the broker, the database. It doesn't wait for either.
func (i *Ingest) Health(ctx context.Context) error {
	for _, fault := range []*atomic.Pointer[error]{&i.unreachable, &i.waiting, &i.untended} {
		if err := fault.Load(); err != nil {
			return *err
		}
	}
	return i.options.Transport.Health(ctx)
}

var (
	_ plugins.Plugin   = (*Ingest)(nil)
	_ plugins.Migrator = (*Ingest)(nil)
	_ plugins.Healther = (*Ingest)(nil)
)
