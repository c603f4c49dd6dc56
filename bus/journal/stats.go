package journal

import (
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
)

// tally counts what the writer does.
type tally struct{ commits, members, background, failed atomic.Uint64 }

// committed counts a transaction and the members in it, without those that had failed before.
func (t *tally) committed(members []*waiter) {
	all, background := uint64(0), uint64(0)
	for _, w := range members {
		if w.verdict != nil {
			continue
		}
		all++
		if w.background {
			background++
		}
	}
	t.commits.Add(1)
	t.members.Add(all)
	t.background.Add(background)
}

// WriterStats returns what the writer has done since Open, and who waits for it.
func (j *Journal) WriterStats() bus.WriterStats {
	s := bus.WriterStats{Commits: j.tally.commits.Load(), Members: j.tally.members.Load(), Background: j.tally.background.Load(), Failed: j.tally.failed.Load()}
	s.Waiting, s.WaitingBackground = j.turns.waiting()
	return s
}

var _ bus.WriterReporter = (*Journal)(nil)
