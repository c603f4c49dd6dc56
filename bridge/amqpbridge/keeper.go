package amqpbridge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
	lasting      = 10 * time.Second // a session that was as long as this was of use
)

// keep holds a session and the gate until ctx ends.
func (s *Sink) keep(ctx context.Context) {
	servers := s.options.servers()
	for turn, failed := 0, 0; ; turn++ {
		useful, err := s.serve(ctx, servers[turn%len(servers)])
		if ctx.Err() != nil {
			return
		}
		s.gate.shut(err)
		if failed++; useful {
			failed = 0
		}
		if !sleep(ctx, backoff(failed)) {
			return
		}
	}
}

// serve connects, and returns when the connection has ended; useful says whether anything came of it.
func (s *Sink) serve(ctx context.Context, server string) (useful bool, err error) {
	l, err := s.dial(ctx, server)
	if err != nil {
		return false, fmt.Errorf("%w: %s: %w", ErrAway, redacted(server), err)
	}
	to, err := begin(l, s.options, &s.suspects)
	if err != nil {
		l.end()
		return false, err
	}
	defer to.end()
	began := time.Now()
	l.admit(to)
	select {
	case <-ctx.Done():
		l.retire(ErrClosed)
	case <-to.pipe.done:
		err = to.pipe.fault
		s.log.Warn("connection to the broker lost", "server", redacted(server), "error", err)
	}
	return to.pipe.useful.Load() || time.Since(began) > lasting, err
}

// backoff doubles up to maxBackoff; half of it is chance, so that servers that lost a broker together don't come back together.
func backoff(failed int) time.Duration {
	d := maxBackoff
	if failed < 6 {
		d = min(maxBackoff, firstBackoff<<failed)
	}
	return d/2 + rand.N(d/2)
}

// sleep is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
