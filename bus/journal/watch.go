package journal

import (
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"time"
)

// watch looks after the one member that runs: over a fifth of the limit it is named in the log, at the limit it ends.
// One timer serves all members; quick ones don't touch it.
type watch struct {
	limit  time.Duration
	logger *slog.Logger

	mu    sync.Mutex
	tx    *Tx // that runs; nil: none does
	since time.Time
	named bool
	armed bool
	timer *time.Timer
}

// begin watches a member that has the turn.
func (w *watch) begin(t *Tx) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tx, w.since, w.named = t, time.Now(), false
	switch {
	case w.armed:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(w.limit/5, w.look)
	default:
		w.timer.Reset(w.limit / 5)
	}
	w.armed = true
}

// end returns how long the member ran.
func (w *watch) end() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tx = nil
	return time.Since(w.since)
}

// stop ends the timer; it is set again by the next member.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil && w.timer.Stop() {
		w.armed = false
	}
}

func (w *watch) look() {
	if t := w.tick(); t != nil {
		t.expire()
	}
}

// tick sets the timer to the next moment at which something has to be done, and returns the member whose time is over.
func (w *watch) tick() *Tx {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.armed = w.tx != nil; !w.armed {
		return nil
	}
	ran := time.Since(w.since)
	if ran >= w.limit {
		t := w.tx
		w.tx, w.armed = nil, false
		return t
	}
	due := w.limit / 5
	if ran >= due {
		if !w.named {
			w.named = true
			w.logger.Warn("a member of the writer holds everyone up", "member", w.tx.title(), "since", due, "limit", w.limit)
		}
		due = w.limit
	}
	w.timer.Reset(due - ran)
	return nil
}

// title is what the log calls a member.
func (t *Tx) title() string {
	if t.w.name != "" {
		return t.w.name
	}
	return runtime.FuncForPC(reflect.ValueOf(t.fn).Pointer()).Name()
}
