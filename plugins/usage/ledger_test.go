package usage

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
	"pgregory.net/rapid"
)

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
		case *snapshot.Snapshot:
			size = Size{GiB: v.SizeGiB}
		case *template.Template:
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
	{"public_ip", func() subject { return new(publicIPSubject) }, map[string][]fsm.State{"public_ip.allocated": {"allocated"}}, false},
	{"snapshot", func() subject { return new(snapshotSubject) }, map[string][]fsm.State{"snapshot.stored": {"created", "backed_up"}}, true},
	{"template", func() subject { return new(templateSubject) }, map[string][]fsm.State{"template.stored": {"active", "inactive"}}, true},
}

func defaultTable(t testing.TB) *table {
	t.Helper()
	table, err := newTable(DefaultMeters(), builtin())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestLedgerEqualsOneComputedFromTheHistory takes a thousand walks of each kind: whatever rapid is told, it is asked until there were as many.
func TestLedgerEqualsOneComputedFromTheHistory(t *testing.T) {
	const walksPerKind = 1000
	table := defaultTable(t)
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			for taken := 0; taken < walksPerKind && !t.Failed(); {
				rapid.Check(t, func(t *rapid.T) {
					taken++
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
			}
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
