package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// errVeto is why a change is rolled back on purpose.
var errVeto = errors.New("rolled back on purpose")

// caller is one of those who change VMs without pause, each on a goroutine of its own.
type caller struct {
	vms    *resources.Kind[vm.VM]
	fleet  *fleet
	acks   acks
	rng    *rand.Rand
	inject *fault
}

// step makes one change of a random sort. Its error is one that a caller must not get from a server in good health.
func (c *caller) step(ctx context.Context) error {
	id := c.fleet.pick(c.rng)
	switch {
	case id == "" && c.rng.IntN(5) == 0:
		return c.createBatch(ctx)
	case id == "":
		return c.create(ctx)
	}
	v, err := c.vms.Get(ctx, id)
	switch {
	case errors.Is(err, resources.ErrNotFound), err == nil && v.State == vm.Expunged: // gone, or about to be
		c.fleet.remove(id)
		return nil
	case err != nil:
		return fmt.Errorf("get %s: %w", id, err)
	}
	switch n := c.rng.IntN(100); {
	case n < 6:
		return c.resize(ctx, v)
	case n < 9:
		return c.veto(ctx, v)
	case n < 12:
		return c.hurry(ctx, v)
	}
	if c.inject.strike() {
		return c.lie(ctx, v)
	}
	return c.fire(ctx, v)
}

// newVM is one that isn't there yet.
func (c *caller) newVM() vm.VM {
	id := c.fleet.name()
	return vm.VM{Object: resources.Object{ID: id, Tenant: fmt.Sprintf("tenant%d", c.rng.IntN(5)), Name: id}, CPUs: 1 + c.rng.IntN(8), MemoryMiB: 1024}
}

// createBatch makes some at once.
func (c *caller) createBatch(ctx context.Context) error {
	batch := make([]vm.VM, 2+c.rng.IntN(5))
	for i := range batch {
		batch[i] = c.newVM()
	}
	made, err := c.vms.CreateBatch(ctx, batch)
	if err != nil {
		return err
	}
	for _, v := range made {
		c.fleet.add(v.ID)
		if err := c.acks.addRow("vm/"+v.ID, v.Version, noEvent); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) create(ctx context.Context) error {
	v, err := c.vms.Create(ctx, c.newVM())
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	c.fleet.add(v.ID)
	return c.acks.addRow("vm/"+v.ID, v.Version, noEvent)
}

func (c *caller) fire(ctx context.Context, v *vm.VM, opts ...resources.Option) error {
	ch, err := c.vms.Fire(ctx, v.ID, c.trigger(v), opts...)
	return c.done(ch, err)
}

// resize makes the ledger close an interval and open another.
func (c *caller) resize(ctx context.Context, v *vm.VM) error {
	cpus := 1 + c.rng.IntN(8)
	ch, err := c.vms.Update(ctx, v.ID, func(v *vm.VM) error { v.CPUs = cpus; return nil })
	return c.done(ch, err)
}

// veto makes a change that is rolled back: nothing of it may stay, and none of those that share its transaction may suffer.
func (c *caller) veto(ctx context.Context, v *vm.VM) error {
	ch, err := c.vms.Fire(ctx, v.ID, c.trigger(v), resources.With(func(resources.Tx) error { return errVeto }))
	if err == nil && ch.Changed() {
		return fmt.Errorf("%s: a change that was rolled back was acknowledged", v.ID)
	}
	if errors.Is(err, errVeto) {
		return nil
	}
	return c.done(ch, err)
}

// lie acknowledges a change that was rolled back.
func (c *caller) lie(ctx context.Context, v *vm.VM) error {
	if _, err := c.vms.Fire(ctx, v.ID, c.trigger(v), resources.With(func(resources.Tx) error { return errVeto })); err == nil {
		return nil
	}
	return c.acks.addRow("vm/"+v.ID, v.Version+1, bus.NewID(time.Now()).String())
}

// hurry is a caller that soon stops waiting.
func (c *caller) hurry(ctx context.Context, v *vm.VM) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.rng.Int64N(int64(3*time.Millisecond))))
	defer cancel()
	err := c.fire(ctx, v)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, journal.ErrOutcomeUnknown) {
		return nil
	}
	return err
}

// done acknowledges a change. Refusals that are due to other callers are none of anybody's business.
func (c *caller) done(ch resources.Changed[vm.VM], err error) error {
	var refused *fsm.TransitionError
	switch {
	case errors.As(err, &refused), errors.Is(err, resources.ErrNotFound), errors.Is(err, resources.ErrConflict), errors.Is(err, resources.ErrRemoved), errors.Is(err, resources.ErrNoEffect):
		return nil
	case err != nil:
		return err
	case !ch.Changed():
		return nil
	}
	return c.acks.add(ch.Change)
}

// trigger chooses one that the machine takes, rarely one that ends a VM, and now and then one that does nothing.
func (c *caller) trigger(v *vm.VM) fsm.Trigger {
	allowed, err := vm.Machine.Allowed(v.State, v.Origin, v)
	if err != nil || len(allowed) == 0 {
		return vm.ReportStopped // taken or refused
	}
	for range 20 {
		on := allowed[c.rng.IntN(len(allowed))]
		step, err := vm.Machine.Next(v.State, v.Origin, on, v)
		switch {
		case err != nil, !step.Moved && c.rng.IntN(10) > 0, ends(on) && c.rng.IntN(10) > 0:
		default:
			return on
		}
	}
	return allowed[0]
}

// ends reports whether a trigger leads out of a VM's working life.
func ends(on fsm.Trigger) bool {
	return on == vm.DestroyRequested || on == vm.ExpungeRequested || on == vm.CreationFailed
}
