package main

import (
	"sync"
	"sync/atomic"
)

// tally counts what has been handled. A burst is over when each subscription has handled each of its events.
type tally struct {
	burst   sync.WaitGroup
	serial  []serial
	atomics []padded
}

type serial struct {
	left int
	_    [56]byte // a cache line each
}

type padded struct {
	left atomic.Int64
	_    [56]byte
}

func newTally(subscriptions int) *tally {
	return &tally{serial: make([]serial, subscriptions), atomics: make([]padded, subscriptions)}
}

// expect begins a burst of n events for each subscription.
func (t *tally) expect(n int) {
	t.burst.Add(len(t.serial))
	for i := range t.serial {
		t.serial[i].left = n
		t.atomics[i].left.Store(int64(n))
	}
}

// wait returns when the burst is over.
func (t *tally) wait() { t.burst.Wait() }

// handlers returns one handler per subscription, for carriers that call it concurrently or for those that don't.
func (t *tally) handlers(concurrent bool) []handler {
	all := make([]handler, len(t.serial))
	for i := range all {
		if concurrent {
			all[i] = t.atomics[i].handle(&t.burst)
		} else {
			all[i] = t.serial[i].handle(&t.burst)
		}
	}
	return all
}

func (s *serial) handle(burst *sync.WaitGroup) handler {
	return func(int64) {
		if s.left--; s.left == 0 {
			burst.Done()
		}
	}
}

func (p *padded) handle(burst *sync.WaitGroup) handler {
	return func(int64) {
		if p.left.Add(-1) == 0 {
			burst.Done()
		}
	}
}
