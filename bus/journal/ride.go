package journal

import (
	"context"
	"errors"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
)

// rides are cursors that wait for a group that is committed anyway.
type rides struct {
	mu     sync.Mutex
	left   map[string]uint64
	stored map[string]uint64 // what is known to be
}

// LeaveCursor leaves the position of a durable subscription to be stored by the next transaction that is committed; see bus.CursorLeaver.
// Opposed to SetCursor it costs no transaction. What was left is forgotten when the cursor is read, rewound or removed.
func (j *Journal) LeaveCursor(name string, seq uint64) (stored uint64) {
	r := &j.rides
	r.mu.Lock()
	defer r.mu.Unlock()
	stored = r.stored[name]
	if seq > stored {
		if r.left == nil {
			r.left, r.stored = make(map[string]uint64), make(map[string]uint64)
		}
		r.left[name] = max(seq, r.left[name])
	}
	return stored
}

// take returns what was left.
func (r *rides) take() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.left) == 0 {
		return nil
	}
	taken := r.left
	r.left = make(map[string]uint64, len(taken))
	return taken
}

// arrived notes what is committed.
func (r *rides) arrived(cursors map[string]uint64) {
	if len(cursors) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, seq := range cursors {
		r.stored[name] = max(seq, r.stored[name])
	}
}

// forget is called when a cursor may be moved by somebody else.
func (r *rides) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.left, name)
	delete(r.stored, name)
}

// storeRides writes the cursors that were left, and returns them. One that isn't this server's any more stays where it is.
func (j *Journal) storeRides() (map[string]uint64, error) {
	cursors := j.rides.take()
	if cursors == nil {
		return nil, nil
	}
	t := &Tx{j: j, ctx: context.Background(), entered: true}
	for name, seq := range cursors {
		err := t.mayStore(name, true)
		if err == nil {
			err = t.raiseCursor(name, seq)
		}
		switch {
		case errors.Is(err, bus.ErrLeaseLost):
			delete(cursors, name)
		case err != nil:
			return nil, err
		}
	}
	return cursors, nil
}

var _ bus.CursorLeaver = (*Journal)(nil)
