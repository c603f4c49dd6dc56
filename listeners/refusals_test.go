package listeners_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// brittle is a store whose members can be kept waiting, or fail.
type brittle struct {
	resources.Store
	gate chan struct{} // nil: open

	mu  sync.Mutex
	err error
}

func (b *brittle) Do(ctx context.Context, fn func(resources.StoreTx) error) error {
	if b.gate != nil {
		<-b.gate
	}
	b.mu.Lock()
	err := b.err
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.Store.Do(ctx, fn)
}

func (b *brittle) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// refusing is a cloud with a destroyed VM that somebody reports about.
type refusing struct {
	t        *testing.T
	store    *brittle
	refusals *listeners.Refusals
	vms      *resources.Kind[vm.VM]
	events   []bus.Event[resources.Refused]
	bus      *bus.Bus
}

func newRefusing(t *testing.T, store *brittle, o listeners.RefusalOptions) *refusing {
	t.Helper()
	store.Store = memstore.New(memstore.Options{})
	o.Logger = slog.New(slog.DiscardHandler)
	r := &refusing{t: t, store: store, bus: bus.New(bus.Options{Journal: store.Store.Journal(), Logger: o.Logger})}
	r.refusals = listeners.NewRefusals(store, o)
	engine, err := resources.New(resources.Options{Store: store.Store, Bus: r.bus, Listeners: []resources.Listener{listeners.Post(), r.refusals}})
	if err != nil {
		t.Fatal(err)
	}
	if r.vms, err = resources.Register[vm.VM](engine, vm.Machine); err != nil {
		t.Fatal(err)
	}
	_, err = bus.Subscribe(r.bus.Client("test"), func(_ context.Context, e bus.Event[resources.Refused]) error {
		r.events = append(r.events, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *refusing) destroyed(id string) {
	r.t.Helper()
	if _, err := r.vms.Create(r.t.Context(), vm.VM{Object: resources.Object{ID: id, Tenant: "acme"}}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.vms.Fire(r.t.Context(), id, vm.DestroyRequested); err != nil {
		r.t.Fatal(err)
	}
}

func (r *refusing) report(id string, on fsm.Trigger) {
	r.t.Helper()
	_, err := r.vms.Fire(r.t.Context(), id, on, resources.Actor("host:h1"))
	if _, ok := errors.AsType[*fsm.TransitionError](err); !ok {
		r.t.Fatalf("%s: %v", on, err)
	}
}

func (r *refusing) close() {
	r.t.Helper()
	if err := r.refusals.Close(context.Background()); err != nil {
		r.t.Error(err)
	}
	if err := r.bus.Close(context.Background()); err != nil {
		r.t.Error(err)
	}
}

func TestRefusedReportsAreRecordedOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, &brittle{}, listeners.RefusalOptions{Every: time.Minute})
		r.destroyed("web")
		for range 4 { // at 0, 20, 40 and 60 s
			r.report("web", vm.ReportRunning)
			time.Sleep(20 * time.Second)
		}
		r.report("web", vm.ReportPaused)
		if _, err := r.vms.Fire(t.Context(), "web", vm.StartRequested); err == nil { // refused, but no report
			t.Error("a destroyed VM starts")
		}
		r.close()
		var got []string
		for _, e := range r.events {
			got = append(got, fmt.Sprintf("%s %s %s by %s of %s: %d", e.Type, e.Payload.Trigger, e.Payload.State, e.Actor, e.Tenant, e.Payload.Count))
		}
		want := "[status.vm.refused report_running destroyed by host:h1 of acme: 1 status.vm.refused report_running destroyed by host:h1 of acme: 3 " +
			"status.vm.refused report_paused destroyed by host:h1 of acme: 1]"
		if fmt.Sprint(got) != want {
			t.Errorf("recorded %q\nwant %s", got, want)
		}
		if s := r.refusals.Stats(); s != (listeners.RefusalStats{Recorded: 3, Repeated: 2}) {
			t.Errorf("stats %+v", s)
		}
		r.refusals.After(t.Context(), resources.Change{}, &fsm.TransitionError{Trigger: vm.ReportRunning}) // closed: nothing happens
	})
}

func TestARefusalNeverWaitsForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &brittle{gate: make(chan struct{})}
		r := newRefusing(t, store, listeners.RefusalOptions{Queue: 2, Remember: 8})
		for n := range 6 {
			r.destroyed(fmt.Sprint("vm-", n))
			r.report(fmt.Sprint("vm-", n), vm.ReportRunning) // returns, though nothing is written
			synctest.Wait()
		}
		if s := r.refusals.Stats(); s.Dropped != 3 || s.Recorded != 0 { // one is being written, two wait
			t.Errorf("stats %+v", s)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.refusals.Close(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("close without time: %v", err)
		}
		close(store.gate)
		r.close()
		if len(r.events) != 3 {
			t.Errorf("%d are recorded, want 3", len(r.events))
		}
	})
}

func TestAFailedRecordIsMadeGoodByTheNextRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &brittle{}
		r := newRefusing(t, store, listeners.RefusalOptions{})
		r.destroyed("web")
		store.fail(errors.New("disk full"))
		r.report("web", vm.ReportRunning)
		synctest.Wait()
		store.fail(nil)
		r.report("web", vm.ReportRunning)
		r.close()
		if len(r.events) != 1 || r.events[0].Payload.Count != 2 {
			t.Errorf("events %+v", r.events)
		}
		if s := r.refusals.Stats(); s != (listeners.RefusalStats{Recorded: 1, Failed: 1}) {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestRefusalsRememberSoManyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, &brittle{}, listeners.RefusalOptions{Remember: 2})
		for _, id := range []string{"a", "b", "c"} {
			r.destroyed(id)
		}
		for _, id := range []string{"a", "b", "a", "c", "a", "b"} { // b is forgotten when c comes
			r.report(id, vm.ReportRunning)
		}
		r.close()
		if s := r.refusals.Stats(); s != (listeners.RefusalStats{Recorded: 4, Repeated: 2}) {
			t.Errorf("stats %+v", s)
		}
	})
}
