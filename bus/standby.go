package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// tenure is a durable subscription's right to run here, on a journal that several servers share.
type tenure struct {
	away atomic.Bool // it runs on another server, or may

	mu     sync.Mutex
	lease  Lease  // nil: there is none, or none is needed
	holder string // who has it while we are away
}

// lost is closed when the lease is; nil without one.
func (t *tenure) lost() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lease == nil {
		return nil
	}
	return t.lease.Lost()
}

// over reports whether the subscription mustn't go on here.
func (t *tenure) over() bool {
	select {
	case <-t.lost():
		return true
	default:
		return t.away.Load()
	}
}

// begin is the beginning, or the next one.
func (t *tenure) begin(l Lease) {
	t.mu.Lock()
	t.lease, t.holder = l, ""
	t.mu.Unlock()
	t.away.Store(false)
}

// end gives the lease back, if there is one.
func (t *tenure) end(ctx context.Context) error {
	t.away.Store(true)
	t.mu.Lock()
	l := t.lease
	t.lease = nil
	t.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.Release(ctx)
}

func (t *tenure) heldBy(holder string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holder = holder
}

// runner is the server that a subscription on standby waits for.
func (t *tenure) runner() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.holder
}

// tryLease gets the lease if nobody has it; else the subscription begins on standby.
func (s *Subscription) tryLease(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := s.waitLease(ctx, func(holder string) {
		s.tenure.heldBy(holder)
		s.tenure.away.Store(true)
		cancel()
	})
	if s.tenure.away.Load() && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// waitLease waits for the lease.
func (s *Subscription) waitLease(ctx context.Context, busy func(holder string)) error {
	leaser, ok := s.bus.journal.(Leaser)
	if !ok {
		return nil
	}
	l, err := leaser.Lease(ctx, s.durable, busy)
	if err != nil {
		return fmt.Errorf("bus: lease of %q: %w", s.durable, err)
	}
	s.tenure.begin(l)
	return nil
}

// endTenure gives the lease back when the subscription has ended, so that another server takes over at once.
func (s *Subscription) endTenure() {
	ctx, cancel := context.WithTimeout(s.bus.base, subscribeTime)
	defer cancel()
	s.noteJournal(s.tenure.end(ctx))
}

// standBy waits until the subscription may run here, and makes the reader begin anew where the cursor is; false: it was closed meanwhile.
func (r *journalReader) standBy() bool {
	s := r.sub
	r.caution.leave()
	s.noteJournal(s.tenure.end(s.bus.base)) // lanes now pass over what is queued
	for _, idle := range s.inner.flushed() {
		select {
		case <-idle:
		case <-s.closing:
			return false
		}
	}
	r.progress.leave()
	s.bus.log.Info("bus: durable subscription stands by", s.attrs(nil, "runs_at", s.tenure.runner())...)
	for backoff := firstBackoff; ; backoff = min(2*backoff, longestPause) {
		at, err := s.takeOver(r.start)
		if err == nil {
			r.restart(at)
			s.bus.log.Info("bus: durable subscription takes over", s.attrs(nil, "after", at)...)
			return true
		}
		if s.isClosing() {
			return false
		}
		s.noteJournal(err)
		if !s.pauseFor(backoff) {
			return false
		}
	}
}

// takeOver waits for the lease and returns the position that was stored last; start for a name that is new.
func (s *Subscription) takeOver(start uint64) (at uint64, err error) {
	ctx, cancel := context.WithCancel(s.bus.base)
	defer cancel()
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := s.waitLease(ctx, s.tenure.heldBy); err != nil {
		return 0, err
	}
	at, known, err := s.bus.journal.Cursor(ctx, s.durable)
	if err == nil && !known {
		at, err = start, s.bus.journal.SetCursor(ctx, s.durable, start)
	}
	if err == nil && s.parking != nil {
		err = s.parking.load(ctx)
	}
	if err != nil {
		return 0, errors.Join(err, s.tenure.end(s.bus.base))
	}
	return at, nil
}

// restart lets the reader go on after a position that another server has reached.
func (r *journalReader) restart(at uint64) {
	r.settleAhead()
	r.page = nil
	r.mu.Lock()
	r.scanned, r.missing = at, Gap{}
	r.mu.Unlock()
	r.progress.restart(at)
	r.cursor.restart(at)
}

// leave lets those go who wait for a position: another server is to reach it.
func (p *progress) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiters {
		close(w.done)
	}
	p.waiters = nil
}

// restart forgets what was begun, none of which is at work any more.
func (p *progress) restart(at uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first += uint64(len(p.entries))
	p.entries, p.done, p.missing = nil, at, 0
}

// restart begins with a position that is stored.
func (c *cursor) restart(at uint64) {
	c.timer.Stop()
	c.armed, c.want, c.saved = false, 0, at
}
