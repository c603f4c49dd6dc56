package bus

// flusher waits until all that was pushed before it is done.
type flusher struct {
	target uint64
	done   chan struct{}
}

// release lets those flushers go whose events are done. q.mu is held.
func (q *queue[T]) release(done uint64) {
	if len(q.flushers) == 0 {
		return
	}
	keep := q.flushers[:0]
	for _, f := range q.flushers {
		if f.target <= done {
			close(f.done)
		} else {
			keep = append(keep, f)
		}
	}
	clear(q.flushers[len(keep):])
	q.flushers = keep
}

// flushed returns a channel that is closed when all that is queued now is done.
func (q *queue[T]) flushed() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	done := make(chan struct{})
	if q.closed || q.waiting && q.in.n == 0 {
		close(done)
		return done
	}
	q.flushers = append(q.flushers, flusher{target: q.pushed, done: done})
	return done
}
