package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// server is what one process has: a store, a bus, an engine.
type server struct {
	store  *gormstore.Store
	bus    *bus.Bus
	engine *resources.Engine
	vms    *resources.Kind[vm.VM]
	closed bool
}

// patience is how long anything may take on a machine that has much else to do.
const patience = 60 * time.Second

func serve(t testing.TB, dsn string, o postgres.Options, b bus.Options) *server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{}
	var err error
	if s.store, err = postgres.Open(dsn, o); err != nil {
		t.Fatal(err)
	}
	b.Journal, b.Logger = s.store.Journal(), o.Logger
	s.bus = bus.New(b)
	s.engine, err = resources.New(resources.Options{Store: s.store, Bus: s.bus, Logger: o.Logger, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		t.Fatal(err)
	}
	if s.vms, err = resources.Register[vm.VM](s.engine, vm.Machine); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(t) })
	return s
}

// close stops a server as a planned restart does. More than once does nothing.
func (s *server) close(t testing.TB) {
	t.Helper()
	if s.closed {
		return
	}
	s.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.bus.Close(ctx); err != nil {
		t.Errorf("close the bus: %v", err)
	}
	if err := s.store.Close(ctx); err != nil {
		t.Errorf("close the store: %v", err)
	}
}

// create makes a VM on any of the servers.
func (s *server) create(t testing.TB, id string) {
	t.Helper()
	if _, err := s.vms.Create(t.Context(), vm.VM{Object: resources.Object{ID: id, Tenant: "acme", Name: id}, CPUs: 1, MemoryMiB: 512}); err != nil {
		t.Fatal(err)
	}
}

// diary notes what a subscription got.
type diary struct {
	mu   sync.Mutex
	seqs []uint64
	came chan struct{} // capacity 1
}

func newDiary() *diary { return &diary{came: make(chan struct{}, 1)} }

func (d *diary) note(seq uint64) {
	d.mu.Lock()
	d.seqs = append(d.seqs, seq)
	d.mu.Unlock()
	select {
	case d.came <- struct{}{}:
	default:
	}
}

func (d *diary) last() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.seqs) == 0 {
		return 0
	}
	return d.seqs[len(d.seqs)-1]
}

// until waits for the event seq.
func (d *diary) until(t testing.TB, who string, seq uint64) {
	t.Helper()
	limit := time.After(patience)
	for d.last() < seq {
		select {
		case <-d.came:
		case <-limit:
			t.Fatalf("%s has got events up to %d, want %d", who, d.last(), seq)
		}
	}
}

// wantRow makes sure that all came, once and in order.
func (d *diary) wantRow(t testing.TB, who string, from, to uint64) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, seq := range d.seqs {
		if want := from + uint64(i); seq != want {
			t.Fatalf("%s got %d where %d was due", who, seq, want)
		}
	}
	if n := uint64(len(d.seqs)); n != to-from+1 {
		t.Errorf("%s got %d events, want %d", who, n, to-from+1)
	}
}

// follow subscribes to all recorded events of a server's bus.
func (s *server) follow(t testing.TB, opts ...bus.Option) *diary {
	t.Helper()
	d := newDiary()
	opts = append([]bus.Option{bus.Queue(1<<16, bus.DropNewest)}, opts...)
	if _, err := bus.Subscribe(s.bus.Client("diary"), func(_ context.Context, e bus.Event[any]) error {
		d.note(e.Seq)
		return nil
	}, opts...); err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *server) end(t testing.TB) uint64 {
	t.Helper()
	_, last, err := s.store.Journal().Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// round is what a VM can be fired at, over and over.
var round = []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded}

// Each server moves VMs of its own and some that all move; all buses show all events, once, in order.
func TestServersSeeEachOthersEvents(t *testing.T) {
	dsn := postgrestest.Schema(t)
	var servers []*server
	var diaries []*diary
	for range 3 {
		s := serve(t, dsn, postgres.Options{}, bus.Options{Poll: time.Minute})
		servers, diaries = append(servers, s), append(diaries, s.follow(t))
	}
	const own, shared, moves = 3, 2, 24
	for i := range shared {
		servers[0].create(t, fmt.Sprintf("shared-%d", i))
	}
	var moved [3]int
	var all sync.WaitGroup
	for n, s := range servers {
		for i := range own {
			s.create(t, fmt.Sprintf("own-%d-%d", n, i))
			all.Go(func() {
				for m := range moves {
					if _, err := s.vms.Fire(t.Context(), fmt.Sprintf("own-%d-%d", n, i), round[m%len(round)]); err != nil {
						t.Errorf("server %d: %v", n, err)
					}
				}
			})
		}
		all.Go(func() {
			for m := range shared * moves {
				moved[n] += s.push(t, fmt.Sprintf("shared-%d", m%shared))
			}
		})
	}
	all.Wait()
	end := servers[0].end(t)
	if want := 3*own*(moves+1) + shared + moved[0] + moved[1] + moved[2]; end != uint64(want) {
		t.Errorf("the journal ends at %d, want %d: one event for each move that was told to have been made", end, want)
	}
	for n, d := range diaries {
		d.until(t, fmt.Sprint("server ", n), end)
		d.wantRow(t, fmt.Sprint("server ", n), 1, end)
	}
	wantVersions(t, servers[1], end)
}

// push fires what the state of a VM allows, in a race with other servers; 1: it moved.
func (s *server) push(t testing.TB, id string) int {
	v, err := s.vms.Get(t.Context(), id)
	if err != nil {
		t.Error(err)
		return 0
	}
	on := vm.OperationSucceeded
	switch v.State {
	case vm.Stopped:
		on = vm.StartRequested
	case vm.Running:
		on = vm.StopRequested
	}
	change, err := s.vms.Fire(t.Context(), id, on)
	var refused *fsm.TransitionError
	switch {
	case errors.As(err, &refused), errors.Is(err, resources.ErrConflict):
		return 0
	case err != nil:
		t.Error(err)
		return 0
	case !change.Changed():
		return 0
	}
	// Read your own writes: what was acknowledged is there for whoever asks, on any server.
	if v, err := s.vms.Get(t.Context(), id); err != nil || v.Version < change.Version {
		t.Errorf("%s was moved to version %d, but reads %+v (%v)", id, change.Version, v, err)
	}
	return 1
}

// wantVersions makes sure that each resource's versions rise by one in the order of the journal.
func wantVersions(t testing.TB, s *server, end uint64) {
	t.Helper()
	versions := make(map[string]uint64)
	for after := uint64(0); after < end; {
		page, err := s.store.Journal().Read(t.Context(), after, 1000)
		if err != nil || len(page) == 0 {
			t.Fatalf("read after %d: %d records, %v", after, len(page), err)
		}
		for _, r := range page {
			if r.Version != versions[r.ResourceID]+1 {
				t.Errorf("event %d: %s has version %d after %d", r.Seq, r.ResourceID, r.Version, versions[r.ResourceID])
			}
			versions[r.ResourceID] = r.Version
		}
		after = page[len(page)-1].Seq
	}
}
