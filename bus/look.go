package bus

// state is what inspection wants to know: how many wait, and since when the oldest does (Unix ns).
func (q *queue[T]) state() (depth int, oldest int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, 0 // what is left won't be handled
	}
	depth = q.depth()
	for i := q.next.Load(); i < int64(q.batch.n); i = q.next.Load() {
		if at, ok := q.offeredAt(i); ok {
			return depth, at
		}
	}
	if q.in.n > 0 {
		oldest = q.in.at(0).news.at
	}
	return depth, oldest
}

// offeredAt is when the event of a slot of the batch was offered, if the worker still hasn't claimed it; else it may be another event by now. q.mu is held.
func (q *queue[T]) offeredAt(i int64) (at int64, ok bool) {
	n := q.batch.at(int(i)).news
	if !n.sheet.hold() {
		return 0, false
	}
	if ok = q.next.Load() == i; ok {
		at = n.at
	}
	n.release()
	return at, ok
}

// atHand is the header of the event that the worker is at, or of the first that waits.
func (q *queue[T]) atHand() Header {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h, ok := q.claimedHeader(); ok {
		return h
	}
	if q.in.n == 0 {
		return Header{}
	}
	return q.in.at(0).news.event.Header
}

// claimedHeader is the header of the event that was claimed last, if the worker still is at it. q.mu is held.
func (q *queue[T]) claimedHeader() (h Header, ok bool) {
	seen := q.next.Load()
	last := seen
	if q.closed {
		last = q.claimed
	}
	if last > int64(q.batch.n) || q.closed && seen != closedAt {
		return h, false
	}
	for i := last - 1; i >= 0; i-- {
		n := q.batch.at(int(i)).news
		if n == nil {
			continue
		}
		if !n.sheet.hold() {
			return h, false
		}
		if ok = q.next.Load() == seen; ok { // the worker hadn't let go of it when we got hold of the sheet
			h = n.event.Header
		}
		n.release()
		return h, ok
	}
	return h, false
}
