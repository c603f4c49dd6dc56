package memstore

import (
	"context"
	"errors"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// journal is a bus.Journal in memory.
type journal struct {
	*bus.ParkingLot
	keep int
	now  func() time.Time

	mu       sync.RWMutex
	bus      *bus.Attachment
	records  []bus.Record // without holes
	last     uint64       // number of the newest record there ever was
	recorded time.Time    // of that one: the next is not before it
	cursors  map[string]uint64
}

func newJournal(o Options) *journal {
	j := &journal{keep: o.Keep, now: o.Now, cursors: map[string]uint64{}}
	if j.keep <= 0 {
		j.keep = 100_000
	}
	if j.now == nil {
		j.now = time.Now
	}
	j.ParkingLot = bus.NewParkingLot(j, j.now)
	return j
}

// Attach binds a bus until detach is called; bus.ErrAttached if there is one.
func (j *journal) Attach(a bus.Attachment) (detach func(), err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bus != nil {
		return nil, bus.ErrAttached
	}
	mine := &a
	j.bus = mine
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.bus == mine {
			j.bus = nil
		}
	}, nil
}

func (j *journal) attached() *bus.Attachment {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.bus
}

var errDetached = errors.New("memstore: no bus is attached to the journal, so nothing can be appended: bus.New with Options.Journal first")

func (j *journal) prepare(ctx context.Context, p bus.Payload, stamps []bus.Stamp) (bus.Record, error) {
	a := j.attached()
	if a == nil {
		return bus.Record{}, errDetached
	}
	return a.Prepare(ctx, p, stamps...)
}

// append numbers the records of a member that is being committed, and returns them.
func (j *journal) append(records []bus.Record) []bus.Record {
	if len(records) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if at := j.now().UTC().Round(0); at.After(j.recorded) {
		j.recorded = at
	}
	for i := range records {
		r := &records[i]
		j.last++
		r.Seq, r.RecordedAt = j.last, j.recorded
		j.records = append(j.records, bus.Record{Header: r.Header, RecordedAt: r.RecordedAt, Data: slices.Clone(r.Data)})
	}
	j.trim()
	return records
}

// trim forgets the oldest records that nobody needs, many at a time.
func (j *journal) trim() {
	surplus := len(j.records) - j.keep
	many := j.keep/4 + 1
	if surplus <= many {
		return
	}
	for _, seq := range j.cursors {
		surplus = min(surplus, int(seq)-int(j.first())+1)
	}
	if surplus <= many {
		return // a cursor needs them, and a copy at each append would cost more than they do
	}
	j.records = slices.Clone(j.records[surplus:])
}

func (j *journal) first() uint64 { return j.last - uint64(len(j.records)) + 1 }

// show hands the bus what was committed. Whoever calls it is still the writer.
func (j *journal) show(records []bus.Record) {
	if a := j.attached(); a != nil && len(records) > 0 {
		if a.Committed != nil {
			a.Committed(records)
		} else {
			a.Wake(records[len(records)-1].Seq)
		}
	}
}

// Bounds returns the numbers of the oldest and the newest record.
func (j *journal) Bounds(ctx context.Context) (first, last uint64, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.first(), j.last, ctx.Err()
}

// Read returns up to limit records after a number.
func (j *journal) Read(ctx context.Context, after uint64, limit int) ([]bus.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	if after >= j.last || limit <= 0 {
		return nil, nil
	}
	from := 0
	if first := j.first(); after >= first {
		from = int(after - first + 1)
	}
	page := j.records[from:min(from+limit, len(j.records))]
	copies := make([]bus.Record, len(page))
	for i, r := range page {
		r.Data = slices.Clone(r.Data)
		copies[i] = r
	}
	return copies, nil
}

// SeqBefore returns the number of the newest record that was recorded before t.
func (j *journal) SeqBefore(ctx context.Context, t time.Time) (uint64, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	n := sort.Search(len(j.records), func(i int) bool { return !j.records[i].RecordedAt.Before(t) })
	if n == 0 {
		return 0, ctx.Err()
	}
	return j.records[n-1].Seq, ctx.Err()
}

// Cursor returns the position of a durable subscription.
func (j *journal) Cursor(ctx context.Context, name string) (seq uint64, known bool, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	seq, known = j.cursors[name]
	return seq, known, ctx.Err()
}

// SetCursor creates or raises a cursor.
func (j *journal) SetCursor(ctx context.Context, name string, seq uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cursors[name] = max(j.cursors[name], seq)
	return nil
}

var _ bus.Journal = (*journal)(nil)
