package bus

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Parked is an event that a durable subscription has set aside: the journal keeps a copy for it, whatever becomes of the original.
type Parked struct {
	Subscription string // the durable name
	Record
	Reason string    // the last error
	Tries  int       // 0: it waits behind an earlier one of its resource
	At     time.Time // when it was parked, or tried last
}

// ParkedResource is a resource whose events a subscription sets aside; an event that is about no resource stands for itself.
type ParkedResource struct {
	Kind, ResourceID string
	Events           int
	First            uint64    // the number of the oldest one
	Type             string    // of the oldest one, as what follows
	Reason           string    // its last error
	Tries            int       // 0: the one it waited behind was discarded
	At               time.Time // when it was parked, or tried last
}

// ParkedQuery selects parked events.
type ParkedQuery struct {
	Subscription     string // Defaults to all.
	Kind, ResourceID string // Default to all.
	After            uint64 // number of the last event that is known already
	Limit            int    // at most. Defaults to 100.
}

// Parking is one event to be parked.
type Parking struct {
	Seq    uint64
	Reason string
	Tries  int // 0: it waits behind an earlier one of its resource; if it is parked already it stays as it is
}

// Parker is implemented by journals that can keep events which durable subscriptions set aside. On one that can't, they halt instead.
// All methods may be called concurrently.
type Parker interface {
	// Park copies events of the journal for a subscription, all or none. One that is parked already gets the new reason and tries.
	Park(ctx context.Context, subscription string, events ...Parking) error
	// Unpark removes parked events for good; those that aren't parked are passed over.
	Unpark(ctx context.Context, subscription string, seqs ...uint64) error
	// Parked returns parked events, in order of subscription and number.
	Parked(ctx context.Context, q ParkedQuery) ([]Parked, error)
	// ParkedResources returns the resources that have parked events, in order of their oldest one.
	ParkedResources(ctx context.Context, subscription string) ([]ParkedResource, error)
}

var (
	// ErrNotSubscribed: no durable subscription of that name runs on this bus.
	ErrNotSubscribed = errors.New("bus: no durable subscription of that name runs here")
	// ErrNoParking: the journal can't keep parked events.
	ErrNoParking = errors.New("bus: the journal keeps no parked events")
)

// UnknownTypeError: a recorded event of a type, or of a schema of it, that isn't registered, as a newer version of the program may have left it.
type UnknownTypeError struct {
	Seq    uint64
	Type   string
	Schema int
}

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("bus: event %d is a %s of schema %d, which isn't registered", e.Seq, e.Type, e.Schema)
}

// Parked returns events that durable subscriptions of the journal have set aside, in order of subscription and number.
// Errors: ErrNoParking, those of the journal.
func (b *Bus) Parked(ctx context.Context, q ParkedQuery) ([]Parked, error) {
	store, err := b.parker()
	if err != nil {
		return nil, err
	}
	all, err := store.Parked(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("bus: parked events: %w", err)
	}
	return all, nil
}

// ParkedResources returns the resources whose events a durable subscription sets aside, in order of their oldest one.
func (b *Bus) ParkedResources(ctx context.Context, subscription string) ([]ParkedResource, error) {
	store, err := b.parker()
	if err != nil {
		return nil, err
	}
	all, err := store.ParkedResources(ctx, subscription)
	if err != nil {
		return nil, fmt.Errorf("bus: parked resources of %q: %w", subscription, err)
	}
	return all, nil
}

func (b *Bus) parker() (Parker, error) {
	if b.journal == nil {
		return nil, ErrNoJournal
	}
	store, ok := b.journal.(Parker)
	if !ok {
		return nil, ErrNoParking
	}
	return store, nil
}
