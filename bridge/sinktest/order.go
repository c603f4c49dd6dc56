package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

// sendMany sends messages about many resources at once, those about one in order.
func (r *rig) sendMany(ctx context.Context, s bridge.Sink, resources, each int) error {
	errs := make([]error, resources)
	var group sync.WaitGroup
	for i := range resources {
		group.Go(func() {
			mode := bridge.Mode(i % 2)
			for n := range each {
				m, err := message(event(name(i), n), mode)
				if err == nil {
					err = r.deliver(ctx, s, m)
				}
				if err != nil {
					errs[i] = fmt.Errorf("message %d of resource %s: %w", n, name(i), err)
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func name(resource int) string { return fmt.Sprintf("r%d", resource) }

// checkMany finds what is missing, twice or in disorder of what sendMany sent.
func checkMany(r *rig, all []bus.Event[bus.Raw], resources, each int) error {
	want := make([]uint64, each)
	for n := range want {
		want[n] = uint64(n + 1)
	}
	found := r.byResource(all)
	for i := range resources {
		if got := found[name(i)]; !slices.Equal(got, want) {
			return fmt.Errorf("of resource %s the broker has the messages %v, want 1 to %d in order", name(i), got, each)
		}
	}
	return nil
}

func checkOrder(ctx context.Context, r *rig) error {
	const resources, each = 32, 20
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	if err := r.sendMany(ctx, s, resources, each); err != nil {
		return err
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, resources, each)
}

// checkOutage stops the broker while much is under way. What was acknowledged before must be there afterwards.
func checkOutage(ctx context.Context, r *rig) error {
	const resources, each = 16, 30
	if r.Stop == nil || r.Start == nil {
		return errSkip
	}
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	first, err := message(event(name(0), 0), bridge.Structured)
	if err != nil {
		return err
	}
	if err := r.deliver(ctx, s, first); err != nil {
		return err
	}
	done := make(chan struct{})
	var lost error
	go func() { defer close(done); lost = r.sendMany(ctx, s, resources, each) }()
	var errs []error
	for range 2 {
		errs = append(errs, r.away(done))
	}
	<-done
	if err := errors.Join(append(errs, lost)...); err != nil {
		return err
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, resources, each)
}

// away stops the broker until a send has failed, or all have succeeded; no longer than a moment, as all may wait for it to be ready.
func (r *rig) away(done <-chan struct{}) error {
	before := r.failed.Load()
	if err := r.Stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	tick, enough := time.NewTicker(time.Millisecond), time.After(moment)
	defer tick.Stop()
	for waiting := true; waiting && r.failed.Load() == before; {
		select {
		case <-tick.C:
		case <-done:
			waiting = false
		case <-enough:
			waiting = false
		}
	}
	if err := r.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// checkSecondSink: a server that starts again has a new sink, which goes on where the first has ended.
func checkSecondSink(ctx context.Context, r *rig) error {
	for n := range 3 {
		s, err := r.ready(ctx)
		if err != nil {
			return err
		}
		m, err := message(event(name(0), n), bridge.Structured)
		if err != nil {
			return err
		}
		if err := errors.Join(r.deliver(ctx, s, m), r.shut(ctx, s)); err != nil {
			return err
		}
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, 1, 3)
}
