package all_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

const steps = 16 // of a walk, at most

// TestRandomWalksEndInNoIllegalState: whatever is fired at a resource of whatever kind, it is where the table says, and nowhere else.
func TestRandomWalksEndInNoIllegalState(t *testing.T) {
	for _, m := range all.Machines() {
		t.Run(m.Kind(), func(t *testing.T) {
			t.Parallel()
			walks(t, memstore.New(memstore.Options{}), m.Kind(), 1000, 4)
		})
	}
}

// The same on databases, where each step waits for a disk.
func TestRandomWalksOnDatabases(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (*gormstore.Store, error){
		"sqlite": func(t *testing.T) (*gormstore.Store, error) {
			return sqlite.Open(filepath.Join(t.TempDir(), "walks.db"), sqlite.Options{Logger: quiet})
		},
		"postgres": func(t *testing.T) (*gormstore.Store, error) {
			return postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: quiet})
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := store.Close(context.Background()); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			for _, m := range all.Machines() {
				walks(t, store, m.Kind(), 16, 16)
			}
		})
	}
}

// walks takes n walks, some at once, and compares the journal with what each should have left there.
func walks(t *testing.T, store resources.Store, kind string, n, atOnce int) {
	t.Helper()
	e := engineOn(t, store, quiet)
	if err := all.Register(e); err != nil {
		t.Fatal(err)
	}
	h, err := e.Kind(kind)
	if err != nil {
		t.Fatal(err)
	}
	makeVM(t, e)
	want := make([][]string, n)
	seeds := make(chan int)
	var walkers sync.WaitGroup
	for range atOnce {
		walkers.Go(func() {
			for seed := range seeds {
				w := &walker{t: t, h: h, rng: rand.New(rand.NewPCG(uint64(seed), 1)), id: fmt.Sprint(seed)}
				w.walk()
				want[seed] = w.model.events
			}
		})
	}
	for seed := range n {
		seeds <- seed
	}
	close(seeds)
	walkers.Wait()
	got := events(t, store.Journal(), kind)
	for seed := range want {
		if id := fmt.Sprint(seed); !slices.Equal(got[id], want[seed]) {
			t.Errorf("%s/%s: the journal has\n%s, want\n%s", kind, id, got[id], want[seed])
		}
	}
}

// makeVM makes the VM that volumes are attached to.
func makeVM(t *testing.T, e *resources.Engine) {
	t.Helper()
	vms, err := e.Kind(vm.Kind)
	if err == nil {
		_, err = vms.Create(context.Background(), &vm.VM{Object: resources.Object{ID: "web"}})
	}
	if err != nil && !errors.Is(err, resources.ErrExists) { // the store of all walks has it from the first
		t.Fatal(err)
	}
}

// events reads the types of a kind's events by resource, in order of version.
func events(t *testing.T, j bus.Journal, kind string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for after := uint64(0); ; {
		page, err := j.Read(context.Background(), after, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		for _, r := range page {
			if after = r.Seq; r.Kind != kind {
				continue
			}
			all[r.ResourceID] = append(all[r.ResourceID], r.Type)
			if r.Version != uint64(len(all[r.ResourceID])) {
				t.Errorf("%s/%s: event %d has version %d, want %d", kind, r.ResourceID, r.Seq, r.Version, len(all[r.ResourceID]))
			}
		}
	}
}

// walker fires triggers at random at one resource, and looks at it after each.
type walker struct {
	t     *testing.T
	h     *resources.Handle
	rng   *rand.Rand
	id    string
	model *model
	trail []string // what was fired
	last  resources.Object
}

func (w *walker) walk() {
	m := w.h.Machine()
	in := m.Initial()[w.rng.IntN(len(m.Initial()))]
	obj := w.h.New()
	o := resources.ObjectOf(obj)
	o.ID, o.State, o.Tenant = w.id, in, "acme"
	if _, err := w.h.Create(context.Background(), obj); err != nil {
		w.t.Errorf("%s: create in %s: %v", m.Kind(), in, err)
		return
	}
	w.model = newModel(m, in)
	w.look()
	triggers := m.Triggers()
	for range 1 + w.rng.IntN(steps) {
		allowed := w.model.allowed(triggers)
		on := triggers[w.rng.IntN(len(triggers))]
		if len(allowed) > 0 && w.rng.IntN(4) > 0 { // else it is refused more often than not, and comes nowhere
			on = allowed[w.rng.IntN(len(allowed))]
		}
		w.step(on, allowed)
		w.look()
		if w.t.Failed() {
			return
		}
	}
}

// step fires a trigger, at times with arguments or the name of an operation, and compares the answer with the model's.
func (w *walker) step(on fsm.Trigger, allowed []fsm.Trigger) {
	w.trail = append(w.trail, string(on))
	to, ok := w.model.target(on)
	vmID, opts, stale := w.options(on)
	c, err := w.h.Fire(context.Background(), w.id, on, opts...)
	var refused *fsm.TransitionError
	switch {
	case stale:
		if !errors.Is(err, resources.ErrStale) {
			w.fail("an outcome of another operation: %v, want ErrStale", err)
		}
	case !ok:
		if !errors.As(err, &refused) {
			w.fail("%v, want a refusal", err)
			return
		}
		w.refused(refused, on, allowed)
	case to == fsm.Same && len(opts) > 0:
		if !errors.Is(err, resources.ErrNoEffect) {
			w.fail("accepted without effect, with arguments: %v, want ErrNoEffect", err)
		}
	case err != nil:
		w.fail("%v, want it to lead to %s", err, to)
	case to == fsm.Same:
		if c.Changed() || c.Version != w.model.version {
			w.fail("%+v, want no change", c)
		}
	default:
		w.model.move(on, to, vmID)
		if c.Action != resources.Moved || c.To != w.model.state || c.Origin != w.model.origin || c.Version != w.model.version || c.Trigger != on {
			w.fail("%+v, want a move to %s (origin %q)", c, w.model.state, w.model.origin)
		}
	}
}

// options are none most of the time.
func (w *walker) options(on fsm.Trigger) (vmID string, opts []resources.Option, stale bool) {
	switch w.rng.IntN(8) {
	case 0:
		vmID = "web"
		return vmID, []resources.Option{resources.Set(func(obj any) error {
			resources.ObjectOf(obj).Name = string(on)
			if v, ok := obj.(*volume.Volume); ok {
				v.VMID = vmID
			}
			return nil
		})}, false
	case 1:
		return "", []resources.Option{resources.Operation(bus.ID{1})}, true
	}
	return "", nil, false
}

// refused wants a refusal to say what was asked, where, and what would be taken.
func (w *walker) refused(e *fsm.TransitionError, on fsm.Trigger, allowed []fsm.Trigger) {
	got := slices.Sorted(slices.Values(e.Allowed))
	if e.Kind != w.h.Name() || e.ID != w.id || e.State != w.model.state || e.Trigger != on || !slices.Equal(got, allowed) {
		w.fail("%#v, want %s/%s in %s refused with %v allowed", e, w.h.Name(), w.id, w.model.state, allowed)
	}
	for _, name := range allowed {
		if !strings.Contains(e.Error(), string(name)) {
			w.fail("%q doesn't name %s", e.Error(), name)
		}
	}
}

// look compares the stored resource with the model, and with what every resource keeps to.
func (w *walker) look() {
	obj, err := w.h.Get(context.Background(), w.id)
	if err != nil {
		w.fail("%v", err)
		return
	}
	o, last := resources.ObjectOf(obj), w.last
	w.last = *o
	m := w.model
	class, known := w.h.Machine().Class(o.State)
	switch origins := w.h.Machine().Origins(o.State); {
	case !known || class != m.class(o.State):
		w.fail("is in %s, a state that the machine doesn't have, or of another class", o.State)
	case o.State != m.state || o.Origin != m.origin:
		w.fail("is in %s, from %q; want %s, from %q", o.State, o.Origin, m.state, m.origin)
	case class != fsm.Transitional && o.Origin != "":
		w.fail("is in %s with an origin, %s", o.State, o.Origin)
	case class == fsm.Transitional && o.Origin == "" && !w.fresh():
		w.fail("is in %s without an origin", o.State)
	case o.Origin != "" && !slices.Contains(origins, o.Origin):
		w.fail("came to %s from %s, which isn't one of %v", o.State, o.Origin, origins)
	case class == fsm.Transitional == o.Operation.IsZero():
		w.fail("is in %s with the operation %s", o.State, o.Operation)
	case class == fsm.Final == o.RemovedAt.IsZero():
		w.fail("is in %s, removed at %s", o.State, o.RemovedAt)
	case o.Version != m.version:
		w.fail("has version %d, want %d", o.Version, m.version)
	case o.UpdatedAt.Before(last.UpdatedAt) || o.StateSince.Before(last.StateSince) || o.StateSince.After(o.UpdatedAt):
		w.fail("its times run backwards: %+v after %+v", o, last)
	case o.State == last.State && !o.StateSince.Equal(last.StateSince):
		w.fail("is in %s since %s, but was since %s", o.State, o.StateSince, last.StateSince)
	}
	if v, ok := obj.(*volume.Volume); ok && v.VMID != m.attached {
		w.fail("is attached to %q, want %q", v.VMID, m.attached)
	}
}

// fresh holds for a resource that has not been in a steady state: one that began in a transitional one and never left those.
func (w *walker) fresh() bool {
	for s := range w.model.entered {
		if w.model.class(s) != fsm.Transitional {
			return false
		}
	}
	return true
}

func (w *walker) fail(format string, args ...any) {
	w.t.Errorf("%s/%s, after %s: %s", w.h.Name(), w.id, strings.Join(w.trail, ", "), fmt.Sprintf(format, args...))
}
