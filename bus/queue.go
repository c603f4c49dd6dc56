package bus

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// outcome of a push.
type outcome uint8

const (
	queued    outcome = iota
	replaced          // coalesced with an older one
	displaced         // queued, and the oldest was dropped
	dropped
	full    // try again when there is room
	refused // the queue is closed
)

// closedAt is a place where no batch has a slot.
const closedAt = math.MaxInt64 / 2

// holds is 1 if the queue has the event now.
func (o outcome) holds() int64 {
	if o <= displaced {
		return 1
	}
	return 0
}

// queue is one lane's bounded inbox. Publishers push under mu; the lane's worker takes everything at once and claims slot by slot,
// so neither side holds the lock for longer than a copy. A slot that is claimed is handled or dropped, exactly once.
type queue[T any] struct {
	capacity  int
	policy    policyKind
	roomEvery int64         // how many events a fast worker takes before it tells those who wait for room
	wake      chan struct{} // for a waiting worker; capacity 1
	waiters   atomic.Int32  // pushers that wait for room
	gapped    atomic.Bool   // holes isn't empty
	batch     ring[T]       // being worked off; slots belong to who claims them. Changed by the worker under mu
	from      uint64        // number of the batch's first event

	_      cacheLine    // what the worker changes with each event lies apart from what publishers change
	next   atomic.Int64 // the batch's first unclaimed slot
	number uint64       // of the event that was claimed last; the worker's own
	_      cacheLine

	mu       sync.Mutex
	in       ring[T]
	pushed   uint64 // how many ever were put into in
	waiting  bool
	closed   bool
	draining bool
	claimed  int64 // what next was when it was closed
	index    map[coalesceKey]uint64
	room     chan struct{} // closed when a slot was claimed while somebody waits
	holes    []hole        // before events that wait, in their order
	tail     Gap           // dropped after the newest event
	flushers []flusher
}

// cacheLine keeps what two processors write from lying in one line of their caches.
type cacheLine [64]byte

// hole is what was dropped right before an event, which is told by how many were put into in before it.
type hole struct {
	number uint64
	gap    Gap
}

type coalesceKey struct {
	typ string
	subject
}

func newQueue[T any](capacity int, p policyKind) *queue[T] {
	q := &queue[T]{capacity: capacity, policy: p, roomEvery: int64(max(1, min(capacity/4, roomChunk))), wake: make(chan struct{}, 1)}
	if p == policyCoalesce {
		q.index = make(map[coalesceKey]uint64)
	}
	return q
}

// push queues n. now is Unix ns. drop says whether a full queue may lose something; if not, or if the policy is to wait, the outcome is full.
func (q *queue[T]) push(n *news[T], now int64, drop bool) outcome {
	q.mu.Lock()
	if q.closed || q.draining {
		q.mu.Unlock()
		return refused
	}
	if q.index != nil && q.replace(n) {
		q.mu.Unlock()
		return replaced
	}
	result := queued
	if q.in.n+q.batch.n >= q.capacity && q.depth() >= q.capacity { // looking at next takes it from the worker's processor
		if !drop {
			q.mu.Unlock()
			return full
		}
		if q.policy == policyDropNewest || q.policy == policyBlock {
			q.tail.add(n.event.Seq, time.Unix(0, now).UTC())
			q.mu.Unlock()
			return dropped
		}
		if q.dropOldest(now) {
			result = displaced
		}
	}
	q.put(n, now)
	wake := q.waiting
	q.waiting = false
	q.mu.Unlock()
	if wake {
		q.wake <- struct{}{} // never blocks: who waits has emptied it
	}
	return result
}

func (q *queue[T]) put(n *news[T], now int64) {
	if e := &n.event; q.index != nil && (e.Kind != "" || e.ResourceID != "") {
		q.index[coalesceKey{e.Type, subject{e.Kind, e.ResourceID}}] = q.pushed
	}
	if q.tail.Count > 0 {
		q.holes = append(q.holes, hole{number: q.pushed, gap: q.tail})
		q.tail = Gap{}
		q.gapped.Store(true)
	}
	q.in.push(slot[T]{news: n})
	q.pushed++
}

// replace puts n in the place of a queued event of the same type and resource.
func (q *queue[T]) replace(n *news[T]) bool {
	at, ok := q.index[coalesceKey{n.event.Type, subject{n.event.Kind, n.event.ResourceID}}]
	if ok {
		s := q.in.at(int(at - (q.pushed - uint64(q.in.n))))
		s.news.release()
		s.news = n
	}
	return ok
}

// depth counts the events that nobody has claimed. q.mu is held.
func (q *queue[T]) depth() int {
	d := q.in.n
	if q.batch.n > 0 {
		d += int(max(int64(q.batch.n)-q.next.Load(), 0))
	}
	return d
}

// dropOldest claims the oldest event, from the batch if it still has one; false: there is room, the worker was faster. q.mu is held.
func (q *queue[T]) dropOldest(now int64) bool {
	when := time.Unix(0, now).UTC()
	q.gapped.Store(true)
	for i := q.next.Load(); i < int64(q.batch.n); i = q.next.Load() {
		if q.next.CompareAndSwap(i, i+1) { // never past the end: only the worker goes there
			q.lose(q.batch.at(int(i)), q.from+uint64(i), when)
			return true
		}
	}
	if q.in.n < q.capacity {
		return false
	}
	q.forget(q.in.at(0))
	q.lose(q.in.at(0), q.pushed-uint64(q.in.n), when)
	q.in.drop()
	return true
}

// lose drops the event of a slot. It is told before the one that follows, with what was dropped right before it; the worker may
// be about to tell what was dropped before an earlier one.
func (q *queue[T]) lose(s *slot[T], number uint64, when time.Time) {
	i := 0
	for i < len(q.holes) && q.holes[i].number < number {
		i++
	}
	if i == len(q.holes) || q.holes[i].number > number {
		q.holes = slices.Insert(q.holes, i, hole{})
	}
	h := &q.holes[i]
	h.number = number + 1
	h.gap.add(s.news.event.Seq, when)
	if i+1 < len(q.holes) && q.holes[i+1].number == h.number {
		h.gap.merge(q.holes[i+1].gap)
		q.holes = slices.Delete(q.holes, i+1, i+2)
	}
	s.news.release()
	s.news = nil
}

// forget takes the oldest event of in out of the index. q.mu is held.
func (q *queue[T]) forget(s *slot[T]) {
	if q.index != nil {
		e := &s.news.event
		delete(q.index, coalesceKey{e.Type, subject{e.Kind, e.ResourceID}})
	}
}

// take waits for events and makes them the batch; false when the queue is closed, or drained. Only the worker calls it, when its batch is done.
func (q *queue[T]) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		q.batch.reset()
		q.release(q.pushed - uint64(q.in.n))
		switch {
		case q.closed:
			return false
		case q.in.n > 0:
			q.fill()
			q.next.Store(0)
			return true
		case q.draining:
			return false
		}
		q.waiting = true
		q.mu.Unlock()
		<-q.wake
		q.mu.Lock()
	}
}

// fill moves what waits into the batch: all of it, or one event if those that wait may still be replaced.
func (q *queue[T]) fill() {
	q.from = q.pushed - uint64(q.in.n)
	if q.index == nil {
		q.in, q.batch = q.batch, q.in
		return
	}
	q.batch.push(*q.in.at(0))
	q.forget(q.in.at(0))
	q.in.drop()
}

// claim returns the next event of the batch, nil at its end or when the queue was closed. Only the worker calls it.
// A fast one tells those who wait for room now and then; waking them for each event would cost more than handling it.
func (q *queue[T]) claim(fast bool) *news[T] {
	i := q.next.Add(1) - 1
	if i >= int64(q.batch.n) {
		return nil
	}
	if q.waiters.Load() > 0 && (!fast || i%q.roomEvery == 0 || i == int64(q.batch.n)-1) {
		q.signalRoom()
	}
	q.number = q.from + uint64(i)
	return q.batch.at(int(i)).news
}

// takeGap returns what was dropped before the event that was claimed last.
func (q *queue[T]) takeGap() (gap Gap, ok bool) {
	if !q.gapped.Load() {
		return gap, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.holes) > 0 && q.holes[0].number <= q.number {
		gap.merge(q.holes[0].gap)
		q.holes = q.holes[1:]
	}
	q.gapped.Store(len(q.holes) > 0)
	return gap, gap.Count > 0
}

// miss notes events that never came, to be announced before the next that does.
func (q *queue[T]) miss(g Gap) {
	q.mu.Lock()
	q.tail.merge(g)
	q.mu.Unlock()
}

// close ends the queue: nothing is claimed after it has returned. It reports how many events were left.
func (q *queue[T]) close() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := 0
	if !q.closed {
		left = q.depth()
		q.claimed = q.next.Swap(closedAt)
	}
	q.closed = true
	q.release(math.MaxUint64)
	q.wakeAll()
	return left
}

// ended reports whether the queue was closed. The worker asks right before it calls the handler.
func (q *queue[T]) ended() bool { return q.next.Load() >= closedAt }

// drain ends the queue when it is empty.
func (q *queue[T]) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.draining = true
	q.wakeAll()
}

// wakeAll wakes the worker and those who wait for room. q.mu is held.
func (q *queue[T]) wakeAll() {
	if q.waiting {
		q.waiting = false
		q.wake <- struct{}{}
	}
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}
