package status

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// pace is how long a transaction of reports is to hold the writer, and how many reports it has.
type pace struct {
	span               time.Duration
	least, first, most int
}

var (
	// alone: nobody else writes, or hardly; many share a commit. The time is that of writing them, without the commit.
	alone = pace{3 * time.Millisecond, 32, 64, 256}
	// beside others who wait to write, and for whom this is the time that they wait longer at worst. It is that of all, with the commit.
	beside = pace{500 * time.Microsecond, 2, 4, 64}
)

// others is from how many of other writers' transactions on, in the last second or so, a transaction is one beside others.
const others = 3

// sizer finds out how many reports fit into a transaction. All but latest is guarded by Ingest.applying.
type sizer struct {
	alone, beside int // reports of the next one; 0: the first
	shared        bool

	counted uint64    // of other writers
	heat    float64   // those of the last second, fading
	at      time.Time // when that was

	latest atomic.Int64 // for whoever wants to know
}

// next returns how many are to be taken, with the writer being as it is.
func (s *sizer) next(w bus.WriterStats, now time.Time) int {
	n := w.Members - w.Background
	if !s.at.IsZero() {
		s.heat = s.heat*math.Exp(-now.Sub(s.at).Seconds()) + float64(n-s.counted)
	}
	s.counted, s.at = n, now
	s.shared = s.heat >= others
	size, p := s.current()
	if *size == 0 {
		*size = p.first
	}
	s.latest.Store(int64(*size))
	return *size
}

func (s *sizer) current() (size *int, p pace) {
	if s.shared {
		return &s.beside, beside
	}
	return &s.alone, alone
}

// took adapts the number after a transaction of n, by half at most.
func (s *sizer) took(n int, d time.Duration) {
	size, p := s.current()
	if n < p.least {
		return // the rest of a batch: what it took says little
	}
	fits := p.most
	if d > 0 {
		fits = int(min(int64(n)*int64(p.span)/int64(d), int64(p.most)))
	}
	*size = min(max(fits, *size/2, p.least), max(*size+*size/2, p.least+1), p.most)
}

// stopwatch measures a transaction of shots: from its first First to its last, or to its end.
type stopwatch struct{ began, wrote time.Time }

// on has shots measured.
func (w *stopwatch) on(shots []resources.Shot) []resources.Shot {
	if len(shots) == 0 {
		return shots
	}
	before := func(on int, do func()) {
		first := shots[on].First
		shots[on].First = func(tx resources.Tx, c resources.Change, why error) error {
			do()
			return first(tx, c, why)
		}
	}
	before(0, func() { w.began = time.Now() })
	before(len(shots)-1, func() { w.wrote = time.Now() })
	return shots
}

// measured is called when the shots' transaction has ended.
func (s *sizer) measured(n int, w *stopwatch) {
	switch {
	case n == 0 || w.began.IsZero():
	case s.shared:
		s.took(n, time.Since(w.began))
	default:
		s.took(n, w.wrote.Sub(w.began))
	}
}
