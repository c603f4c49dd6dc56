package bus

import "sync"

const (
	defaultTailEvents = 8192
	defaultTailBytes  = 16 << 20
	firstTail         = 64
)

// tail is the newest committed events in memory, without holes. Only the pump changes it; readers take what follows their position,
// if it is all there.
type tail struct {
	events, bytes int // that it may hold

	mu    sync.RWMutex
	ring  []*Record // a circular buffer; its size is a power of two
	head  int
	n     int
	size  int    // bytes, as Record.weight estimates them
	newer uint64 // the number that comes next
}

func newTail(o Options, last uint64) *tail {
	t := &tail{events: o.TailEvents, bytes: o.TailBytes, newer: last + 1}
	if t.events <= 0 {
		t.events = defaultTailEvents
	}
	if t.bytes <= 0 {
		t.bytes = defaultTailBytes
	}
	return t
}

// add appends the next event. If it isn't the next one, what was there before is given up, so that there is never a hole.
func (t *tail) add(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Seq != t.newer {
		t.empty()
	}
	if t.n == len(t.ring) && t.n < t.events {
		t.grow()
	}
	for t.n > 0 && (t.n == t.events || t.size+r.weight() > t.bytes) {
		t.drop()
	}
	t.ring[(t.head+t.n)&(len(t.ring)-1)] = r
	t.n++
	t.size += r.weight()
	t.newer = r.Seq + 1
}

// skip makes next the number that comes next.
func (t *tail) skip(next uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.empty()
	t.newer = next
}

func (t *tail) empty() {
	clear(t.ring)
	t.head, t.n, t.size = 0, 0, 0
}

func (t *tail) drop() {
	t.size -= t.ring[t.head].weight()
	t.ring[t.head] = nil
	t.head = (t.head + 1) & (len(t.ring) - 1)
	t.n--
}

func (t *tail) grow() {
	next := make([]*Record, max(firstTail, 2*len(t.ring)))
	k := copy(next, t.ring[t.head:])
	copy(next[k:], t.ring[:t.head])
	t.ring, t.head = next, 0
}

// after appends to into up to limit events that follow the position seq. whole is false if the first of them isn't there any more: then all
// come from the journal.
func (t *tail) after(seq uint64, limit int, into []*Record) (records []*Record, whole bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	first := t.newer - uint64(t.n)
	if seq+1 < first {
		return into, false
	}
	if seq+1 >= t.newer {
		return into, true
	}
	skip := int(seq + 1 - first)
	for i := skip; i < t.n && i < skip+limit; i++ {
		into = append(into, t.ring[(t.head+i)&(len(t.ring)-1)])
	}
	return into, true
}

// covers reports whether what follows the position seq is in memory, if there is anything.
func (t *tail) covers(seq uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return seq+1 >= t.newer-uint64(t.n)
}

// ends reports whether nothing is known that follows the position seq.
func (t *tail) ends(seq uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return seq+1 >= t.newer
}
