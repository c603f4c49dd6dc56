package status

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

var (
	// ErrFull: as many resources as the reporter keeps in mind wait to be sent.
	ErrFull = errors.New("status: the reporter is full")
	// ErrReporterClosed: the reporter was closed before.
	ErrReporterClosed = errors.New("status: the reporter is closed")
)

// UnsentError: a reporter was closed before the broker had everything, and no spool has it.
type UnsentError struct {
	Count int   // of resources whose latest status isn't acknowledged
	Err   error // why it went on no longer
}

func (e *UnsentError) Error() string {
	return fmt.Sprintf("status: the latest reports of %d resources were not sent: %v", e.Count, e.Err)
}

func (e *UnsentError) Unwrap() error { return e.Err }

// Reporter sends observations to servers: soon, in order for each resource, at least once. Its methods may be called concurrently.
type Reporter struct {
	transport bridge.Transport
	options   ReporterOptions
	log       *slog.Logger

	active context.Context // until Close's patience is over
	abort  context.CancelFunc
	work   sync.WaitGroup // the goroutines
	wake   chan struct{}  // the loop has something to look at
	soil   chan struct{}  // the spooler has something to write
	idle   chan struct{}  // closed when Close has nothing more to wait for

	mu       sync.Mutex
	entries  map[resource]*entry
	queue    queue
	settled  list.List // of entries, the one that was settled first in front
	dirty    []*entry  // what the spool has yet to be told
	gone     []Spooled // the same, of forgotten resources
	open     int       // entries that wait or are under way
	unkept   int       // those of them that the spool doesn't have
	flying   int       // reports under way
	floor    uint64    // no sequence of a forgotten resource is above it
	closing  bool
	closedAt time.Time // when Close was called
	stats    Stats
	outage   outage
	spoolErr error
}

// NewReporter starts a reporter that sends over t, which remains the caller's to close, afterwards. Errors: *bridge.OptionError, and what the spool says.
func NewReporter(t bridge.Transport, o ReporterOptions) (*Reporter, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, &bridge.OptionError{Option: "Transport", Reason: "is required"}
	}
	r := &Reporter{
		transport: t, options: o, log: o.Logger, entries: map[resource]*entry{},
		wake: make(chan struct{}, 1), soil: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	r.active, r.abort = context.WithCancel(context.Background())
	if o.Spool != nil {
		if err := r.load(); err != nil {
			r.abort()
			return nil, err
		}
		r.work.Go(r.keepSpooling)
	}
	r.work.Go(r.run)
	return r, nil
}

// Report takes an observation and returns at once; it is sent in the background. A newer observation of a resource takes the place of one that waits.
//
// Errors: *ObservationError, ErrFull, ErrReporterClosed, ctx's.
func (r *Reporter) Report(ctx context.Context, o Observation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.Time.IsZero() {
		o.Time = r.options.Now()
	}
	o.Time = o.Time.Round(0).UTC()
	o, err := o.Normal()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return ErrReporterClosed
	}
	e, err := r.entry(resource{o.ServiceType, o.ID})
	if err != nil {
		return err
	}
	r.take(e, o)
	return nil
}

// take makes o the latest report of e.
func (r *Reporter) take(e *entry, o Observation) {
	r.stats.Reported++
	if e.open && !e.flying {
		r.stats.Superseded++
	}
	e.latest = report{Observation: o, id: bus.NewID(o.Time), sequence: sequenceOf(o.Time, max(e.latest.sequence, r.floor))}
	if e.flying || e.unsent() {
		if e.changed.IsZero() {
			e.changed = time.Now()
		}
		r.soilEntry(e)
	} else {
		r.stats.Repeated++
		e.spooled = e.latest.sequence // the spool has the same status
		if e.open {
			r.soilEntry(e) // it has another one, which needn't be sent any more
		}
	}
	r.plan(e)
	poke(r.wake)
}

// entry returns that of a resource, a new one if there is none.
func (r *Reporter) entry(of resource) (*entry, error) {
	if e := r.entries[of]; e != nil {
		return e, nil
	}
	if len(r.entries) >= r.options.Capacity {
		oldest := r.settled.Front()
		if oldest == nil {
			return nil, fmt.Errorf("%w: %d resources wait to be sent, which is its capacity; %s/%s has no place", ErrFull, len(r.entries), of.serviceType, of.id)
		}
		r.forget(oldest.Value.(*entry))
		r.stats.Forgotten++
	}
	e := &entry{of: of, index: -1}
	r.entries[of] = e
	return e, nil
}

// forget expects e to be settled.
func (r *Reporter) forget(e *entry) {
	r.floor = max(r.floor, e.latest.sequence)
	r.queue.plan(e, time.Time{}, false)
	r.settled.Remove(e.settled)
	delete(r.entries, e.of)
	if r.spools(e) {
		r.gone = append(r.gone, Spooled{Observation: Observation{ServiceType: e.of.serviceType, ID: e.of.id}, Sequence: e.latest.sequence, Gone: true})
		poke(r.soil)
	}
}

// Known returns the ids of the resources of a service type that the reporter has in mind and that weren't last reported as DELETED, those of its spool included.
// What a provider doesn't find any more, and what is in here, is gone.
func (r *Reporter) Known(serviceType string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for of, e := range r.entries {
		if of.serviceType == serviceType && e.latest.Status != Deleted {
			ids = append(ids, of.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Close sends what waits, without regard to the window, and returns when the broker has acknowledged it or ctx has ended, or, with the broker away,
// when the spool has it. Errors: *UnsentError, and what the spool says; ErrReporterClosed the second time.
func (r *Reporter) Close(ctx context.Context) error {
	r.mu.Lock()
	if r.closing {
		r.mu.Unlock()
		return ErrReporterClosed
	}
	r.closing, r.closedAt = true, time.Now()
	for _, e := range r.entries {
		r.plan(e)
	}
	r.mu.Unlock()
	poke(r.wake)
	select {
	case <-r.idle:
	case <-ctx.Done():
	}
	r.abort()
	r.work.Wait()
	var err error
	if r.options.Spool != nil {
		r.spoolAll()
		err = r.options.Spool.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unkept > 0 {
		err = errors.Join(&UnsentError{Count: r.unkept, Err: errors.Join(ctx.Err(), r.outage.err, r.spoolErr)}, err)
	}
	return err
}

// poke never waits: one that lies there is enough.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
