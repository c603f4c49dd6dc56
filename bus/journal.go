package bus

import (
	"context"
	"time"
)

// Record is an event as it lies in a journal. One without a type is a hole: a number whose event the journal doesn't have. It moves cursors, and nobody gets it.
type Record struct {
	Header
	RecordedAt time.Time
	Data       []byte // JSON

	value any // *T of the payload as it reads back from Data, if Prepare has made the record and nothing in T can be changed; else nil
}

// weight estimates the bytes that a record takes.
func (r *Record) weight() int {
	const fixed = 640 // the record and its texts
	if r.value != nil {
		return fixed + 2*len(r.Data)
	}
	return fixed + len(r.Data)
}

// Attachment is what a bus gives its journal.
type Attachment struct {
	// Prepare stamps a payload's header and encodes it; the journal adds Seq and RecordedAt. It touches no database.
	Prepare func(ctx context.Context, p Payload, stamps ...Stamp) (Record, error)
	// Committed hands over the records that one transaction has committed, with Seq and RecordedAt, so that nobody has to read them back.
	// Calls must not overlap, and come in the order of the numbers; the slice and what it refers to are the bus's from then on. It never blocks.
	// A journal need not call it for each record: what is missing is read.
	Committed func(records []Record)
	// Wake tells the pump that records up to last are committed which weren't handed over, as those of other servers.
	// It never blocks and may be called from any goroutine, late or twice.
	Wake func(last uint64)
	// Running reports whether a durable subscription of that name runs on the bus, so that nobody moves its cursor meanwhile. May be nil.
	Running func(name string) bool
}

// Journal is a durable, totally ordered, gapless log of recorded events. Numbers start at 1.
// bus/journal keeps one in a database, resources/memstore one in memory. All methods may be called concurrently.
type Journal interface {
	// Attach binds a bus to the journal until detach is called. A second bus at the same time is ErrAttached.
	Attach(Attachment) (detach func(), err error)
	// Bounds returns the numbers of the oldest and the newest record there are; first = last+1 if there is none (last is then the newest there ever was).
	Bounds(ctx context.Context) (first, last uint64, err error)
	// Read returns up to limit records with Seq > after, in order and without holes; none at the end.
	// If records after "after" have been removed by retention it starts at the first that is left.
	Read(ctx context.Context, after uint64, limit int) ([]Record, error)
	// SeqBefore returns the number of the newest record that was recorded before t, 0 if there is none.
	SeqBefore(ctx context.Context, t time.Time) (uint64, error)
	// Cursor returns the position of a durable subscription: all up to seq has been scanned.
	Cursor(ctx context.Context, name string) (seq uint64, known bool, err error)
	// SetCursor creates or raises a cursor; it never lowers one.
	SetCursor(ctx context.Context, name string, seq uint64) error
}

// CursorLeaver is implemented by journals that can store cursors along with what is written next anyway.
type CursorLeaver interface {
	// LeaveCursor leaves a position to be stored, as SetCursor would, by the next transaction that is committed. It never blocks.
	// It returns what is known to be stored by now, 0 if nothing is: who left a position asks again, and calls SetCursor if nothing is written.
	LeaveCursor(name string, seq uint64) (stored uint64)
}
