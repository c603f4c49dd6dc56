package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// powerCycle leads a VM from stopped back to it, through these states.
var (
	powerCycle  = []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded}
	powerStates = []fsm.State{vm.Starting, vm.Running, vm.Stopping, vm.Stopped}
)

// fleet is ours: VMs in a database with Post, and a live subscriber.
type fleet struct {
	store  *gormstore.Store
	bus    *bus.Bus
	engine *resources.Engine
	vms    *resources.Kind[vm.VM]
	ids    []string
	steps  []int // of the power cycle, for each VM

	readers int // that there have been, for their names

	ctx   context.Context
	fired atomic.Uint64
	heard atomic.Uint64 // by the subscriber, those it was told that it missed included
}

func openFleet(path string, more ...resources.Listener) (*fleet, error) {
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(path, sqlite.Options{Logger: quiet})
	if err != nil {
		return nil, err
	}
	f, err := newFleet(store, more...)
	if err != nil {
		return nil, errors.Join(err, store.Close(context.Background()))
	}
	return f, nil
}

// newFleet is on a store that has no VMs, or those of a fleet before. More listeners come after Post.
func newFleet(store *gormstore.Store, more ...resources.Listener) (f *fleet, err error) {
	quiet := slog.New(slog.DiscardHandler)
	f = &fleet{store: store, ctx: context.Background()}
	f.bus = bus.New(bus.Options{Journal: store.Journal(), Source: source, Logger: quiet})
	f.engine, err = resources.New(resources.Options{Store: store, Bus: f.bus, Logger: quiet, Listeners: append([]resources.Listener{listeners.Post()}, more...)})
	if err != nil {
		return nil, err
	}
	if f.vms, err = resources.Register[vm.VM](f.engine, vm.Machine); err != nil {
		return nil, err
	}
	_, err = bus.Subscribe(f.bus.Client("bench"), func(context.Context, bus.Event[vm.Changed]) error {
		f.heard.Add(1)
		return nil
	}, bus.Type("vm.state.>"), bus.OnGap(func(_ context.Context, g bus.Gap) { f.heard.Add(g.Count) }))
	return f, err
}

// take has the fleet move the VMs with these ids, which are stopped.
func (f *fleet) take(ids []string) { f.ids, f.steps = ids, make([]int, len(ids)) }

// create makes n VMs and has the fleet move them.
func (f *fleet) create(n int) error {
	const batch = 1000
	ids := make([]string, n)
	for begin := 0; begin < n; begin += batch {
		vms := make([]vm.VM, min(batch, n-begin))
		for i := range vms {
			ids[begin+i] = idleID(begin + i)
			vms[i] = newVM(ids[begin+i])
		}
		if _, err := f.vms.CreateBatch(f.ctx, vms); err != nil {
			return err
		}
	}
	f.take(ids)
	return nil
}

func newVM(id string) vm.VM {
	return vm.VM{Object: resources.Object{ID: id, Tenant: "acme", Name: "bench"}, CPUs: 2, MemoryMiB: 4096, Hypervisor: "kvm", Hostname: "bench"}
}

func (f *fleet) fire(i int) error {
	_, err := f.vms.Fire(f.ctx, f.ids[i], powerCycle[f.steps[i]&3])
	f.steps[i]++
	f.fired.Add(1)
	return err
}

// settle waits for the subscriber.
func (f *fleet) settle() error {
	if err := f.bus.Flush(f.ctx); err != nil {
		return err
	}
	if fired, heard := f.fired.Load(), f.heard.Load(); fired != heard {
		return fmt.Errorf("the subscriber heard of %d of %d moves", heard, fired)
	}
	return nil
}

func (f *fleet) close() error {
	ctx, cancel := context.WithTimeout(f.ctx, 20*time.Second)
	defer cancel()
	if err := f.bus.Close(ctx); err != nil {
		return err
	}
	return f.store.Close(ctx)
}

// pragmas returns those that cost, of the connection that writes.
func (f *fleet) pragmas() (map[string]string, error) {
	return readPragmas(func(query string, value *string) error {
		return f.store.Writer().Do(f.ctx, func(tx *journal.Tx) error { return tx.QueryRow(query, nil, value) })
	})
}
