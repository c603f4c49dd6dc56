package resources

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Actions reads a page of the actions that have no end yet, in order of ID, which is that of scheduling. next is the After of the next
// page, zero at the end. Errors: *InvalidError for a limit; ErrNoActions; what the store says.
func (e *Engine) Actions(ctx context.Context, q ActionQuery) (open []OpenAction, next bus.ID, err error) {
	s, err := e.actionStore()
	if err != nil {
		return nil, next, err
	}
	switch {
	case q.Limit == 0:
		q.Limit = defaultLimit
	case q.Limit < 0 || q.Limit > maxLimit:
		return nil, next, &InvalidError{Field: "limit", Reason: fmt.Sprintf("%d is not from 1 to %d", q.Limit, maxLimit)}
	}
	page := q.Limit
	q.Limit++
	if open, err = s.Actions(ctx, q); err != nil {
		return nil, next, fmt.Errorf("resources: open actions: %w", err)
	}
	if len(open) > page {
		open = open[:page]
		next = open[page-1].ID
	}
	return open, next, nil
}

// CloseActions closes the open actions whose process is gone as failed (FailureAbandoned), and records the ends that couldn't be recorded when
// they were due. It returns how many it has closed. On a database that belongs to one process all actions that an earlier process left
// open are abandoned. On one that several servers share they are once their server is closed, or hasn't answered for the length of a lease by
// the database's clock; any server closes them. Run calls it at once and then as often as needed; it is here for those who don't Run.
// Errors: ErrNoActions; ErrInWriter; what the store says.
func (e *Engine) CloseActions(ctx context.Context) (closed int, err error) {
	s, err := e.actionStore()
	if err != nil {
		return 0, err
	}
	if bus.InWriter(ctx, s.Journal()) {
		return 0, ErrInWriter
	}
	late, err := e.closeLate(ctx)
	gone, err2 := e.closeAbandoned(ctx, s)
	return late + gone, errors.Join(err, err2)
}

func (e *Engine) closeAbandoned(ctx context.Context, s ActionStore) (closed int, err error) {
	for {
		page, err := s.AbandonedActions(ctx, reportAtOnce)
		if err != nil {
			return closed, fmt.Errorf("resources: abandoned actions: %w", err)
		}
		if len(page) == 0 {
			return closed, nil
		}
		n := 0
		err = e.inActionTx(ctx, e.inBackground, func(tx ActionTx) (err error) {
			n, err = e.abandon(tx, page)
			return err
		})
		if err != nil {
			return closed, fmt.Errorf("resources: abandoned actions: %w", err)
		}
		if closed += n; n == 0 || len(page) < reportAtOnce {
			return closed, nil
		}
	}
}

// abandon closes those of some actions whose owners are still gone.
func (e *Engine) abandon(tx ActionTx, page []OpenAction) (closed int, err error) {
	gone := map[string]bool{}
	for _, row := range page {
		if _, asked := gone[row.Owner]; !asked {
			if gone[row.Owner], err = tx.ActionOwnerGone(row.Owner); err != nil {
				return 0, err
			}
		}
		if !gone[row.Owner] {
			continue
		}
		a := action{e, row}
		err := a.recordEnd(tx, a.ended(errAbandoned))
		switch {
		case errors.Is(err, ErrNotFound): // it has come to an end meanwhile
		case err != nil:
			return 0, err
		default:
			closed++
		}
	}
	return closed, nil
}

// errAbandoned is the failure of an action whose process is gone.
var errAbandoned = errors.New("the server stopped")

// maxLate is how many ends wait for being recorded, at most.
const maxLate = 10_000

// lateEnds are the ends that couldn't be recorded when they were due.
type lateEnds struct {
	wake chan struct{} // holds a token: there is one more

	mu   sync.Mutex
	ends map[bus.ID]lateEnd
}

type lateEnd struct {
	action action
	event  Acted
}

func newLateEnds() lateEnds {
	return lateEnds{wake: make(chan struct{}, 1), ends: map[bus.ID]lateEnd{}}
}

// add keeps an end; false if there are too many.
func (l *lateEnds) add(a action, ev Acted) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ends) >= maxLate {
		return false
	}
	l.ends[a.row.ID] = lateEnd{a, ev}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

func (l *lateEnds) all() []lateEnd {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []lateEnd
	for _, end := range l.ends {
		all = append(all, end)
	}
	return all
}

func (l *lateEnds) remove(id bus.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, id)
}

// closeLate records what wasn't when it was due. What isn't open any more was recorded after all, or closed by others.
func (e *Engine) closeLate(ctx context.Context) (closed int, err error) {
	for _, end := range e.late.all() {
		err := end.action.tryEnd(ctx, end.event)
		if err != nil && !errors.Is(err, ErrActionClosed) {
			return closed, err
		}
		if err == nil {
			closed++
		}
		e.late.remove(end.action.row.ID)
	}
	return closed, nil
}

// tendActions closes what is abandoned or late until ctx ends.
func (e *Engine) tendActions(ctx context.Context) {
	s, err := e.actionStore()
	if err != nil {
		return
	}
	for {
		nap := s.ActionsAbandonedAfter() / 2
		closed, err := e.CloseActions(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			nap = retryAfter
			e.log.ErrorContext(ctx, "can't close actions", "error", err, "again_in", nap)
		case closed > 0:
			e.log.WarnContext(ctx, "closed actions whose server is gone, or whose end couldn't be recorded before", "actions", closed)
		}
		var due <-chan time.Time
		if nap > 0 {
			due = time.After(nap)
		}
		select {
		case <-due:
		case <-e.late.wake:
		case <-ctx.Done():
			return
		}
	}
}
