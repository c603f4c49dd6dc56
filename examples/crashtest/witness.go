package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
)

// witness watches one life from inside: what comes from the journal must come without holes, what comes live in order and with every gap announced.
type witness struct {
	fail func(error)

	mu     sync.Mutex
	reader uint64 // the newest number that the subscription from the journal has seen
	live   uint64 // and the live one; 0: none yet
	gap    bus.Gap
}

// subscribe begins after the journal's number last.
func (w *witness) subscribe(c *bus.Client, last uint64) error {
	w.reader = last
	if _, err := bus.Subscribe(c, w.read, bus.From(last), bus.Name("witness of the journal")); err != nil {
		return err
	}
	_, err := bus.Subscribe(c, w.watch, bus.Queue(64, bus.DropOldest), bus.OnGap(w.miss), bus.Name("live witness"))
	return err
}

func (w *witness) read(_ context.Context, e bus.Event[bus.Raw]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Seq != w.reader+1 {
		w.fail(fmt.Errorf("a subscription from the journal got event %d after %d", e.Seq, w.reader))
	}
	w.reader = e.Seq
	return nil
}

func (w *witness) watch(_ context.Context, e bus.Event[bus.Raw]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := follows(w.live, w.gap, e.Seq); err != nil {
		w.fail(fmt.Errorf("a live subscription %w", err))
	}
	w.live, w.gap = e.Seq, bus.Gap{}
	return nil
}

func (w *witness) miss(_ context.Context, g bus.Gap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap = g
}

// follows reports what is wrong if a live subscription that takes everything gets seq after last, with that gap between.
func follows(last uint64, gap bus.Gap, seq uint64) error {
	switch {
	case last == 0: // its first
		return nil
	case seq <= last:
		return fmt.Errorf("got event %d after %d", seq, last)
	case gap.Count != seq-last-1:
		return fmt.Errorf("got event %d after %d, and was told of a gap of %d (%d to %d)", seq, last, gap.Count, gap.FirstSeq, gap.LastSeq)
	}
	return nil
}
