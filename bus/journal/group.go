package journal

import (
	"cmp"
	"errors"
	"runtime"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	// A group is committed when nobody waits to join it, and at the latest with so many members or after such a time.
	groupMembers = 512
	groupTime    = 5 * time.Millisecond
	// careFor is how many members get a savepoint after one has failed that had changed something.
	careFor = 256
	// maxTries is how often a member runs anew because a database had to choose between transactions, the first groupTries times with others.
	maxTries   = 10
	groupTries = 3
)

// group is the open transaction and whose work it holds: members that are done and whose callers wait for the outcome.
// It belongs to whoever has the turn.
type group struct {
	begun   bool // the transaction is open
	waited  bool // for, by callers in the foreground
	since   time.Time
	members []*waiter
	staged  []bus.Record // in the order of the members
}

// full: the next member begins another group.
func (g *group) full(after time.Duration) bool {
	return len(g.members) >= groupMembers || g.begun && time.Since(g.since) > after
}

// open begins the transaction.
func (j *Journal) open() error {
	if err := j.line.start(); err != nil {
		return err
	}
	j.group.begun, j.group.since = true, time.Now()
	return nil
}

// rollback ends the transaction and returns whose work has gone with it.
func (j *Journal) rollback() []*waiter {
	g := j.group
	j.group = group{}
	if g.begun {
		j.line.rollback()
	}
	return g.members
}

// gather is called by the first member of a group when nobody waits, and hands the turn on if somebody does after all: callers that have just been told of
// a commit come again as soon as they get a processor. It doesn't wait for them, it only lets run who can; and only if that brought somebody lately,
// or now and then to find out.
func (j *Journal) gather(w *waiter) bool {
	const findOut = 32 // groups
	if len(j.group.members) > 1 {
		j.crowd, j.asked = true, 0
		return false
	}
	if j.asked++; !j.crowd && j.asked < findOut {
		return false
	}
	runtime.Gosched()
	j.crowd, j.asked = true, 0
	if j.turns.handOn(w) {
		return true // and the group is somebody else's
	}
	j.crowd = false
	return false
}

// pass ends a turn: the next that waits joins the group; if there is nobody, the group is committed.
func (j *Journal) pass() {
	if !j.turns.handOn(nil) {
		j.finish()
	}
}

// finish commits the group, ends the turn, and tells everybody.
func (j *Journal) finish() {
	if len(j.group.members) == 0 {
		j.rollback()
		j.turns.give()
		return
	}
	err := j.commit()
	if err == nil || !j.group.begun || errors.Is(err, ErrOutcomeUnknown) {
		if g := &j.group; g.begun && !g.waited {
			j.turns.makeRoom(time.Since(g.since))
		}
		members := j.group.members
		j.group = group{}
		j.turns.give()
		tell(members, err)
		return
	}
	members := j.rollback()
	switch retry := errors.Is(err, ErrRetry) && members[0].tries < maxTries; {
	case retry || len(members) > 1:
		for _, w := range members {
			w.tries++
		}
		j.restart(members, !retry) // whose fault it was isn't known
	default:
		j.turns.give()
		tell(members, err)
	}
}

// commit writes what comes last in a transaction, and commits. It shows the bus what was recorded.
func (j *Journal) commit() error {
	g := &j.group
	if !g.begun {
		if len(g.staged) == 0 {
			return nil
		}
		if err := j.open(); err != nil {
			return err
		}
	}
	cursors, err := j.storeRides()
	if err != nil {
		return err
	}
	if err := j.record(g.staged); err != nil {
		return err
	}
	if err := j.line.commit(); err != nil {
		return err
	}
	j.tally.committed(g.members)
	j.rides.arrived(cursors)
	j.show(g.staged)
	return nil
}

// show hands the bus what was committed. Whoever calls it has the turn, so that the bus gets all in order.
func (j *Journal) show(records []bus.Record) {
	a := j.attachment.Load()
	switch {
	case a == nil || len(records) == 0:
	case a.Committed != nil:
		a.Committed(records)
	default:
		a.Wake(records[len(records)-1].Seq)
	}
}

// restart ends the turn and has members run again whose group was rolled back, together or each alone.
func (j *Journal) restart(members []*waiter, alone bool) {
	for _, w := range members {
		w.verdict = nil
		if alone || w.tries > groupTries {
			w.first, w.last = true, true
		}
	}
	j.turns.repeat(members)
	j.turns.give()
}

// tell lets callers go. An error is the commit's; a member that had failed before knows its own.
func tell(members []*waiter, err error) {
	for _, w := range members {
		w.err = cmp.Or(w.verdict, err)
		w.signals <- outcome
	}
}
