package usage

import (
	"fmt"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// ledger works a batch of changes into intervals, in memory. It's given the intervals that the batch may touch and notes what is to be written.
type ledger struct {
	table *table
	known map[resource][]*interval // in the order in which they were opened

	opened []*interval // to be inserted
	closed []*interval // to be updated; those that were opened here aren't among them
	news   []news
}

type resource struct{ kind, id string }

// news is an event to be appended, and the header of the event that caused it.
type news struct {
	Metered
	cause bus.Header
}

// reading is a meter that is to run, at a size, from a time.
type reading struct {
	meter string
	size  Size
	from  int64
}

func newLedger(t *table) *ledger {
	return &ledger{table: t, known: make(map[resource][]*interval)}
}

// add makes an interval of the database known.
func (l *ledger) add(i *interval) {
	r := resource{i.Kind, i.ResourceID}
	l.known[r] = append(l.known[r], i)
}

// apply brings what runs for a resource in line with a change: it closes intervals that no longer should run, or ran at another size or for another tenant, and opens those that should.
// It compares with what ran just before the event, whatever came later, so that applying a change again alters nothing.
func (l *ledger) apply(h bus.Header, change resources.AnyChanged) error {
	c := change.What()
	want, err := l.table.readings(change)
	if err != nil {
		return fmt.Errorf("usage: %s/%s: %w", c.Kind, c.ResourceID, err)
	}
	r := resource{c.Kind, c.ResourceID}
	for _, i := range l.known[r] {
		if !i.openAt(h.Seq) {
			continue
		}
		n := slices.IndexFunc(want, func(w reading) bool { return w.meter == i.Meter })
		if n >= 0 && want[n].size == i.Size && c.Tenant == i.Tenant {
			want = slices.Delete(want, n, n+1)
			continue
		}
		end := max(nanoseconds(c.Time), i.StartedAt) // no interval is of negative length
		l.close(i, end, h)
		if n >= 0 {
			want[n].from = end
		}
	}
	for _, w := range want {
		l.open(r, &interval{OpenedSeq: h.Seq, Meter: w.meter, Tenant: c.Tenant, Kind: c.Kind, ResourceID: c.ResourceID, Size: w.size, StartedAt: w.from}, h)
	}
	return nil
}

func (l *ledger) close(i *interval, at int64, h bus.Header) {
	if i.ClosedSeq != 0 {
		return // a replay
	}
	i.EndedAt, i.ClosedSeq = at, h.Seq
	if !slices.Contains(l.opened, i) {
		l.closed = append(l.closed, i)
	}
	l.news = append(l.news, news{i.event(Closed), h})
}

func (l *ledger) open(r resource, i *interval, h bus.Header) {
	there := func(other *interval) bool { return other.OpenedSeq == i.OpenedSeq && other.Meter == i.Meter }
	if slices.ContainsFunc(l.known[r], there) {
		return // a replay
	}
	l.known[r] = append(l.known[r], i)
	l.opened = append(l.opened, i)
	l.news = append(l.news, news{i.event(Opened), h})
}

// readings returns what is to run after a change.
func (t *table) readings(change resources.AnyChanged) ([]reading, error) {
	c := change.What()
	machine := t.machines[c.Kind]
	if machine == nil {
		return nil, nil
	}
	var want []reading
	for _, m := range running(machine, t.meters[c.Kind], c.To, c.Origin) {
		var size Size
		if m.Size != nil {
			var err error
			if size, err = m.Size(change.Snapshot()); err != nil {
				return nil, fmt.Errorf("meter %s: %w", m.Name, err)
			}
		}
		want = append(want, reading{m.Name, size, nanoseconds(c.Time)})
	}
	return want, nil
}
