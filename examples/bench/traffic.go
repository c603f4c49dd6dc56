package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// traffic moves the resources of a fleet at a steady rate, one resource after the other, each when it is due.
type traffic struct {
	*fleet
	rate int // moves a second
	next int // resource to be moved
}

// after returns a channel that is closed when d is over.
func after(d time.Duration) <-chan struct{} {
	over := make(chan struct{})
	time.AfterFunc(d, func() { close(over) })
	return over
}

// window moves resources until a channel is closed, and returns the 99th percentile of how long a move took, in µs.
func (t *traffic) window(over <-chan struct{}) (float64, error) {
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		took   []float64
		failed error
	)
	due := make(chan int, 16*callers)
	for range callers {
		all.Go(func() {
			for i := range due {
				begun := time.Now()
				err := t.fire(i)
				micros := float64(time.Since(begun).Nanoseconds()) / 1e3
				mu.Lock()
				took, failed = append(took, micros), errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	begun := time.Now()
	t.pace(due, over)
	close(due)
	all.Wait()
	d := time.Since(begun)
	if failed == nil && float64(len(took)) < 0.97*float64(t.rate)*d.Seconds() {
		failed = fmt.Errorf("%d moves in %v: the machine doesn't make %d a second", len(took), d, t.rate)
	}
	return percentile(took, 99), failed
}

// pace names a resource whenever a move is due.
func (t *traffic) pace(due chan<- int, over <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begun, given := time.Now(), 0
	for {
		for wanted := time.Since(begun).Seconds() * float64(t.rate); float64(given) < wanted; given++ {
			due <- t.next
			t.next = (t.next + 1) % len(t.ids)
		}
		select {
		case <-tick.C:
		case <-over:
			return
		}
	}
}
