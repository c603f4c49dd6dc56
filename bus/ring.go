package bus

// slot is an event in a queue: one word, because a hundred queues write and read it for each publish.
type slot[T any] struct {
	news *news[T] // nil: it was dropped
}

// ring is a growing circular buffer; its size is a power of two.
type ring[T any] struct {
	buf  []slot[T]
	head int
	n    int
}

const firstRing = 4

func (r *ring[T]) push(s slot[T]) {
	if r.n == len(r.buf) {
		r.grow()
	}
	r.n++
	*r.at(r.n - 1) = s
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
