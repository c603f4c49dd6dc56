package journal

import (
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
)

// tally counts what the writer does.
type tally struct{ commits, members, failed atomic.Uint64 }

// committed counts a transaction and the members in it, without those that had failed before.
func (t *tally) committed(members []*waiter) {
	n := uint64(0)
	for _, w := range members {
		if w.verdict == nil {
			n++
		}
	}
	t.commits.Add(1)
	t.members.Add(n)
}

// WriterStats returns what the writer has done since Open, and who waits for it.
func (j *Journal) WriterStats() bus.WriterStats {
	s := bus.WriterStats{Commits: j.tally.commits.Load(), Members: j.tally.members.Load(), Failed: j.tally.failed.Load()}
	s.Waiting, s.WaitingBackground = j.turns.waiting()
	return s
}

var _ bus.WriterReporter = (*Journal)(nil)
