package bridge

import (
	"sync"
	"time"
)

// trouble remembers the messages that have failed and are tried again.
type trouble struct {
	now func() time.Time

	mu      sync.Mutex
	failing map[string]failure // by id
	since   time.Time          // since when there has been one
}

type failure struct {
	since time.Time
	err   error // the latest
}

// begin notes a failed attempt; true if everything was well before.
func (t *trouble) begin(id string, err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failing == nil {
		t.failing = map[string]failure{}
	}
	first := len(t.failing) == 0
	f, again := t.failing[id]
	if !again {
		f.since = t.now()
	}
	f.err = err
	t.failing[id] = f
	if first {
		t.since = f.since
	}
	return first
}

// end forgets a message; true if it was the last one that failed, with the time since the first did.
func (t *trouble) end(id string) (after time.Duration, last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, failed := t.failing[id]; !failed {
		return 0, false
	}
	delete(t.failing, id)
	if len(t.failing) > 0 {
		return 0, false
	}
	return t.now().Sub(t.since), true
}

// oldest returns the failure that has lasted longest; err is nil if there is none.
func (t *trouble) oldest() (since time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.failing {
		if err == nil || f.since.Before(since) {
			since, err = f.since, f.err
		}
	}
	return since, err
}
