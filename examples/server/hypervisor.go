package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

const (
	hypervisorWorkers = 8
	hypervisorRoom    = 10_000           // operations under way at once; more wait in the journal
	hypervisorRetry   = time.Second      // after an outcome could not be reported
	hypervisorPage    = 500              // resources read at once at the start
	reportTimeout     = 30 * time.Second // for one outcome
	hypervisorName    = "hypervisor"     // client, cursor, and actor of its outcomes
)

// hypervisorOptions configure the simulation. Engine, Client and Kinds are required.
type hypervisorOptions struct {
	Engine   *resources.Engine
	Client   *bus.Client
	Kinds    []string      // whose operations it carries out
	Seed     uint64        // the same seed, resources and requests: the same outcomes
	FailRate float64       // 0 to 1
	Duration time.Duration // of an operation, give or take a half
	Log      *slog.Logger
}

// hypervisor is a driver that only pretends: a while after a resource has entered a transitional state it says that the
// operation succeeded, or failed.
//
// It follows the journal by a durable subscription, and at its start looks for what is in a transitional state already; an
// operation that it learns of twice is carried out once. What isn't done when it closes is found at the next start.
type hypervisor struct {
	o      hypervisorOptions
	kinds  map[string]*resources.Handle
	sub    *bus.Subscription
	cancel context.CancelFunc
	wg     sync.WaitGroup

	room  chan struct{} // one token for each operation in agenda or at work
	wake  chan struct{} // the agenda has a new first
	ready chan operation

	mu     sync.Mutex
	agenda agenda
	known  map[bus.ID]request // operations in agenda, and the request that led to each, if that is known
}

// startHypervisor starts the simulation; it runs until Close.
func startHypervisor(o hypervisorOptions) (*hypervisor, error) {
	h := &hypervisor{
		o:     o,
		kinds: make(map[string]*resources.Handle),
		room:  make(chan struct{}, hypervisorRoom),
		wake:  make(chan struct{}, 1),
		ready: make(chan operation),
		known: make(map[bus.ID]request),
	}
	options := []bus.Option{bus.Durable(hypervisorName)}
	for _, kind := range o.Kinds {
		handle, err := o.Engine.Kind(kind)
		if err != nil {
			return nil, err
		}
		h.kinds[kind] = handle
		options = append(options, bus.Type(kind+".state.*"))
		if slices.ContainsFunc(handle.Machine().Initial(), func(s fsm.State) bool { return h.transitional(kind, s) }) {
			options = append(options, bus.Type(kind+".created")) // a host begins in the midst of its connection
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.wg.Go(func() { h.dispatch(ctx) })
	for range hypervisorWorkers {
		h.wg.Go(h.work)
	}
	sub, err := bus.Subscribe(o.Client, func(hctx context.Context, e bus.Event[resources.AnyChanged]) error {
		return h.follow(ctx, bus.TraceParent(hctx), e)
	}, options...)
	if err != nil {
		cancel()
		h.wg.Wait()
		return nil, fmt.Errorf("hypervisor: %w", err)
	}
	h.sub = sub
	h.wg.Go(func() { h.find(ctx) })
	return h, nil
}

// Close stops taking operations, waits for those whose outcome is being reported, and leaves the rest to the next start.
func (h *hypervisor) Close() {
	h.sub.Close()
	h.cancel()
	<-h.sub.Done()
	h.wg.Wait()
}

// follow takes in what the journal says. It waits while there is no room, which stops nobody else.
func (h *hypervisor) follow(ctx context.Context, trace string, e bus.Event[resources.AnyChanged]) error {
	c := e.Payload.What()
	if c.Action != resources.Moved && c.Action != resources.Created || !h.transitional(c.Kind, c.To) {
		return nil
	}
	return h.schedule(ctx, operation{
		ID: c.Operation, Kind: c.Kind, Resource: c.ResourceID, State: c.To, Version: c.Version, Correlation: e.CorrelationID,
		Trace: trace,
	})
}

// find takes in what is under way already.
func (h *hypervisor) find(ctx context.Context) {
	for _, kind := range h.o.Kinds {
		for {
			err := h.findKind(ctx, kind)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			h.o.Log.Warn("hypervisor: cannot look for operations under way", "kind", kind, "err", err)
			if !pause(ctx, hypervisorRetry) {
				return
			}
		}
	}
}

func (h *hypervisor) findKind(ctx context.Context, kind string) error {
	handle := h.kinds[kind]
	q := resources.Query{Limit: hypervisorPage}
	for _, s := range handle.Machine().States() {
		if h.transitional(kind, s) {
			q.States = append(q.States, s)
		}
	}
	for more := len(q.States) > 0; more; more = q.After != "" {
		page, next, err := handle.List(ctx, q)
		if err != nil {
			return err
		}
		for _, obj := range page {
			o := resources.ObjectOf(obj)
			err := h.schedule(ctx, operation{ID: o.Operation, Kind: kind, Resource: o.ID, State: o.State, Version: o.Version})
			if err != nil {
				return err
			}
		}
		q.After = next
	}
	return nil
}

func (h *hypervisor) transitional(kind string, s fsm.State) bool {
	handle, owned := h.kinds[kind]
	if !owned {
		return false
	}
	class, _ := handle.Machine().Class(s)
	return class == fsm.Transitional
}

// schedule puts an operation on the agenda, unless it is there.
func (h *hypervisor) schedule(ctx context.Context, op operation) error {
	select {
	case h.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	_, took := h.fate(op).draw()
	op.Due = time.Now().Add(took)
	if !h.add(op) {
		<-h.room
	}
	return nil
}

// request is what is known of the request that led to an operation.
type request struct{ correlation, trace string }

func (h *hypervisor) add(op operation) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, twice := h.known[op.ID]
	h.known[op.ID] = request{cmp.Or(before.correlation, op.Correlation), cmp.Or(before.trace, op.Trace)}
	if twice {
		return false
	}
	if h.agenda.push(op) {
		select {
		case h.wake <- struct{}{}:
		default: // awake already
		}
	}
	return true
}

// dispatch hands operations to the workers when they are due. It is the only one that takes from the agenda.
func (h *hypervisor) dispatch(ctx context.Context) {
	defer close(h.ready)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		op, wait, due := h.take(time.Now())
		if due {
			select {
			case h.ready <- op:
				continue
			case <-ctx.Done():
				return
			}
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-h.wake:
		case <-ctx.Done():
			return
		}
	}
}

// take removes the first operation that is due, or says how long there is none.
func (h *hypervisor) take(now time.Time) (op operation, wait time.Duration, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, any := h.agenda.first()
	if !any {
		return op, time.Hour, false
	}
	if wait := first.Due.Sub(now); wait > 0 {
		return op, wait, false
	}
	// From here on news of the same operation (an expunging that failed) is news.
	op = h.agenda.pop()
	op.Correlation, op.Trace = h.known[op.ID].correlation, h.known[op.ID].trace
	delete(h.known, op.ID)
	return op, 0, true
}

func (h *hypervisor) work() {
	for op := range h.ready {
		if err := h.report(op); err != nil {
			h.o.Log.Warn("hypervisor: cannot report an outcome, will try again", "kind", op.Kind, "id", op.Resource, "err", err)
			op.Due = time.Now().Add(hypervisorRetry)
			if h.add(op) {
				continue // it keeps its place
			}
		}
		<-h.room
	}
}

// report fires the outcome of an operation. An operation that is over already, in whatever way, is no error.
func (h *hypervisor) report(op operation) error {
	began := bus.Header{ID: op.ID, CorrelationID: op.Correlation} // the event that the outcome answers
	ctx := bus.ContextWithTraceParent(bus.ContextWithCause(context.Background(), began), op.Trace)
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	success, _ := h.fate(op).draw()
	options := []resources.Option{resources.Operation(op.ID), resources.Actor(hypervisorName)}
	if success {
		hosts, err := h.hostsFor(ctx, op)
		if err != nil {
			return err
		}
		options = append(options, resources.Set(func(obj any) error { takeEffect(obj, op, hosts); return nil }))
	} else {
		options = append(options, resources.Reason("simulated failure"))
	}
	handle := h.kinds[op.Kind]
	_, err := handle.Fire(ctx, op.Resource, endOf(handle.Machine(), op.State, success), options...)
	var refused *fsm.TransitionError
	if errors.Is(err, resources.ErrStale) || errors.Is(err, resources.ErrNotFound) || errors.As(err, &refused) {
		h.o.Log.Debug("hypervisor: an outcome came too late", "kind", op.Kind, "id", op.Resource, "err", err)
		return nil
	}
	return err
}

// pause waits for d and reports whether ctx is still alive then.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
