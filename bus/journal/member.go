package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cloudbus-go/cloudbus/bus"
)

// MemberOption configures one call of Do.
type MemberOption func(*member)

type member struct {
	background bool
	name       string
}

// Background: members whose callers wait go first; at least every fourth place is a background one's, or, of those that take long, a fourth of the time.
func Background() MemberOption { return func(m *member) { m.background = true } }

// Named says what the log calls the member if it takes long. Defaults to the name of its function.
func Named(name string) MemberOption { return func(m *member) { m.name = name } }

var (
	errGoexit = errors.New("journal: the member ended its goroutine")
	// errWaits: the caller waits for the outcome, or for another turn.
	errWaits = errors.New("journal: the outcome isn't known yet")
)

// Do runs fn as one member of the writer, on the caller's goroutine: all that it does with its Tx is committed together when it returns nil,
// and nothing of it otherwise. Members that wait at the same time share a transaction; fn runs again, from its beginning, if that has to be repeated
// because of another one, and what counts is the last time.
//
// Do returns fn's error as it is; ctx.Err() if ctx ended before the turn came; ErrInWriter if ctx is a member's; ErrClosed; or what became of the commit.
// While fn runs, ctx has no say. If it has ended after that and the commit doesn't come within a fifth of Options.MemberLimit, because another member of
// the transaction takes long, Do returns ErrOutcomeUnknown; nobody is told a wrong outcome.
func (j *Journal) Do(ctx context.Context, fn func(*Tx) error, opts ...MemberOption) error {
	err := j.do(ctx, fn, opts)
	if err != nil {
		j.tally.failed.Add(1)
	}
	return err
}

func (j *Journal) do(ctx context.Context, fn func(*Tx) error, opts []MemberOption) error {
	if bus.InWriter(ctx, j) {
		return ErrInWriter
	}
	w := newWaiter()
	for _, o := range opts {
		if o == nil {
			return errors.New("journal: nil is no MemberOption")
		}
		o(&w.member)
	}
	if err := j.turns.take(ctx, w); err != nil {
		return err
	}
	marked := bus.EnterWriter(ctx, j)
	for {
		if err := ctx.Err(); err != nil {
			j.pass()
			return err
		}
		t := &Tx{j: j, ctx: marked, w: w, fn: fn}
		if err := t.run(); err != errWaits { //nolint:errorlint // never wrapped, and asking a foreign error may panic
			return err
		}
		switch j.turns.wait(ctx, w) {
		case outcome:
			return w.settle()
		case left:
			return ctx.Err()
		}
	}
}

// run calls the function and ends the member, however the function ends.
func (t *Tx) run() (err error) {
	t.j.watch.begin(t)
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = t.end(fmt.Errorf("journal: member: %w", &bus.PanicError{Value: v, Stack: debug.Stack()}), false)
		} else if !returned {
			err = t.end(errGoexit, false)
		}
	}()
	err = t.fn(t)
	ask(err)
	returned = true
	return t.end(err, true)
}

// ask panics if the methods of err do, as those of a nil pointer that was returned as an error mostly do: that is the member's own fault then.
func ask(err error) {
	if err != nil {
		_ = err.Error()
		_ = errors.Is(err, errGoexit) // looks at all that it wraps
	}
}

// end makes a member whose function has returned a part of the group, or leaves it out, and passes the turn on.
// It returns what the caller is told, or errWaits.
func (t *Tx) end(err error, repeatable bool) error {
	if !t.close(ErrMemberEnded) {
		return tooLong(err)
	}
	ran := t.j.watch.end()
	if t.w.background {
		t.j.turns.took(ran)
	}
	t.closeRows()
	if err == nil {
		err = t.sound()
	}
	if err != nil {
		return t.leaveOut(err, repeatable)
	}
	return t.join()
}

// expire ends a member that still runs.
func (t *Tx) expire() {
	if !t.close(ErrMemberTooLong) {
		return
	}
	if t.w.background {
		t.j.turns.took(t.j.limit)
	}
	t.closeRows()
	_ = t.leaveOut(ErrMemberTooLong, false)
}

// tooLong is what the caller of an expired member gets, whatever its function returned.
func tooLong(err error) error {
	if err == nil || errors.Is(err, ErrMemberTooLong) {
		return ErrMemberTooLong
	}
	return fmt.Errorf("%w: %w", ErrMemberTooLong, err)
}

// join makes the member a part of the group.
func (t *Tx) join() error {
	j := t.j
	if !t.entered && len(t.staged) == 0 { // it has neither seen nor done anything
		j.pass()
		return nil
	}
	g := &j.group
	if len(g.staged) == 0 {
		g.staged = t.staged
	} else {
		g.staged = append(g.staged, t.staged...)
	}
	return t.wait()
}

// leaveOut takes a member that failed out of its group so that the others don't notice. If there are others its caller learns of the failure when
// they are committed, since it may rest on what they have written.
func (t *Tx) leaveOut(err error, repeatable bool) error {
	j, w := t.j, t.w
	others := len(j.group.members) > 0
	lost := t.lost != nil && j.line.lost()
	switch {
	case repeatable && w.tries < maxTries && (errors.Is(err, ErrRetry) || errors.Is(t.lost, ErrRetry)):
		w.tries++
		j.restart(append(j.rollback(), w), false)
		return errWaits
	case !t.entered:
		j.pass()
		return err
	case others && t.undo():
		if !repeatable {
			j.pass()
			return err
		}
		w.verdict = err
		return t.wait()
	case others && lost && repeatable: // it may be the fault of any of them
		j.restart(append(j.rollback(), w), true)
		return errWaits
	}
	if others {
		j.careful = careFor
	}
	if others && repeatable && w.tries < groupTries { // with a savepoint, so that it is told when those are committed on whose writes it may rest
		w.tries++
		j.restart(append(j.rollback(), w), false)
		return errWaits
	}
	j.restart(j.rollback(), lost)
	return err
}

// undo takes back what the member has changed, and reports whether the transaction stands without it.
func (t *Tx) undo() bool {
	switch {
	case t.saved:
		return t.j.line.undo()
	case t.changed || t.lost != nil:
		return false
	}
	return t.j.line.inTransaction()
}

// wait makes the caller wait for the outcome of the group, and passes the turn on.
func (t *Tx) wait() error {
	j, g := t.j, &t.j.group
	g.members = append(g.members, t.w)
	g.waited = g.waited || !t.w.background
	if t.w.last || g.full(j.groupTime) || !j.turns.handOn(t.w) && !j.gather(t.w) {
		j.finish()
	}
	return errWaits
}
