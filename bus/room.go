package bus

// roomChunk is how many events a fast worker takes at most before it tells those who wait for room; of small queues it is a quarter.
const roomChunk = 64

// signalRoom tells all who wait for room to look again.
func (q *queue[T]) signalRoom() {
	q.mu.Lock()
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
	q.mu.Unlock()
}

// roomChan returns a channel that is closed when there may be room again, nil if there is some now. Call leaveRoom after waiting.
func (q *queue[T]) roomChan() <-chan struct{} {
	q.waiters.Add(1)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.draining || q.depth() < q.capacity {
		q.waiters.Add(-1)
		return nil
	}
	if q.room == nil {
		q.room = make(chan struct{})
	}
	return q.room
}

func (q *queue[T]) leaveRoom() { q.waiters.Add(-1) }
