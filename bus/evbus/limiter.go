package evbus

import (
	"sync"
	"time"
)

// logEvery is how often one thing is logged.
const logEvery = 10 * time.Second

// limiter lets one log line through in a while and counts the others.
type limiter struct {
	mu      sync.Mutex
	next    time.Time
	skipped uint64
}

func (l *limiter) allow(now time.Time) (skipped uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.next) {
		l.skipped++
		return 0, false
	}
	skipped, l.skipped, l.next = l.skipped, 0, now.Add(logEvery)
	return skipped, true
}
