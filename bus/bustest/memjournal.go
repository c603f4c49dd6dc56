package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// ErrDetached: nothing can be appended to a journal without a bus, which stamps and encodes.
var ErrDetached = errors.New("bustest: no bus is attached to the journal")

// MemJournal is a bus.Journal in memory. The zero value isn't usable; see NewJournal. All methods may be called concurrently.
type MemJournal struct {
	*bus.ParkingLot
	now func() time.Time

	mu       sync.Mutex
	attached *bus.Attachment
	records  []bus.Record
	first    uint64 // number of records[0]
	cursors  map[string]uint64
	left     map[string]uint64 // cursors to be stored with the next records
	fail     error
	reads    int
}

// NewJournal returns an empty journal.
func NewJournal() *MemJournal {
	j := &MemJournal{now: time.Now, first: 1, cursors: make(map[string]uint64), left: make(map[string]uint64)}
	j.ParkingLot = bus.NewParkingLot(j, time.Now)
	return j
}

// Attach implements bus.Journal.
func (j *MemJournal) Attach(a bus.Attachment) (detach func(), err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.attached != nil {
		return nil, bus.ErrAttached
	}
	mine := &a
	j.attached = mine
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.attached == mine {
			j.attached = nil
		}
	}, nil
}

// Append records payloads, together, and returns the number of the last one.
func (j *MemJournal) Append(ctx context.Context, payloads ...bus.Payload) (uint64, error) {
	return j.AppendWith(ctx, nil, payloads...)
}

// AppendWith is Append with stamps for each payload.
func (j *MemJournal) AppendWith(ctx context.Context, stamps []bus.Stamp, payloads ...bus.Payload) (uint64, error) {
	j.mu.Lock()
	a := j.attached
	j.mu.Unlock()
	if a == nil {
		return 0, ErrDetached
	}
	records := make([]bus.Record, len(payloads))
	for i, p := range payloads {
		r, err := a.Prepare(ctx, p, stamps...)
		if err != nil {
			return 0, err
		}
		records[i] = r
	}
	j.mu.Lock()
	defer j.mu.Unlock() // Committed is called in the order of the numbers
	records = j.append(records)
	last := j.first + uint64(len(j.records)) - 1
	switch {
	case j.attached == nil || len(records) == 0:
	case j.attached.Committed != nil && j.fail == nil:
		j.attached.Committed(records)
	default:
		j.attached.Wake(last)
	}
	return last, nil
}

// AppendRecords records what is encoded already, as another server or another version of the program may have left it, and wakes the bus.
func (j *MemJournal) AppendRecords(records ...bus.Record) uint64 {
	last := j.AppendSilently(records...)
	j.mu.Lock()
	a := j.attached
	j.mu.Unlock()
	if a != nil {
		a.Wake(last)
	}
	return last
}

// AppendSilently is AppendRecords without telling the bus, as it is with another server's rows.
func (j *MemJournal) AppendSilently(records ...bus.Record) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.append(records)
	return j.first + uint64(len(j.records)) - 1
}

// append numbers records and keeps what a database would. j.mu is held.
func (j *MemJournal) append(records []bus.Record) []bus.Record {
	for name, seq := range j.left {
		j.cursors[name] = max(j.cursors[name], seq)
	}
	clear(j.left)
	numbered := slices.Clone(records)
	for i := range numbered {
		r := &numbered[i]
		r.Seq = j.first + uint64(len(j.records))
		r.RecordedAt = j.now().UTC()
		j.records = append(j.records, bus.Record{Header: r.Header, RecordedAt: r.RecordedAt, Data: r.Data})
	}
	return numbered
}

// RemoveUpTo removes the oldest records, as retention does.
func (j *MemJournal) RemoveUpTo(seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq < j.first {
		return
	}
	n := min(seq-j.first+1, uint64(len(j.records)))
	j.records = slices.Clone(j.records[n:])
	j.first += n
}

// Fail makes all that the bus asks for fail with err, and what is appended meanwhile isn't handed over to it; nil ends that.
func (j *MemJournal) Fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fail = err
}

// Reads counts the calls of Read.
func (j *MemJournal) Reads() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reads
}

// Bounds implements bus.Journal.
func (j *MemJournal) Bounds(ctx context.Context) (first, last uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first, j.first + uint64(len(j.records)) - 1, j.refuse(ctx)
}

// refuse is the error to answer with. j.mu is held.
func (j *MemJournal) refuse(ctx context.Context) error {
	if j.fail != nil {
		return j.fail
	}
	return ctx.Err()
}

// Read implements bus.Journal.
func (j *MemJournal) Read(ctx context.Context, after uint64, limit int) ([]bus.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	if err := j.refuse(ctx); err != nil {
		return nil, err
	}
	from := uint64(0)
	if after >= j.first {
		from = after - j.first + 1
	}
	if from >= uint64(len(j.records)) || limit < 1 {
		return nil, nil
	}
	page := j.records[from:]
	return slices.Clone(page[:min(limit, len(page))]), nil
}

// SeqBefore implements bus.Journal.
func (j *MemJournal) SeqBefore(ctx context.Context, t time.Time) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, r := range slices.Backward(j.records) {
		if r.RecordedAt.Before(t) {
			return j.first + uint64(i), j.refuse(ctx)
		}
	}
	return 0, j.refuse(ctx)
}

// Cursor implements bus.Journal.
func (j *MemJournal) Cursor(ctx context.Context, name string) (seq uint64, known bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq, known = j.cursors[name]
	return seq, known, j.refuse(ctx)
}

// SetCursor implements bus.Journal.
func (j *MemJournal) SetCursor(ctx context.Context, name string, seq uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuse(ctx); err != nil {
		return err
	}
	j.cursors[name] = max(j.cursors[name], seq)
	return nil
}

// LeaveCursor implements bus.CursorLeaver: cursors are stored with the next records.
func (j *MemJournal) LeaveCursor(name string, seq uint64) (stored uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left[name] = max(j.left[name], seq)
	return j.cursors[name]
}

var (
	_ bus.Journal       = (*MemJournal)(nil)
	_ bus.CursorLeaver  = (*MemJournal)(nil)
	_ bus.Parker        = (*MemJournal)(nil)
	_ bus.AttemptKeeper = (*MemJournal)(nil)
)
