package sinktest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

const (
	patience = 60 * time.Second // with all that one check does
	prompt   = 5 * time.Second  // with what must not wait for the broker
)

// errSkip: the broker lacks what the check needs.
var errSkip = errors.New("the broker of the test doesn't offer what this needs")

// check is one promise.
type check struct {
	name string
	run  func(context.Context, *rig) error
}

// checks are the promises of a sink.
var checks = []check{
	{"what is sent comes out, structured", checkStructured},
	{"what is sent comes out, binary", checkBinary},
	{"what is sent stays as it is", checkUntouched},
	{"order per resource, many resources at once", checkOrder},
	{"repeats are told by their id", checkRepeats},
	{"too large is rejected for good, and alone", checkTooLarge},

	{"a broker that is away is an error at once", checkAway},
	{"order per resource while the broker goes away and comes back", checkOutage},
	{"opening and closing don't wait for the broker", checkStartWhileAway},
	{"another sink goes on", checkSecondSink},

	{"a send ends with its context", checkContext},
	{"a send ends with its context when the broker hangs", checkHang},
	{"a sink that isn't open sends nothing", checkClosed},
}

// stateChecks are the promises of a sink that keeps states.
var stateChecks = []check{
	{"one state for each resource, the newest", checkNewest},
	{"an older state never takes the place of a newer one", checkOlder},
	{"what is gone stays gone, until it is made anew", checkGone},
	{"snapshots stand for all events before them", checkSnapshots},
	{"states of many resources at once, by two sinks", checkTwoSinks},
	{"what was lost is told, and comes again", checkLost},
	{"a sink that isn't open sends nothing", checkClosedState},
}

// Run runs the suite. Each of its tests opens a broker of its own.
func Run(t *testing.T, open Open) { run(t, checks, open) }

// RunState runs the suite for sinks that keep states (bridge.StateKeeper). Its broker's New returns such sinks.
func RunState(t *testing.T, open Open) { run(t, stateChecks, open) }

func run(t *testing.T, checks []check, open Open) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{Broker: open(t)}
			t.Cleanup(func() {
				if err := r.close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			switch err := c.run(ctx, r); {
			case errors.Is(err, errSkip):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// promptly calls f and finds fault with it if it takes long.
func promptly(what string, f func() error) error {
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(prompt):
	}
	err := <-done
	return errors.Join(err, fmt.Errorf("%s took %v; it must not wait for the broker", what, time.Since(began)))
}
