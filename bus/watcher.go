package bus

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// watcher looks for stalls. It has neither a goroutine nor a ticker: a worker that begins starts its timer, unless it runs already, and
// when nobody is at work, or those who are have been reported, it isn't started again. A handler that returns after its bound says so.
type watcher struct {
	bus     *Bus
	armed   atomic.Bool
	soonest atomic.Int64 // the lowest bound of all subscriptions, ns

	mu      sync.Mutex
	timer   *time.Timer
	looking chan struct{} // closed when the look that is being taken ends; nil: none is
	again   bool          // look once more
	stopped bool

	looks  atomic.Uint64          // taken so far
	stalls map[*Subscription]Slow // of who looks
}

func newWatcher(b *Bus) *watcher {
	w := &watcher{bus: b, stalls: make(map[*Subscription]Slow)}
	w.soonest.Store(int64(slowBound(b.opts)))
	return w
}

// work is called by each worker that begins.
func (w *watcher) work() {
	if !w.armed.Load() && w.armed.CompareAndSwap(false, true) {
		w.lookIn(time.Duration(w.soonest.Load()))
	}
}

// expect makes the watcher look often enough for a subscription's bound.
func (w *watcher) expect(bound time.Duration) {
	for {
		old := w.soonest.Load()
		if int64(bound) >= old {
			return
		}
		if w.soonest.CompareAndSwap(old, int64(bound)) {
			w.now()
			return
		}
	}
}

// now makes the watcher look at once.
func (w *watcher) now() {
	w.armed.Store(true)
	w.lookIn(0)
}

func (w *watcher) lookIn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped || d == math.MaxInt64:
	case w.timer == nil:
		w.timer = time.AfterFunc(d, w.look)
	default:
		w.timer.Reset(d)
	}
}

// look is what the timer runs. If a look is being taken another one follows it.
func (w *watcher) look() {
	if !w.begin() {
		return
	}
	for again := true; again; again = w.end() {
		w.armed.Store(false) // who begins from here on starts the timer
		if next := w.pass(); next > 0 {
			w.armed.Store(true)
			w.lookIn(next)
		}
	}
}

func (w *watcher) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || w.looking != nil {
		w.again = true
		return false
	}
	w.looking = make(chan struct{})
	return true
}

func (w *watcher) end() (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if again, w.again = w.again && !w.stopped, false; again {
		return true
	}
	close(w.looking)
	w.looking = nil
	return false
}

// pass looks at all subscriptions and returns when to look again, 0 for not before somebody begins.
func (w *watcher) pass() (next time.Duration) {
	w.looks.Add(1)
	for _, s := range w.bus.listed() {
		l := s.load()
		w.judge(s, l)
		if d := s.nextLook(l); d > 0 && (next == 0 || d < next) {
			next = d
		}
	}
	for s := range w.stalls { // those of closed clients are listed no more
		w.judge(s, s.load())
	}
	if next == 0 {
		return 0
	}
	return min(max(next, minSlow), time.Duration(w.soonest.Load()))
}

// judge reports the beginning and the end of a stall.
func (w *watcher) judge(s *Subscription, l load) {
	before, was := w.stalls[s]
	stall, is := s.slow(l)
	switch {
	case is && !was:
		w.stalls[s] = stall
		s.noteSlow(stall)
	case was && !is:
		delete(w.stalls, s)
		s.noteSlowOver(before)
	}
}

// stop ends the watcher, and waits for the look that is being taken. Stalls that have ended by then are reported.
func (w *watcher) stop(ctx context.Context) {
	looking := w.halt()
	if looking != nil {
		select {
		case <-looking:
		case <-ctx.Done():
			return
		}
	}
	if w.beginLast() {
		w.pass()
		w.end()
	}
}

func (w *watcher) halt() (looking <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
	return w.looking
}

// beginLast begins a look although the watcher is stopped.
func (w *watcher) beginLast() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looking != nil {
		return false
	}
	w.looking = make(chan struct{})
	return true
}
