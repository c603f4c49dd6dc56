package journal

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// MemberOption configures one call of Do.
type MemberOption func(*member)

type member struct {
	background bool
	name       string
}

// Background: members whose callers wait go first; at least every fourth place is a background one's.
func Background() MemberOption { return func(m *member) { m.background = true } }

// Named says what the log calls the member if it takes long. Defaults to the name of its function.
func Named(name string) MemberOption { return func(m *member) { m.name = name } }

var errGoexit = errors.New("journal: the member ended its goroutine")

// Do runs fn as one member of the writer, on the caller's goroutine: all that it does with its Tx is committed together when it returns nil,
// and nothing of it otherwise. Do returns fn's error as it is; ctx.Err() if ctx ended before the turn came; ErrInWriter if ctx is a member's;
// ErrClosed; or what became of the commit. Once fn runs, ctx no longer has a say: the caller learns the true outcome.
func (j *Journal) Do(ctx context.Context, fn func(*Tx) error, opts ...MemberOption) error {
	if bus.InWriter(ctx, j) {
		return ErrInWriter
	}
	var m member
	for _, o := range opts {
		if o == nil {
			return errors.New("journal: nil is no MemberOption")
		}
		o(&m)
	}
	if err := j.turns.take(ctx, m.background); err != nil {
		return err
	}
	t := &Tx{j: j, ctx: bus.EnterWriter(ctx, j)}
	return t.run(fn, m.name)
}

// run calls fn and ends the member, however fn ends.
func (t *Tx) run(fn func(*Tx) error, name string) (err error) {
	watch := t.j.watch(t, fn, name)
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("journal: member: %w", &bus.PanicError{Value: v, Stack: debug.Stack()})
		} else if !returned {
			err = errGoexit
		}
		watch.Stop()
		err = t.end(err)
	}()
	err = fn(t)
	returned = true
	return err
}

// watch logs a member that takes a fifth of the limit and expires it at the limit.
func (j *Journal) watch(t *Tx, fn func(*Tx) error, name string) *time.Timer {
	return time.AfterFunc(j.limit/5, func() {
		if name == "" {
			name = runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
		}
		if t.over() {
			return
		}
		j.logger.Warn("a member of the writer holds everyone up", "member", name, "since", j.limit/5, "limit", j.limit)
		t.expireAfter(j.limit - j.limit/5)
	})
}

// expireAfter arms the limit. The timer is stopped by end.
func (t *Tx) expireAfter(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended == nil {
		t.limit = time.AfterFunc(d, t.expire)
	}
}

// expire rolls a member back that still runs and gives its turn away.
func (t *Tx) expire() {
	if !t.close(ErrMemberTooLong) {
		return
	}
	t.rollback()
	t.j.turns.give()
}

// end commits or rolls back, gives the turn away, and returns what the caller is told.
func (t *Tx) end(err error) error {
	if !t.close(ErrMemberEnded) {
		return tooLong(err)
	}
	if t.limit != nil {
		t.limit.Stop()
	}
	var last uint64
	if err == nil {
		last, err = t.commit()
	} else {
		t.rollback()
	}
	if a := t.j.attachment.Load(); last > 0 && a != nil {
		tell(a, t.staged)
	}
	t.j.turns.give()
	return err
}

// tell hands over what was committed. Whoever calls it has the turn, so that the bus gets all in order.
func tell(a *bus.Attachment, records []bus.Record) {
	if a.Committed != nil {
		a.Committed(records)
	} else {
		a.Wake(records[len(records)-1].Seq)
	}
}

// tooLong is what the caller of an expired member gets, whatever its function returned.
func tooLong(err error) error {
	if err == nil || errors.Is(err, ErrMemberTooLong) {
		return ErrMemberTooLong
	}
	return fmt.Errorf("%w: %w", ErrMemberTooLong, err)
}

// commit writes the staged events and commits; it returns the number of the last one, 0 if none is known to be committed.
func (t *Tx) commit() (last uint64, err error) {
	if t.lost == nil && t.unsure && !t.j.line.inTransaction() {
		t.lost = ErrTransactionLost
	}
	if t.lost != nil {
		t.rollback()
		return 0, t.lost
	}
	if len(t.staged) > 0 {
		if last, err = t.record(); err != nil {
			t.rollback()
			return 0, fmt.Errorf("journal: record events: %w", err)
		}
	}
	t.closeRows()
	if !t.begun {
		return 0, nil
	}
	if err := t.j.line.commit(); err != nil {
		return 0, err
	}
	return last, nil
}

func (t *Tx) rollback() {
	t.closeRows()
	if t.begun {
		t.j.line.rollback()
	}
}
