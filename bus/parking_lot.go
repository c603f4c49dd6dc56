package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// errNotInJournal: what isn't in the journal can't be parked.
var errNotInJournal = errors.New("bus: the event isn't in the journal")

// ParkingLot keeps parked events and attempts in memory, for journals that are there themselves. It implements Parker and AttemptKeeper.
type ParkingLot struct {
	journal Journal
	now     func() time.Time

	mu       sync.Mutex
	parked   []Parked                  // in order of subscription and number
	attempts map[string]map[uint64]int // tries by subscription and number
}

// NewParkingLot returns an empty one; it copies what is parked from the journal.
func NewParkingLot(j Journal, now func() time.Time) *ParkingLot {
	return &ParkingLot{journal: j, now: now, attempts: make(map[string]map[uint64]int)}
}

func placeOf(e Parked, at Parked) int {
	return cmp.Or(cmp.Compare(e.Subscription, at.Subscription), cmp.Compare(e.Seq, at.Seq))
}

// Park implements Parker.
func (l *ParkingLot) Park(ctx context.Context, subscription string, events ...Parking) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := slices.Clone(l.parked)
	for _, e := range events {
		parked := Parked{Subscription: subscription, Record: Record{Header: Header{Seq: e.Seq}}, Reason: e.Reason, Tries: e.Tries, At: l.now().UTC()}
		i, found := slices.BinarySearchFunc(next, parked, placeOf)
		switch {
		case found && e.Tries > 0:
			parked.Record = next[i].Record
			next[i] = parked
		case !found:
			records, err := l.journal.Read(ctx, e.Seq-1, 1)
			if err != nil {
				return err
			}
			if len(records) == 0 || records[0].Seq != e.Seq {
				return fmt.Errorf("%w: %d", errNotInJournal, e.Seq)
			}
			parked.Record = records[0]
			next = slices.Insert(next, i, parked)
		}
	}
	l.parked = next
	return nil
}

// Unpark implements Parker.
func (l *ParkingLot) Unpark(ctx context.Context, subscription string, seqs ...uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked = slices.DeleteFunc(slices.Clone(l.parked), func(e Parked) bool {
		return e.Subscription == subscription && slices.Contains(seqs, e.Seq)
	})
	return ctx.Err()
}

// Parked implements Parker.
func (l *ParkingLot) Parked(ctx context.Context, q ParkedQuery) (found []Parked, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.parked {
		switch {
		case len(found) == cmp.Or(q.Limit, 100):
			return found, ctx.Err()
		case q.Subscription != "" && e.Subscription != q.Subscription, e.Seq <= q.After:
		case (q.Kind != "" || q.ResourceID != "") && (e.Kind != q.Kind || e.ResourceID != q.ResourceID):
		default:
			found = append(found, e)
		}
	}
	return found, ctx.Err()
}

// ParkedResources implements Parker.
func (l *ParkingLot) ParkedResources(ctx context.Context, subscription string) (all []ParkedResource, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.parked {
		i := slices.IndexFunc(all, func(r ParkedResource) bool {
			return e.ResourceID != "" && r.Kind == e.Kind && r.ResourceID == e.ResourceID
		})
		switch {
		case e.Subscription != subscription:
		case i >= 0:
			all[i].Events++
		default:
			all = append(all, ParkedResource{
				Kind: e.Kind, ResourceID: e.ResourceID, Events: 1, First: e.Seq, Type: e.Type, Reason: e.Reason, Tries: e.Tries, At: e.At,
			})
		}
	}
	return all, ctx.Err()
}

// Attempts implements AttemptKeeper.
func (l *ParkingLot) Attempts(ctx context.Context, subscription string) (all []Attempt, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seq, tries := range l.attempts[subscription] {
		all = append(all, Attempt{Seq: seq, Tries: tries})
	}
	slices.SortFunc(all, func(a, b Attempt) int { return cmp.Compare(a.Seq, b.Seq) })
	return all, ctx.Err()
}

// StoreAttempts implements AttemptKeeper.
func (l *ParkingLot) StoreAttempts(ctx context.Context, subscription string, attempts ...Attempt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempts[subscription] == nil {
		l.attempts[subscription] = make(map[uint64]int)
	}
	for _, a := range attempts {
		if a.Tries == 0 {
			delete(l.attempts[subscription], a.Seq)
		} else {
			l.attempts[subscription][a.Seq] = a.Tries
		}
	}
	return ctx.Err()
}

// ForgetAttempts implements AttemptKeeper.
func (l *ParkingLot) ForgetAttempts(ctx context.Context, subscription string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.attempts, subscription)
	return ctx.Err()
}

var (
	_ Parker        = (*ParkingLot)(nil)
	_ AttemptKeeper = (*ParkingLot)(nil)
)
