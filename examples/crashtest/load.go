package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// load is the callers of one life.
type load struct {
	trouble bool // refusals by the database are expected
	fail    func(error)

	cancel  context.CancelFunc
	callers sync.WaitGroup
	refused atomic.Int64 // changes that the database refused

	mu    sync.Mutex
	first error // refusal
}

// startLoad starts n callers, each with chance of its own; step is what one of them does.
func startLoad(n int, seed uint64, trouble bool, fail func(error), makeCaller func(*rand.Rand) *caller) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{trouble: trouble, fail: fail, cancel: cancel}
	for i := range n {
		c := makeCaller(rand.New(rand.NewPCG(seed, uint64(i))))
		l.callers.Go(func() { l.call(ctx, c) })
	}
	return l
}

func (l *load) call(ctx context.Context, c *caller) {
	for ctx.Err() == nil {
		err := c.step(context.WithoutCancel(ctx))
		switch {
		case err == nil:
		case l.trouble && refusal(err):
			l.refuse(err)
			select {
			case <-time.After(10 * time.Millisecond): // somebody who got an error doesn't come back at once
			case <-ctx.Done():
			}
		default:
			l.fail(err)
			return
		}
	}
}

func (l *load) refuse(err error) {
	l.refused.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = err
	}
}

// refusals returns how many there were, and what the first said.
func (l *load) refusals() (int64, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		return l.refused.Load(), ""
	}
	return l.refused.Load(), l.first.Error()
}

// stop waits until each caller has his last answer.
func (l *load) stop() {
	l.cancel()
	l.callers.Wait()
}

// refusal reports whether the database itself said that it can't be written now.
func refusal(err error) bool { return errors.Is(err, bus.ErrOutage) }
