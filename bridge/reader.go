package bridge

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
)

// reader is the bridge's durable subscription. It ends and begins anew when the bridge goes back in the journal.
type reader struct {
	current atomic.Pointer[bus.Subscription] // nil until it began first; the latest
	span    atomic.Pointer[context.Context]  // until the current one is to end, or to leave what it reads to another server

	mu     sync.Mutex // held while it moves
	begin  func() (*bus.Subscription, error)
	before func()             // called before each begin
	cancel context.CancelFunc // of span
	ended  bool               // the current one has ended, or is about to

	life context.Context // until it is over: it doesn't begin any more
	kill context.CancelFunc
}

func newReader() *reader {
	r := &reader{ended: true}
	r.life, r.kill = context.WithCancel(context.Background())
	return r
}

// start begins to read where the cursor is; before and begin are called again after each move. then is called before anything else can be read or moved.
func (r *reader) start(before func(), begin func() (*bus.Subscription, error), then func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.begin = before, begin
	if err := r.resume(); err != nil {
		return err
	}
	return then()
}

// resume begins to read, unless it reads, or isn't to. r.mu is held.
func (r *reader) resume() error {
	if r.begin == nil || r.life.Err() != nil || !r.ended {
		return nil
	}
	span, cancel := context.WithCancel(context.Background())
	r.span.Store(&span)
	r.before()
	subscription, err := r.begin()
	if err != nil {
		cancel()
		return err
	}
	r.current.Store(subscription)
	r.cancel, r.ended = cancel, false
	return nil
}

// pause ends the reading: what is under way comes again. It returns when no handler runs any more. r.mu is held.
func (r *reader) pause(ctx context.Context) error {
	subscription := r.current.Load()
	if subscription == nil {
		return nil
	}
	if !r.ended {
		r.ended = true
		subscription.Close()
		r.cancel()
	}
	select {
	case <-subscription.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("bridge: go back: %w", context.Cause(ctx))
	}
}

// close ends the reading for good, and returns the subscription, which may still be at work; nil if there is none. What moves gives up.
func (r *reader) close() *bus.Subscription {
	r.kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	subscription := r.current.Load()
	if subscription != nil && !r.ended {
		subscription.Close()
	}
	return subscription
}

// standsBy reports whether another server reads in place of this one. r.mu is held.
func (r *reader) standsBy() bool {
	subscription := r.current.Load()
	return subscription != nil && !r.ended && subscription.Inspect().State == "standby"
}

// leave ends what is under way, as another server reads it now. r.mu is held.
func (r *reader) leave() {
	r.cancel()
	span, cancel := context.WithCancel(context.Background())
	r.span.Store(&span)
	r.cancel = cancel
}

// wait returns a context that ends when the current reading is to end.
func (r *reader) wait() context.Context {
	if span := r.span.Load(); span != nil {
		return *span
	}
	return r.life
}
