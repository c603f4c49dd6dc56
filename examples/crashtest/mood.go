package main

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// replayEvery is how often parked events are tried again.
const replayEvery = 200 * time.Millisecond

// How many resources there are to one that a life refuses: a batch takes a dozen members of the writer to find the culprit, a single event none.
const (
	badForBatches = 100
	badForEvents  = 40
)

var errMood = errors.New("not in the mood")

// mood makes handlers fail: in each life it refuses the events of other resources, which are parked then, until it is lifted. Safe for concurrent use.
type mood struct {
	life   int
	bad    uint32
	lifted atomic.Bool
}

// check returns an error if the events of a resource are refused.
func (m *mood) check(resource string) error {
	if m == nil || m.lifted.Load() {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write(append([]byte(resource), byte(m.life), byte(m.life>>8))) // a hash takes everything
	if h.Sum32()%m.bad == 0 {
		return errMood
	}
	return nil
}

// operator has parked events handled again, as somebody would who has found out what was wrong.
type operator struct {
	bus   *bus.Bus
	log   *slog.Logger
	names []string // of the subscriptions
	lines *lines   // how many were handled, a line for each replay that did something

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (o *operator) start() {
	var ctx context.Context
	ctx, o.cancel = context.WithCancel(context.Background())
	o.done.Go(func() {
		for {
			select {
			case <-time.After(replayEvery):
			case <-ctx.Done():
				return
			}
			for _, name := range o.names {
				o.replay(ctx, name)
			}
		}
	})
}

// replay notes what was done, and leaves what wasn't for the next time.
func (o *operator) replay(ctx context.Context, name string) {
	got, err := o.bus.Replay(ctx, name, "", "")
	if err == nil && got.Done > 0 {
		err = o.lines.append("%d", got.Done)
	}
	if err != nil && ctx.Err() == nil {
		o.log.Info("replay", "subscription", name, "error", err)
	}
}

// readReplays returns how many parked events a life has handled.
func readReplays(dir string, life int) (sum int, err error) {
	err = readLines(replayFile(dir, life), func(line string) error {
		n, err := strconv.Atoi(line)
		sum += n
		return err
	})
	return sum, err
}

func (o *operator) stop() {
	o.cancel()
	o.done.Wait()
}
