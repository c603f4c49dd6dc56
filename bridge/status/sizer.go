package status

import (
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
)

// A transaction of reports is to hold the writer for about so long: whoever wants to write meanwhile waits for it.
const (
	memberTime  = 3 * time.Millisecond
	leastAtOnce = 32
	mostAtOnce  = 256
	firstAtOnce = 64
)

// sizer finds out how many reports fit into a transaction.
type sizer struct{ n atomic.Int64 }

func (s *sizer) next() int {
	if n := s.n.Load(); n > 0 {
		return int(n)
	}
	return firstAtOnce
}

// timed has the transaction of the shots measured: from its first First to its last.
func (s *sizer) timed(shots []resources.Shot) []resources.Shot {
	if len(shots) < leastAtOnce {
		return shots
	}
	var began time.Time
	before := func(on int, do func()) {
		first := shots[on].First
		shots[on].First = func(tx resources.Tx, c resources.Change, why error) error {
			do()
			return first(tx, c, why)
		}
	}
	before(0, func() { began = time.Now() })
	before(len(shots)-1, func() { s.took(len(shots), time.Since(began)) })
	return shots
}

// took adapts the number, by half at most.
func (s *sizer) took(n int, d time.Duration) {
	fits := int64(mostAtOnce)
	if d > 0 {
		fits = int64(n) * int64(memberTime) / int64(d)
	}
	now := int64(s.next())
	s.n.Store(min(max(fits, now/2, leastAtOnce), now+now/2, mostAtOnce))
}
