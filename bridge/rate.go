package bridge

import (
	"sync"
	"time"
)

// rateSpan is how far a rate looks back, in seconds.
const rateSpan = 10

// rate counts events by the second.
type rate struct {
	now func() time.Time

	mu      sync.Mutex
	seconds [rateSpan + 1]struct {
		at int64 // Unix time
		n  int64
	}
}

func (r *rate) add() {
	at := r.now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.seconds[at%int64(len(r.seconds))]
	if s.at != at {
		s.at, s.n = at, 0
	}
	s.n++
}

// perSecond is the mean of the last ten seconds that are over.
func (r *rate) perSecond() float64 {
	at := r.now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := int64(0)
	for _, s := range r.seconds {
		if s.at < at && s.at >= at-rateSpan {
			n += s.n
		}
	}
	return float64(n) / rateSpan
}
