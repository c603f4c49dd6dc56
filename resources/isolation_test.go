package resources_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// recorder notes the order in which its methods are called.
type recorder struct {
	name string
	log  *[]string
}

func (r recorder) Name() string { return r.name }

func (r recorder) Before(_ context.Context, c resources.Change) error {
	return r.note("before", c, c.Event() != nil)
}

func (r recorder) InTx(_ context.Context, _ resources.Tx, c resources.Change) error {
	return r.note("in tx", c, c.Event() != nil)
}

func (r recorder) After(_ context.Context, c resources.Change, err error) {
	_ = r.note("after", c, err == nil)
}

func (r recorder) note(phase string, c resources.Change, ok bool) error {
	*r.log = append(*r.log, fmt.Sprintf("%s %s %s %t", r.name, phase, c.Action, ok))
	if c.Reason == r.name+" "+phase {
		return errors.New("no")
	}
	return nil
}

func TestListeners(t *testing.T) {
	for _, test := range []struct {
		reason string
		want   []string
	}{
		{"", []string{"a before moved true", "b before moved true", "a in tx moved true", "b in tx moved true", "with", "a after moved true", "b after moved true"}},
		{"a before", []string{"a before moved true", "a after moved false", "b after moved false"}},
		{"b in tx", []string{"a before moved true", "b before moved true", "a in tx moved true", "b in tx moved true", "a after moved false", "b after moved false"}},
	} {
		t.Run("reason "+test.reason, func(t *testing.T) {
			var log []string
			r := newRig(t, resources.Options{Listeners: []resources.Listener{recorder{"a", &log}, recorder{"b", &log}}})
			g := r.create(t, storetest.Gadget{})
			log = nil
			with := resources.With(func(resources.Tx) error { log = append(log, "with"); return nil })
			_, err := r.gadgets.Fire(ctx, g.ID, "start_requested", resources.Reason(test.reason), with)
			if (err != nil) != (test.reason != "") {
				t.Errorf("Fire: %v", err)
			}
			if !slices.Equal(log, test.want) {
				t.Errorf("got  %q\nwant %q", log, test.want)
			}
			log = nil
			if _, err := r.gadgets.Fire(ctx, "nobody", "start_requested"); !errors.Is(err, resources.ErrNotFound) || len(log) != 2 {
				t.Errorf("Fire at nobody: %v, %q", err, log)
			}
		})
	}
}

func TestFailureStaysWhereItIs(t *testing.T) {
	boom := func(phase string) resources.Listener {
		hit := func(c resources.Change, at string) {
			if phase == at && c.Reason == "boom" {
				panic("boom in " + phase)
			}
		}
		return listeners.Funcs{
			ListenerName: "bomb",
			OnBefore:     func(_ context.Context, c resources.Change) error { hit(c, "Before"); return nil },
			OnInTx:       func(_ context.Context, _ resources.Tx, c resources.Change) error { hit(c, "InTx"); return nil },
			OnAfter:      func(_ context.Context, c resources.Change, _ error) { hit(c, "After") },
		}
	}
	for _, phase := range []string{"Before", "InTx", "After", "Set", "With"} {
		t.Run(phase, func(t *testing.T) {
			r := newRig(t, resources.Options{Listeners: []resources.Listener{boom(phase)}})
			g := r.create(t, storetest.Gadget{})
			opts := []resources.Option{resources.Reason("boom")}
			switch phase {
			case "Set":
				opts = append(opts, resources.Set(func(any) error { panic("boom in Set") }))
			case "With":
				opts = append(opts, resources.With(func(resources.Tx) error { panic("boom in With") }))
			}
			_, err := r.gadgets.Fire(ctx, g.ID, "start_requested", opts...)
			want := uint64(1)
			if phase == "After" {
				want = 2
				if err != nil {
					t.Errorf("Fire: %v, though it is committed", err)
				}
			} else {
				var panicked *resources.PanicError
				if !errors.As(err, &panicked) || !strings.Contains(panicked.Where, phase) || panicked.ID != g.ID || len(panicked.Stack) == 0 {
					t.Errorf("Fire: %v, want a PanicError in %s", err, phase)
				}
			}
			if row := r.get(t, g.ID); row.Version != want || uint64(len(r.records(t))) != want {
				t.Errorf("version %d, %d events, want %d", row.Version, len(r.records(t)), want)
			}
			r.fire(t, g.ID, "start_requested") // others go on
		})
	}
}

func TestInsideTheWriter(t *testing.T) {
	var r *rig
	var asked int
	r = newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "nosy",
		OnBefore:     func(context.Context, resources.Change) error { asked++; return nil },
		OnInTx: func(ctx context.Context, _ resources.Tx, c resources.Change) error {
			before := asked
			if _, err := r.gadgets.Fire(ctx, c.ResourceID, "start_requested"); !errors.Is(err, resources.ErrInWriter) {
				t.Errorf("Fire: %v, want ErrInWriter", err)
			}
			if asked != before {
				t.Error("a before-listener was asked for nothing")
			}
			_, err := r.gadgets.List(ctx, resources.Query{})
			return err
		},
	}}})
	r.fire(t, r.create(t, storetest.Gadget{}).ID, "start_requested")
}

func TestTheEnginesFields(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	for field, alter := range map[string]func(*storetest.Gadget){
		"ID":         func(g *storetest.Gadget) { g.ID = "other" },
		"State":      func(g *storetest.Gadget) { g.State = storetest.On },
		"Origin":     func(g *storetest.Gadget) { g.Origin = storetest.On },
		"Operation":  func(g *storetest.Gadget) { g.Operation = bus.NewID(time.Now()) },
		"Version":    func(g *storetest.Gadget) { g.Version += 7 },
		"StateSince": func(g *storetest.Gadget) { g.StateSince = g.StateSince.Add(-1) },
		"CreatedAt":  func(g *storetest.Gadget) { g.CreatedAt = time.Time{} },
		"UpdatedAt":  func(g *storetest.Gadget) { g.UpdatedAt = g.UpdatedAt.Add(time.Hour) },
		"RemovedAt":  func(g *storetest.Gadget) { g.RemovedAt = time.Now() },
	} {
		set := func(g *storetest.Gadget) error { alter(g); return nil }
		_, fired := r.gadgets.Fire(ctx, g.ID, "start_requested", r.gadgets.Set(set))
		_, updated := r.gadgets.Update(ctx, g.ID, set)
		preset := storetest.Gadget{}
		alter(&preset)
		_, created := r.gadgets.Create(ctx, preset)
		calls := map[string]error{"Fire": fired, "Update": updated, "Create": created}
		if field == "ID" || field == "State" || field == "CreatedAt" {
			delete(calls, "Create") // may be given, or was altered to what it is
		}
		for call, err := range calls {
			var invalid *resources.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("%s altering %s: %v, want an InvalidError", call, field, err)
			}
		}
	}
	r.fire(t, g.ID, "scrap_requested")
	r.fire(t, g.ID, "operation_succeeded")
	if _, err := r.gadgets.Update(ctx, g.ID, func(g *storetest.Gadget) error { g.Label = "x"; return nil }); !errors.Is(err, resources.ErrRemoved) {
		t.Errorf("Update in a final state: %v, want ErrRemoved", err)
	}
}

func TestCopies(t *testing.T) {
	var seen []resources.AnyChanged
	var kept *storetest.Gadget
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "keeper",
		OnBefore: func(context.Context, resources.Change) error {
			if kept != nil {
				kept.Label, kept.State = "spoilt", "spoilt"
			}
			return nil
		},
		OnAfter: func(_ context.Context, c resources.Change, _ error) {
			seen = append(seen, c.Event().(resources.AnyChanged))
		},
	}}})
	tags := []string{"one"}
	g := r.create(t, storetest.Gadget{Tags: tags, Password: "pw"})
	tags[0], g.Tags[0] = "spoilt", "spoilt"
	c := r.fire(t, g.ID, "start_requested", r.gadgets.Set(func(g *storetest.Gadget) error {
		kept = g
		g.Tags = append(g.Tags, "two")
		return nil
	}))
	kept.Tags[0], kept.Label = "spoilt", "spoilt"
	c.Resource.Tags[1] = "spoilt"
	for i, want := range [][]string{{"one"}, {"one", "two"}} {
		snapshot := seen[i].Snapshot().(*storetest.Gadget)
		if !slices.Equal(snapshot.Tags, want) || snapshot.Password != "" || snapshot.Label != "" {
			t.Errorf("event %d carries %+v", i+1, snapshot)
		}
	}
	if row := r.get(t, g.ID); !slices.Equal(row.Tags, []string{"one", "two"}) || row.Password != "pw" || row.Label != "" {
		t.Errorf("the row is %+v", row)
	}
	if c.Resource.Password != "" {
		t.Error("Fire returned a secret")
	}
}

// amnesiac is a store that makes each resource up when it is asked for, and forgets it again.
type amnesiac struct{ *memstore.Store }

func (a amnesiac) Load(_ context.Context, _ *resources.Info, id string) (any, error) {
	g := &storetest.Gadget{}
	g.ID, g.State, g.Version = id, storetest.Off, 1
	return g, nil
}

func (a amnesiac) Do(_ context.Context, fn func(resources.StoreTx) error) error {
	return fn(blank{})
}

type blank struct{ resources.StoreTx }

func (blank) Context() context.Context                         { return ctx }
func (blank) Update(*resources.Info, any, uint64) error        { return nil }
func (blank) Append(bus.Payload, ...bus.Stamp) (bus.ID, error) { return bus.ID{}, nil }

func TestMemory(t *testing.T) {
	r := newRig(t, resources.Options{Store: amnesiac{memstore.New(memstore.Options{})}})
	fire := func(from, to int) {
		var all sync.WaitGroup
		for part := range 4 {
			all.Go(func() {
				for i := from + part; i < to; i += 4 {
					if _, err := r.gadgets.Fire(ctx, fmt.Sprint("g", i), "start_requested"); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	fire(0, 1000)
	before := heap()
	const n = 50_000
	fire(1000, 1000+n)
	if grown := int64(heap()) - int64(before); grown > n*4 {
		t.Errorf("the heap grew by %d bytes over %d resources", grown, n)
	}
	runtime.KeepAlive(r)
}

// The store here would take anything; the engine doesn't let it come to that.
func TestTxIsOverWhenItsFunctionHasReturned(t *testing.T) {
	r := newRig(t, resources.Options{Store: amnesiac{memstore.New(memstore.Options{})}})
	var kept resources.Tx
	_, err := r.gadgets.Fire(ctx, "g", "start_requested", resources.With(func(tx resources.Tx) error { kept = tx; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Append(storetest.GadgetChanged{}); !errors.Is(err, resources.ErrTxDone) {
		t.Errorf("Append afterwards: %v, want ErrTxDone", err)
	}
}
