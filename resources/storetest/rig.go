package storetest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// rig is an engine on a store under test.
type rig struct {
	store   resources.Store
	bus     *bus.Bus
	engine  *resources.Engine
	gadgets *resources.Kind[Gadget]
}

func newRig(t *testing.T, open Open, listeners ...resources.Listener) *rig {
	t.Helper()
	r := newEngine(t, open(t), listeners...)
	gadgets, err := resources.Register[Gadget](r.engine, Machine)
	if err != nil {
		t.Fatalf("Register: %v", err)
	}
	r.gadgets = gadgets
	return r
}

func newEngine(t *testing.T, store resources.Store, listeners ...resources.Listener) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r := &rig{store: store, bus: bus.New(bus.Options{Logger: quiet, Source: "storetest", Journal: store.Journal()})}
	t.Cleanup(func() { r.close(t) })
	if err := bus.Register[note](r.bus, "note.taken", 1); err != nil {
		t.Fatal(err)
	}
	engine, err := resources.New(resources.Options{
		Store: store, Bus: r.bus, Logger: quiet, Listeners: append([]resources.Listener{post{}}, listeners...),
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	r.engine = engine
	return r
}

// close may be called twice.
func (r *rig) close(t *testing.T) {
	if r.bus == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.bus.Close(ctx); err != nil {
		t.Errorf("close the bus: %v", err)
	}
	r.bus = nil
}

func (r *rig) create(t *testing.T, g Gadget) *Gadget {
	t.Helper()
	made, err := r.gadgets.Create(t.Context(), g)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return made
}

// records reads the whole journal and checks that its numbers have no holes.
func (r *rig) records(t *testing.T) []bus.Record {
	t.Helper()
	var all []bus.Record
	for {
		page, err := r.store.Journal().Read(t.Context(), uint64(len(all)), 256)
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		for _, record := range page {
			if record.Seq != uint64(len(all))+1 {
				t.Fatalf("record %d of the journal has number %d", len(all)+1, record.Seq)
			}
			all = append(all, record)
		}
	}
}

// post is what listeners.Post is, and vetoes what carries the reason "veto" after it has appended.
type post struct{}

func (post) Name() string { return "post" }

func (post) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	if _, err := tx.Append(c.Event(), bus.WithID(c.ID)); err != nil {
		return err
	}
	switch c.Reason {
	case "veto":
		return errVeto
	case "panic":
		panic(errVeto)
	}
	return nil
}

// must fails the test if a call failed.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
