package listeners

import (
	"container/list"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// refusalKey is what one record stands for at a time.
type refusalKey struct {
	kind, id string
	trigger  fsm.Trigger
	state    fsm.State
}

// memory remembers when what was recorded last, of so many keys; those that weren't seen for longest are forgotten first.
type memory struct {
	size  int
	order *list.List // of *remembered; the one seen last in front
	byKey map[refusalKey]*list.Element
}

type remembered struct {
	key   refusalKey
	at    time.Time // of the last record; zero: none stands
	count int64     // refusals that no record has counted yet
}

func newMemory(size int) *memory {
	return &memory{size: size, order: list.New(), byKey: make(map[refusalKey]*list.Element)}
}

// note counts a refusal and says whether it's due to be recorded now, for how many.
func (m *memory) note(key refusalKey, now time.Time, every time.Duration) (count int64, due bool) {
	r := m.get(key)
	r.count++
	age := now.Sub(r.at)
	if !r.at.IsZero() && age >= 0 && age < every { // a clock that was set back doesn't silence it
		return 0, false
	}
	count, r.count, r.at = r.count, 0, now
	return count, true
}

// undo makes a record that failed due again.
func (m *memory) undo(key refusalKey, count int64) {
	r := m.get(key)
	r.at, r.count = time.Time{}, r.count+count
}

func (m *memory) get(key refusalKey) *remembered {
	if e := m.byKey[key]; e != nil {
		m.order.MoveToFront(e)
		return e.Value.(*remembered)
	}
	if m.order.Len() >= m.size {
		oldest := m.order.Back()
		delete(m.byKey, oldest.Value.(*remembered).key)
		m.order.Remove(oldest)
	}
	r := &remembered{key: key}
	m.byKey[key] = m.order.PushFront(r)
	return r
}
