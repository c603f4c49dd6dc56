package usage

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
	"pgregory.net/rapid"
)

// history is what happened to one resource, as the journal has it.
type history []bus.Event[resources.AnyChanged]

// subject is a resource of a kind that random walks can resize.
type subject interface {
	machine() *fsm.Machine
	guarded() any    // what guards look at
	draw(t *rapid.T) // change size and what guards look at
	changed(resources.Change) resources.AnyChanged
}

type vmSubject struct{ v vm.VM }

func (s *vmSubject) machine() *fsm.Machine { return vm.Machine }
func (s *vmSubject) guarded() any          { return &s.v }
func (s *vmSubject) draw(t *rapid.T) {
	s.v.CPUs = rapid.IntRange(1, 3).Draw(t, "cpus")
	s.v.EverRan = rapid.Bool().Draw(t, "ever_ran")
}
func (s *vmSubject) changed(c resources.Change) resources.AnyChanged {
	return vm.Changed{Change: c, Resource: s.v}
}

type volumeSubject struct{ v volume.Volume }

func (s *volumeSubject) machine() *fsm.Machine { return volume.Machine }
func (s *volumeSubject) guarded() any          { return &s.v }
func (s *volumeSubject) draw(t *rapid.T) {
	s.v.SizeGiB = rapid.Int64Range(1, 3).Draw(t, "gib")
	s.v.VMID = rapid.SampledFrom([]string{"", "vm-1"}).Draw(t, "vm_id")
	s.v.WasCreated = rapid.Bool().Draw(t, "was_created")
	s.v.WasUploaded = rapid.Bool().Draw(t, "was_uploaded")
}
func (s *volumeSubject) changed(c resources.Change) resources.AnyChanged {
	return volume.Changed{Change: c, Resource: s.v}
}

type nicSubject struct{ v nic.NIC }

func (s *nicSubject) machine() *fsm.Machine { return nic.Machine }
func (s *nicSubject) guarded() any          { return &s.v }
func (s *nicSubject) draw(*rapid.T)         {}
func (s *nicSubject) changed(c resources.Change) resources.AnyChanged {
	return nic.Changed{Change: c, Resource: s.v}
}

type networkSubject struct{ v network.Network }

func (s *networkSubject) machine() *fsm.Machine { return network.Machine }
func (s *networkSubject) guarded() any          { return &s.v }
func (s *networkSubject) draw(*rapid.T)         {}
func (s *networkSubject) changed(c resources.Change) resources.AnyChanged {
	return network.Changed{Change: c, Resource: s.v}
}

// walk fires random triggers at a subject, with updates, other tenants and clocks that stand still or go back in between.
func walk(t *rapid.T, s subject) history {
	m := s.machine()
	now := time.Unix(1_700_000_000, 0)
	state, origin := rapid.SampledFrom(m.Initial()).Draw(t, "initial"), fsm.State("")
	c := resources.Change{Action: resources.Created, Kind: m.Kind(), ResourceID: "r1", Tenant: "a", To: state, Time: now}
	var h history
	post := func() {
		h = append(h, bus.Event[resources.AnyChanged]{Header: bus.Header{Seq: uint64(3*len(h) + 2)}, Payload: s.changed(c)})
	}
	s.draw(t)
	post()
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		now = now.Add(time.Duration(rapid.Int64Range(-3, 1000).Draw(t, "ns")))
		c.Time, c.Trigger = now, ""
		if rapid.IntRange(0, 4).Draw(t, "update") == 0 {
			s.draw(t)
			c.Action, c.From, c.FromOrigin = resources.Updated, state, origin
			c.Tenant = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant")
			post()
			continue
		}
		allowed, err := m.Allowed(state, origin, s.guarded())
		if err != nil {
			t.Fatalf("allowed in %s: %v", state, err)
		}
		if len(allowed) == 0 {
			break
		}
		on := rapid.SampledFrom(allowed).Draw(t, "on")
		step, err := m.Next(state, origin, on, s.guarded())
		if err != nil {
			t.Fatalf("%s in %s: %v", on, state, err)
		}
		if !step.Moved {
			continue
		}
		c.Action, c.Trigger, c.From, c.FromOrigin, c.To, c.Origin = resources.Moved, on, state, origin, step.To, step.Origin
		state, origin = step.To, step.Origin
		post()
	}
	return h
}

// naive works the same out from the whole history at once, per meter: the moments at which it is to run, and at what size and for whom, joined where neighbours agree.
func naive(h history, s subject, states map[string][]fsm.State, sized bool, sizes []Size) []interval {
	var all []interval
	for meter, in := range states {
		var open *interval
		clock := int64(0)
		for n, e := range h {
			c := e.Payload.What()
			runs := slices.Contains(in, effective(s.machine(), c.To, c.Origin))
			var size Size
			if sized {
				size = sizes[n]
			}
			if open != nil && runs && open.Tenant == c.Tenant && open.Size == size {
				continue
			}
			clock = c.Time.UnixNano()
			if open != nil {
				clock = max(clock, open.StartedAt)
				open.EndedAt, open.ClosedSeq = clock, e.Seq
				all = append(all, *open)
				open = nil
			}
			if runs {
				open = &interval{OpenedSeq: e.Seq, Meter: meter, Tenant: c.Tenant, Kind: c.Kind, ResourceID: c.ResourceID, Size: size, StartedAt: clock}
			}
		}
		if open != nil {
			all = append(all, *open)
		}
	}
	return sorted(all)
}

// effective is the steady state that counts: itself, its origin if a row of the table says so, or none.
func effective(m *fsm.Machine, state, origin fsm.State) fsm.State {
	spec := m.Spec()
	if _, transitional := spec.Limits[state]; !transitional {
		return state
	}
	for _, e := range spec.Edges {
		if slices.Contains(e.From, state) && e.To == fsm.Origin {
			return origin
		}
	}
	return ""
}

func sorted(all []interval) []interval {
	slices.SortFunc(all, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.OpenedSeq, b.OpenedSeq), cmp.Compare(a.Meter, b.Meter))
	})
	return all
}

// shelf stands for the database: it loads and saves as store.go does.
type shelf []interval

func (s *shelf) record(t *table, batch history) error {
	l := newLedger(t)
	for n := range *s {
		if i := (*s)[n]; i.ClosedSeq == 0 || i.ClosedSeq >= batch[0].Seq {
			l.add(&i)
		}
	}
	for _, e := range batch {
		if err := l.apply(e.Header, e.Payload); err != nil {
			return err
		}
	}
	for _, c := range l.closed {
		for n := range *s {
			if i := &(*s)[n]; i.OpenedSeq == c.OpenedSeq && i.Meter == c.Meter && i.ClosedSeq == 0 {
				*i = *c
			}
		}
	}
	for _, o := range l.opened {
		if slices.ContainsFunc(*s, func(i interval) bool { return i.OpenedSeq == o.OpenedSeq && i.Meter == o.Meter }) {
			return fmt.Errorf("interval %d %s is opened twice", o.OpenedSeq, o.Meter)
		}
		*s = append(*s, *o)
	}
	return nil
}

// sizesOf returns the size after each event.
func sizesOf(h history) []Size {
	var all []Size
	for _, e := range h {
		var size Size
		switch v := e.Payload.Snapshot().(type) {
		case *vm.VM:
			size = Size{CPUs: int64(v.CPUs), MemoryMiB: v.MemoryMiB}
		case *volume.Volume:
			size = Size{GiB: v.SizeGiB}
		}
		all = append(all, size)
	}
	return all
}

var walks = []struct {
	name    string
	subject func() subject
	states  map[string][]fsm.State // what the meters' table says
	sized   bool
}{
	{"vm", func() subject { return new(vmSubject) }, map[string][]fsm.State{
		"vm.allocated": {"stopped", "running", "paused"}, "vm.running": {"running", "paused"}}, true},
	{"volume", func() subject { return new(volumeSubject) }, map[string][]fsm.State{"volume.allocated": {"ready"}, "volume.uploaded": {"uploaded"}}, true},
	{"nic", func() subject { return new(nicSubject) }, map[string][]fsm.State{"nic.reserved": {"reserved"}}, false},
	{"network", func() subject { return new(networkSubject) }, map[string][]fsm.State{"network.implemented": {"implemented", "setup"}}, false},
}

func defaultTable(t testing.TB) *table {
	t.Helper()
	table, err := newTable(DefaultMeters(), builtin())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestLedgerEqualsOneComputedFromTheHistory(t *testing.T) {
	table := defaultTable(t)
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := w.subject()
				h := walk(t, s)
				want := naive(h, s, w.states, w.sized, sizesOf(h))
				var got shelf
				for rest := h; len(rest) > 0; {
					n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
					if err := got.record(table, rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if !slices.Equal(sorted(got), want) {
					t.Fatalf("ledger\n%v\nfrom the history\n%v", got, want)
				}
			})
		})
	}
}

func TestLedgerIsUnmovedByReplays(t *testing.T) {
	table := defaultTable(t)
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				h := walk(t, w.subject())
				var once shelf
				if err := once.record(table, h); err != nil {
					t.Fatal(err)
				}
				again := slices.Clone(once)
				from := rapid.IntRange(0, len(h)-1).Draw(t, "from")
				for rest := h[from:]; len(rest) > 0; {
					n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
					if err := again.record(table, rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if !slices.Equal(sorted(again), sorted(once)) {
					t.Fatalf("after a replay from %d\n%v\nbefore\n%v", from, again, once)
				}
			})
		})
	}
}

func TestLedgerHasNoStartWithoutAStop(t *testing.T) {
	table := defaultTable(t)
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := w.subject()
				h := walk(t, s)
				var got shelf
				if err := got.record(table, h); err != nil {
					t.Fatal(err)
				}
				last := h[len(h)-1].Payload.What()
				for meter, in := range w.states {
					open := 0
					for _, i := range got {
						switch {
						case i.ClosedSeq == 0 && i.Meter == meter:
							open++
						case i.ClosedSeq != 0 && i.EndedAt < i.StartedAt:
							t.Fatalf("%+v ends before it starts", i)
						}
					}
					want := 0
					if slices.Contains(in, effective(s.machine(), last.To, last.Origin)) {
						want = 1
					}
					if open != want {
						t.Fatalf("%s: %d open in %s (origin %q), want %d", meter, open, last.To, last.Origin, want)
					}
				}
			})
		})
	}
}

func TestRunningFollowsTheSteadyState(t *testing.T) {
	table := defaultTable(t)
	for _, c := range []struct {
		kind          string
		state, origin fsm.State
		want          []string
	}{
		{"vm", "stopped", "", []string{"vm.allocated"}},
		{"vm", "running", "", []string{"vm.allocated", "vm.running"}},
		{"vm", "paused", "", []string{"vm.allocated", "vm.running"}},
		{"vm", "destroyed", "", nil},
		{"vm", "error", "", nil},
		{"vm", "starting", "stopped", []string{"vm.allocated"}},
		{"vm", "stopping", "running", []string{"vm.allocated", "vm.running"}},
		{"vm", "migrating", "stopped", []string{"vm.allocated"}},
		{"vm", "migrating", "running", []string{"vm.allocated", "vm.running"}},
		{"vm", "restoring", "destroyed", nil},
		{"vm", "expunging", "stopped", nil},
		{"vm", "expunged", "", nil},
		{"volume", "allocated", "", nil},
		{"volume", "creating", "allocated", nil},
		{"volume", "resizing", "ready", []string{"volume.allocated"}},
		{"volume", "copying", "uploaded", []string{"volume.uploaded"}},
		{"nic", "releasing", "reserved", []string{"nic.reserved"}},
		{"network", "setup", "", []string{"network.implemented"}},
		{"network", "shutting_down", "implemented", nil},
		{"network", "implementing", "allocated", nil},
	} {
		t.Run(fmt.Sprintf("%s %s of %s", c.kind, c.state, c.origin), func(t *testing.T) {
			var got []string
			for _, m := range running(table.machines[c.kind], table.meters[c.kind], c.state, c.origin) {
				got = append(got, m.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("running %v, want %v", got, c.want)
			}
		})
	}
}
