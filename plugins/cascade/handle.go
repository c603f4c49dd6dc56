package cascade

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

const (
	pageSize = 200 // related resources that are read at a time
	atOnce   = 16  // consequences of an event that are fired at a time: their members share transactions
	maxFails = 5   // failures of an event that are told in full
)

// event is one that is being handled.
type event struct {
	bus.Event[resources.AnyChanged]
	change resources.Change
	chain  *chain
}

// handle draws the consequences of an event. The error joins what failed; the rest is done.
func (p *Plugin) handle(ctx context.Context, e bus.Event[resources.AnyChanged]) error {
	ev := &event{Event: e, change: e.Payload.What()}
	ev.chain = &chain{plugin: p, of: ev}
	var errs []error
	for _, r := range p.rules {
		if e.Kind == r.source.Name() && r.when.Match(e.Type) {
			errs = append(errs, p.happened(ctx, r, ev))
		}
		if e.Kind == r.target.Name() {
			errs = append(errs, p.arrived(ctx, r, ev), p.succeeded(ctx, r, ev))
		}
	}
	err := errors.Join(errs...)
	if err != nil && !errors.Is(err, errClosing) {
		p.count("failed", 1)
	}
	return err
}

// happened applies a rule to all that are related to the event's resource.
func (p *Plugin) happened(ctx context.Context, r *rule, e *event) error {
	holds, err := p.holds(ctx, r, e.ResourceID, true)
	if err != nil || !holds {
		if err == nil && slices.Contains(r.While, e.change.To) {
			p.count("over", 1) // another state that When matches never was one of the rule's
		}
		return err
	}
	switch {
	case r.Create != "":
		return p.create(ctx, r, e)
	case r.Follow != "":
		return p.follow(ctx, r, e)
	}
	q := r.query(map[string]any{r.By: e.ResourceID})
	q.Limit = pageSize
	var failed failures
	for {
		if p.closing.Err() != nil {
			return errClosing
		}
		page, next, err := r.target.List(ctx, q)
		if err != nil {
			return err
		}
		p.fireAll(ctx, r, e, page, &failed)
		if next == "" {
			break
		}
		q.After = next
	}
	return errors.Join(failed.err(r), p.countWaiting(ctx, r, e))
}

// query asks for the related resources that a rule is for.
func (r *rule) query(where map[string]any) resources.Query {
	for field, value := range r.Where {
		if _, ok := where[field]; !ok {
			where[field] = value
		}
	}
	return resources.Query{Where: where, States: r.States}
}

// countWaiting counts what is on its way: arrived fires at it when it is there.
func (p *Plugin) countWaiting(ctx context.Context, r *rule, e *event) error {
	q := r.query(map[string]any{r.By: e.ResourceID})
	q.States, q.Limit = nil, 1000
	for _, s := range r.target.Machine().States() {
		if class, _ := r.target.Machine().Class(s); class == fsm.Transitional && !slices.Contains(r.States, s) && !r.accepts(s) {
			q.States = append(q.States, s)
		}
	}
	if len(q.States) == 0 || !r.lasts() {
		return nil
	}
	page, _, err := r.target.List(ctx, q)
	p.count("waiting", int64(len(page)))
	return err
}

// fireAll fires at a page of resources, some at a time.
func (p *Plugin) fireAll(ctx context.Context, r *rule, e *event, page []any, failed *failures) {
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, obj := range page {
		if r.excludes(obj) {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := p.fireSafely(ctx, r, e, obj); err != nil {
				failed.add(err)
			}
		})
	}
	all.Wait()
}

// fireSafely turns a panic of foreign code (a store, a logger) into an error: on a goroutine of its own it would end the process.
func (p *Plugin) fireSafely(ctx context.Context, r *rule, e *event, obj any) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("cascade %s: %s/%s: panic: %v\n%s", r.Name, r.target.Name(), resources.ObjectOf(obj).ID, v, debug.Stack())
		}
	}()
	return p.fire(ctx, r, e, obj, e.ResourceID)
}

// failures keeps the first few errors and counts them all.
type failures struct {
	mu    sync.Mutex
	first []error
	n     int
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n++; len(f.first) < maxFails {
		f.first = append(f.first, err)
	}
}

func (f *failures) err(r *rule) error {
	if f.n == 0 {
		return nil
	}
	return fmt.Errorf("cascade %s: %d consequences failed: %w", r.Name, f.n, errors.Join(f.first...))
}

// follow applies a rule to the resource that the event's resource names.
func (p *Plugin) follow(ctx context.Context, r *rule, e *event) error {
	rel, _ := r.source.Info().Relation(r.Follow)
	id := rel.Of(e.Payload.Snapshot())
	if id == "" {
		return nil
	}
	obj, err := p.one(ctx, r, id)
	if err != nil || obj != nil {
		if err == nil {
			err = p.fire(ctx, r, e, obj, e.ResourceID)
		}
		return err
	}
	obj, err = r.target.Get(ctx, id)
	if errors.Is(err, resources.ErrNotFound) {
		p.count("already", 1)
		return nil
	}
	if err != nil {
		return err
	}
	o := resources.ObjectOf(obj)
	if class, _ := r.target.Machine().Class(o.State); class == fsm.Transitional && !r.accepts(o.State) {
		p.count("waiting", 1)
		return fmt.Errorf("cascade %s: %s/%s is %s: %q waits for the end of that", r.Name, r.target.Name(), id, o.State, r.Fire)
	}
	p.count("already", 1)
	return nil
}

// accepts reports whether the trigger changes nothing in a state: what it asks for is under way, or done.
func (r *rule) accepts(s fsm.State) bool {
	for _, e := range r.target.Machine().Spec().Edges {
		if e.On == r.Fire && e.To == fsm.Same && slices.Contains(e.From, s) {
			return true
		}
	}
	return false
}

// one reads a resource if it is one that a rule is for; nil if it isn't.
func (p *Plugin) one(ctx context.Context, r *rule, id string) (any, error) {
	q := r.query(map[string]any{"id": id})
	q.Limit = 1
	page, _, err := r.target.List(ctx, q)
	if err != nil || len(page) == 0 || r.excludes(page[0]) {
		return nil, err
	}
	return page[0], nil
}

// arrived applies a rule to a resource that came into one of its states when the cause had happened already.
func (p *Plugin) arrived(ctx context.Context, r *rule, e *event) error {
	if !r.lasts() || e.change.Action == resources.Removed || !slices.Contains(r.States, e.change.To) {
		return nil
	}
	source := e.ResourceID
	if r.By != "id" {
		rel, _ := r.target.Info().Relation(r.By)
		if source = rel.Of(e.Payload.Snapshot()); source == "" {
			return nil
		}
	}
	holds, err := p.holds(ctx, r, source, false)
	if err != nil || !holds {
		return err
	}
	obj, err := p.one(ctx, r, e.ResourceID)
	if err != nil || obj == nil || r.By != "id" && !r.names(obj, source) {
		return err
	}
	p.count("late", 1)
	return p.fire(ctx, r, e, obj, source)
}

func (r *rule) names(obj any, source string) bool {
	rel, _ := r.target.Info().Relation(r.By)
	return rel.Of(obj) == source
}

// holds reports whether the cause is in a state in which the rule holds. One that isn't there any more was purged from a final state: that
// is sure if its own event is at hand, else the journal has to know it.
func (p *Plugin) holds(ctx context.Context, r *rule, id string, sure bool) (bool, error) {
	if len(r.While) == 0 {
		return true, nil
	}
	obj, err := r.source.Get(ctx, id)
	switch {
	case err == nil:
		return slices.Contains(r.While, resources.ObjectOf(obj).State), nil
	case !errors.Is(err, resources.ErrNotFound):
		return false, err
	case sure || !r.ends:
		return r.ends, nil
	}
	last, err := p.runtime.Journal().Query(ctx, journal.Query{Kind: r.source.Name(), ResourceID: id, Newest: true, Limit: 1})
	return len(last) == 1 && last[0].Type == r.source.Name()+".removed", err
}
