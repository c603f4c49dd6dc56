package bus

// slot is an event in a queue.
type slot[T any] struct {
	news   *news[T] // nil: it was dropped
	life   uint64   // of news, which may be another event's when this one is done
	at     int64    // when it was queued, Unix ns
	ticket uint64   // of the reader that waits for it to be done; 0: none
	gap    *Gap     // what was dropped right before it
}

// header is the event's, if it is neither dropped nor done. Who calls it isn't the worker.
func (s *slot[T]) header() (Header, bool) {
	if s.news == nil || !s.news.hold(s.life) {
		return Header{}, false
	}
	defer s.news.release()
	return s.news.event.Header, true
}

// ring is a growing circular buffer; its size is a power of two.
type ring[T any] struct {
	buf  []slot[T]
	head int
	n    int
}

const firstRing = 4

// push returns the new last slot, which the caller overwrites.
func (r *ring[T]) push() *slot[T] {
	if r.n == len(r.buf) {
		r.grow()
	}
	r.n++
	return r.at(r.n - 1)
}

func (r *ring[T]) at(i int) *slot[T] { return &r.buf[(r.head+i)&(len(r.buf)-1)] }

// drop removes the first slot.
func (r *ring[T]) drop() {
	*r.at(0) = slot[T]{}
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
}

func (r *ring[T]) grow() {
	next := make([]slot[T], max(firstRing, 2*len(r.buf)))
	k := copy(next, r.buf[r.head:])
	copy(next[k:], r.buf[:r.head])
	r.buf, r.head = next, 0
}

// reset empties the ring and lets go of what it held.
func (r *ring[T]) reset() {
	if end := r.head + r.n; end <= len(r.buf) {
		clear(r.buf[r.head:end])
	} else {
		clear(r.buf[r.head:])
		clear(r.buf[:end-len(r.buf)])
	}
	r.head, r.n = 0, 0
}
