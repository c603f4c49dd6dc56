package cascade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

const maxTurns = 5 // of one consequence, each after somebody else had changed the resource

var (
	errChanged = errors.New("cascade: somebody else has changed the resource meanwhile")
	errOver    = errors.New("cascade: the cause has left the states in which the rule holds")
)

// fire fires a rule's trigger at a resource as it was found. What has been done, or needs no doing any more, is no error.
func (p *Plugin) fire(ctx context.Context, r *rule, e *event, obj any, source string) error {
	o := resources.ObjectOf(obj)
	if stop, err := p.mayNot(ctx, r, e, r.Name, o.ID); stop || err != nil {
		return err
	}
	unless := func(tx resources.Tx) error {
		if len(r.While) == 0 {
			return nil
		}
		state, err := tx.State(r.source.Name(), source)
		if err == nil && !slices.Contains(r.While, state) {
			return errOver
		}
		if errors.Is(err, resources.ErrNotFound) {
			return nil
		}
		return err
	}
	for range maxTurns {
		_, err := r.target.Fire(ctx, o.ID, r.Fire, resources.Reason(r.reason(e, r.Name, source)), as(o.Version), resources.With(unless))
		if !errors.Is(err, errChanged) {
			return p.outcome(ctx, r, o.ID, err)
		}
		if obj, err = p.one(ctx, r, o.ID); err != nil {
			return err
		}
		if obj == nil || r.Find != "" && r.By != "id" && !r.names(obj, source) {
			p.count("already", 1)
			return nil
		}
		o = resources.ObjectOf(obj)
	}
	return fmt.Errorf("cascade %s: %s/%s: %w, %d times", r.Name, r.target.Name(), o.ID, errChanged, maxTurns)
}

// as has a Fire fail that would move another version of the resource than the one that was looked at.
func as(version uint64) resources.Option {
	return resources.Set(func(obj any) error {
		if resources.ObjectOf(obj).Version != version+1 {
			return errChanged
		}
		return nil
	})
}

// outcome counts what became of a consequence, and returns what has to be tried again.
func (p *Plugin) outcome(ctx context.Context, r *rule, id string, err error) error {
	var refused *fsm.TransitionError
	switch {
	case err == nil:
		p.count("fired", 1)
	case errors.Is(err, errOver):
		p.count("over", 1)
	case errors.Is(err, resources.ErrNoEffect), errors.Is(err, resources.ErrNotFound), errors.Is(err, resources.ErrExists):
		p.count("already", 1)
	case errors.As(err, &refused):
		p.count("refused", 1)
		p.runtime.Logger().WarnContext(ctx, "a consequence is refused by the resource's machine", "rule", r.Name, "kind", r.target.Name(), "id", id, "error", err)
	default:
		return fmt.Errorf("cascade %s: %w", r.Name, err)
	}
	return nil
}

// reason says by which rule a consequence came, of which event, and why: the chain is read from the first two.
func (r *rule) reason(e *event, name, source string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s: %s is %s", marker, name, e.Subject(), e.change.To)
	if source != "" && (source != e.ResourceID || r.source.Name() != e.Kind) {
		fmt.Fprintf(&b, ", its %s is gone", r.source.Name())
	}
	if r.Reason != "" {
		b.WriteString("; " + r.Reason)
	}
	return b.String()
}

// create makes the resource that is to come with the event's.
func (p *Plugin) create(ctx context.Context, r *rule, e *event) error {
	if stop, err := p.mayNot(ctx, r, e, r.Name, e.ResourceID); stop || err != nil {
		return err
	}
	obj := r.target.New()
	o, from := resources.ObjectOf(obj), resources.ObjectOf(e.Payload.Snapshot())
	o.ID, o.Tenant, o.Name = from.ID, from.Tenant, from.Name
	_, err := r.target.Create(ctx, obj, resources.Reason(r.reason(e, r.Name, "")))
	return p.outcome(ctx, r, o.ID, err)
}

// succeeded fires what is to come when the operation that a rule began has ended well.
func (p *Plugin) succeeded(ctx context.Context, r *rule, e *event) error {
	c := &e.change
	if r.Then == "" || c.Action != resources.Moved || c.Operation.IsZero() || c.Operation == c.ID || !r.succeeds(c.Trigger) {
		return nil
	}
	links, err := e.chain.links(ctx)
	if err != nil || len(links) == 0 || links[0] != (link{r.Name, r.target.Name(), e.ResourceID}) {
		return err
	}
	name := r.Name + " then"
	if stop, err := p.mayNot(ctx, r, e, name, e.ResourceID); stop || err != nil {
		return err
	}
	version := c.Version
	for range maxTurns {
		_, err = r.target.Fire(ctx, e.ResourceID, r.Then, resources.Reason(r.reason(e, name, "")), as(version))
		if !errors.Is(err, errChanged) {
			return p.outcome(ctx, r, e.ResourceID, err)
		}
		obj, err := r.target.Get(ctx, e.ResourceID)
		if err != nil && !errors.Is(err, resources.ErrNotFound) {
			return err
		}
		if err != nil || !r.stays(e, obj) {
			p.count("over", 1)
			return nil
		}
		version = resources.ObjectOf(obj).Version
	}
	return fmt.Errorf("cascade %s: %s/%s: %w, %d times", name, r.target.Name(), e.ResourceID, errChanged, maxTurns)
}

// stays reports whether a resource still is where the event's operation left it, and names whom it named then: somebody may have renamed it,
// and what is to follow still is.
func (r *rule) stays(e *event, obj any) bool {
	was, is := resources.ObjectOf(e.Payload.Snapshot()), resources.ObjectOf(obj)
	if is.State != was.State || !is.StateSince.Equal(was.StateSince) {
		return false
	}
	rel, ok := r.target.Info().Relation(r.By)
	return !ok || rel.Of(obj) == rel.Of(e.Payload.Snapshot())
}

func (r *rule) succeeds(on fsm.Trigger) bool {
	succeed := r.target.Machine().Spec().Succeed
	return on == fsm.OperationSucceeded && len(succeed) == 0 || slices.Contains(succeed, on)
}

// mayNot reports that a consequence would close a circle, or be one too many of its chain.
func (p *Plugin) mayNot(ctx context.Context, r *rule, e *event, name, id string) (bool, error) {
	links, err := e.chain.links(ctx)
	if err != nil {
		return false, err
	}
	again := slices.Contains(links, link{name, r.target.Name(), id})
	if !again && len(links) < p.options.Depth {
		return false, nil
	}
	why := "the chain of causes is too long"
	if again {
		why = "the rule was applied to it before, in the same chain of causes"
	}
	p.count("looped", 1)
	p.runtime.Logger().WarnContext(ctx, "a consequence is left out", "rule", name, "kind", r.target.Name(), "id", id, "why", why, "event", e.ID, "consequences", len(links))
	return true, nil
}
