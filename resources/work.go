package resources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// tries is how often a change begins anew because somebody else changed the resource meanwhile.
const tries = 8

// outcome is what a change left: itself, and the resource after it, with its secrets.
type outcome struct {
	change Change
	object any // *T
}

// work is one call of Create, Fire or Update on its way.
type work struct {
	h     *Handle
	call  *call
	ctx   context.Context // the caller's, with what begin-listeners added
	began time.Time
	now   time.Time
	base  Change // what doesn't depend on the resource

	// Of the present try. A member may still run when its caller has stopped waiting, so nothing here is written after commit began.
	change  Change
	object  any    // *T after the change
	version uint64 // that was read; 0: there was none
	links   links  // to other resources

	conflict atomic.Bool
}

// perform takes a change from its options to its after-listeners. plan reads the resource and decides what becomes of it.
func (h *Handle) perform(ctx context.Context, base Change, opts []Option, plan func(context.Context, *work) error) (out outcome, err error) {
	form := forChange
	if base.Action == Moved {
		form = forFire
	}
	c, err := newCall(h.info.Name, base.ResourceID, form, opts, h.engine.clock())
	w := h.newWork(ctx, base, c)
	told := errEnded
	defer func() { h.tell(w.ctx, w.change, w.began, told) }()
	if err = cmp.Or(w.begins(), err); err == nil {
		out, err = h.carryOut(ctx, w, plan)
	}
	told = err
	return out, err
}

// newWork begins a change.
func (h *Handle) newWork(ctx context.Context, base Change, c *call) *work {
	base.Kind = h.info.Name
	w := &work{h: h, call: c, ctx: ctx, began: c.began, now: c.began.UTC().Round(0)}
	w.base = c.describe(ctx, base, w.now)
	w.change = w.base
	return w
}

// begins tells the begin-listeners. What those before one that fails made of the context stays.
func (w *work) begins() error {
	for _, l := range w.h.chain.begin {
		err := protect("listener "+l.Name()+", Begin", w.base.Kind, w.base.ResourceID, func() error {
			if made := l.Begin(w.ctx, w.base); made != nil {
				w.ctx = made
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errEnded is what after-listeners are told if runtime.Goexit was called by a function of the caller's: testing's FailNow does.
var errEnded = errors.New("resources: the goroutine ended before the change was made (runtime.Goexit)")

func (h *Handle) carryOut(ctx context.Context, w *work, plan func(context.Context, *work) error) (outcome, error) {
	if bus.InWriter(ctx, h.engine.store.Journal()) {
		return outcome{}, h.named(w.base.ResourceID, ErrInWriter)
	}
	if err := w.run(w.ctx, plan); err != nil {
		return outcome{}, h.named(w.change.ResourceID, err)
	}
	return outcome{w.change, w.object}, nil
}

// describe fills in who, why and when.
func (c *call) describe(ctx context.Context, ch Change, now time.Time) Change {
	ch.Actor, ch.Reason, ch.Time = c.actor, c.reason, c.at
	if cause, ok := bus.Cause(ctx); ok && !c.hasActor {
		ch.Actor = cause.Actor
	}
	if c.at.IsZero() {
		ch.Time = now
	}
	return ch
}

func (w *work) run(ctx context.Context, plan func(context.Context, *work) error) error {
	for range tries {
		w.conflict.Store(false)
		err := w.try(ctx, plan)
		if err == nil || !errors.Is(err, ErrConflict) || !w.conflict.Load() {
			return err
		}
		w.h.engine.counts.conflicts.Add(1)
	}
	return ErrConflict
}

func (w *work) try(ctx context.Context, plan func(context.Context, *work) error) error {
	if err := plan(ctx, w); err != nil || !w.change.Changed() {
		return err
	}
	if err := w.h.chain.askBefore(ctx, w.change); err != nil {
		return err
	}
	if err := w.h.engine.store.Do(ctx, w.member); err != nil {
		return err
	}
	if !w.change.Time.Equal(w.base.Time) {
		w.h.engine.counts.lifted.Add(1)
	}
	w.h.engine.expect(w.h, &w.change)
	return nil
}

// member is the change's part in the transaction: the row, the listeners, the caller's own rows.
func (w *work) member(tx StoreTx) error {
	if err := w.writeBetween(tx); err != nil {
		return err
	}
	t := &changeTx{tx: tx, engine: w.h.engine, change: w.change}
	if w.call.shares() {
		t.own = w.ctx
	}
	defer t.done.Store(true)
	if err := w.h.chain.runInTx(t, w.change); err != nil {
		return err
	}
	for _, with := range w.call.withs {
		if err := w.protect("With", func() error { return with(t) }); err != nil {
			return err
		}
	}
	return nil
}

// writeBetween writes the row, and looks at the new targets of its relations: in order of kind and ID, as far as that goes, so that
// fewer transactions wait for one another in a circle.
func (w *work) writeBetween(tx StoreTx) error {
	if len(w.links.fresh) == 0 {
		return w.write(tx)
	}
	before, after := w.links.around(w.change.Kind, w.change.ResourceID)
	if err := w.checkLinks(tx, before); err != nil {
		return err
	}
	if err := w.write(tx); err != nil {
		return err
	}
	return w.checkLinks(tx, after)
}

func (w *work) write(tx StoreTx) error {
	switch {
	case w.version == 0:
		return tx.Insert(w.h.info, w.object)
	case w.base.Action == Removed:
		return tx.Delete(w.h.info, w.change.ResourceID, w.version)
	}
	err := tx.Update(w.h.info, w.object, w.version)
	w.conflict.Store(errors.Is(err, ErrConflict))
	return err
}

// read loads the resource and notes where it stands.
func (w *work) read(ctx context.Context) (any, error) {
	obj, err := w.h.engine.store.Load(ctx, w.h.info, w.base.ResourceID)
	if err != nil {
		return nil, err
	}
	w.note(ObjectOf(obj))
	return obj, nil
}

// note notes where the resource stands.
func (w *work) note(o *Object) {
	c := w.base
	c.Tenant, c.From, c.FromOrigin, c.Since = o.Tenant, o.State, o.Origin, o.StateSince
	c.Version, c.Operation = o.Version, o.Operation
	w.change, w.version = c, o.Version
	w.links = links{}
}

// unchanged ends a try that has nothing to write.
func (w *work) unchanged(obj any) error {
	if len(w.call.sets)+len(w.call.withs) > 0 {
		return ErrNoEffect
	}
	c := &w.change
	c.Action, c.To, c.Origin = Unchanged, c.From, c.FromOrigin
	w.object = obj
	return nil
}

// settle makes obj, whose engine fields are final, the row to be written, and the change its event.
func (w *work) settle(obj any) {
	w.object = obj
	o, c := ObjectOf(obj), &w.change
	c.ResourceID, c.Tenant, c.To, c.Origin, c.Version = o.ID, o.Tenant, o.State, o.Origin, o.Version
	c.payload, c.links = nil, nil
	c.payload = w.h.build(*c, w.h.info.snapshot(obj))
	if len(w.h.info.Relations) > 0 {
		w.link(reflect.ValueOf(obj).Elem())
	}
}

// lift keeps time from running backwards between the states of a resource.
func (w *work) lift(o *Object) {
	if w.change.Time.Before(o.StateSince) {
		w.change.Time = o.StateSince
	}
}

// protect runs a function that the caller or the kind gave.
func (w *work) protect(where string, fn func() error) error {
	return protect(where, w.base.Kind, w.change.ResourceID, func() error {
		if err := fn(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		return nil
	})
}

// stamp puts obj into the state of step, as w.change says.
func (w *work) stamp(o *Object, step fsm.Step) {
	c := &w.change
	if step.To != o.State {
		o.StateSince, o.Operation = c.Time, bus.ID{}
		switch class, _ := w.h.info.Machine.Class(step.To); class {
		case fsm.Transitional:
			o.Operation, c.Operation = c.ID, c.ID
		case fsm.Final:
			o.RemovedAt = c.Time
		}
	}
	o.State, o.Origin = step.To, step.Origin
	w.touch(o)
}

// touch counts a change of o.
func (w *work) touch(o *Object) {
	o.Version++
	if o.UpdatedAt.Before(w.change.Time) {
		o.UpdatedAt = w.change.Time
	}
}
