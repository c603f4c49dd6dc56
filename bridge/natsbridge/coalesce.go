package natsbridge

import (
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	coalesceRoom = 1 << 20         // bytes that may wait to be written; who has more waits
	closeTime    = 2 * time.Second // for what is still to be written when a connection is closed
)

// coalescing is a connection whose writes lie together until everybody who is about to write has done so. nats.go's flusher runs right after
// the publish that wakes it, and so writes messages one by one, though a hundred lanes have one ready each; a system call and a wake-up of the
// broker's reader each cost more than a message. On an idle processor nothing waits.
type coalescing struct {
	net.Conn
	work chan struct{} // holds a token: something lies there, or close was called
	done chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	room    sync.Cond
	pending []byte
	closed  bool
	err     error // why nothing can be written any more
}

func coalesce(c net.Conn) *coalescing {
	w := &coalescing{Conn: c, work: make(chan struct{}, 1), done: make(chan struct{})}
	w.room.L = &w.mu
	go w.write()
	return w
}

// Write leaves p to the writer. An error is that of an earlier write.
func (w *coalescing) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && !w.closed && len(w.pending) >= coalesceRoom {
		w.room.Wait()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.closed:
		return 0, net.ErrClosed
	}
	w.pending = append(w.pending, p...)
	w.wake()
	return len(p), nil
}

func (w *coalescing) wake() {
	select {
	case w.work <- struct{}{}:
	default:
	}
}

// write writes what lies there, until the connection is closed or fails, which the reader of the connection is told by its end.
func (w *coalescing) write() {
	defer close(w.done)
	var spare []byte
	for range w.work {
		runtime.Gosched() // those who are about to write go first
		w.mu.Lock()
		batch, closed := w.pending, w.closed
		w.pending = spare[:0]
		w.room.Broadcast()
		w.mu.Unlock()
		if len(batch) > 0 {
			if _, err := w.Conn.Write(batch); err != nil {
				w.fail(err)
				return
			}
		}
		if closed {
			return
		}
		if spare = batch; cap(spare) > 2*coalesceRoom {
			spare = nil
		}
	}
}

func (w *coalescing) fail(err error) {
	w.mu.Lock()
	w.err = err
	w.room.Broadcast()
	w.mu.Unlock()
	_ = w.Conn.Close()
}

// Close writes what lies there, for a short time at most, and closes the connection.
func (w *coalescing) Close() error {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.room.Broadcast()
	w.mu.Unlock()
	if first {
		_ = w.Conn.SetWriteDeadline(time.Now().Add(closeTime)) // if it fails the connection is closed already
		w.wake()
	}
	<-w.done
	return w.Conn.Close()
}
