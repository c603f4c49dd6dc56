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

	mu      sync.Mutex
	change  sync.Cond // of what follows, for those who wait for room or for the end
	pending []byte
	spare   []byte
	writing bool // somebody writes, or is about to
	closed  bool
	err     error // why nothing can be written any more
}

func coalesce(c net.Conn) *coalescing {
	w := &coalescing{Conn: c}
	w.change.L = &w.mu
	return w
}

// Write leaves p to a goroutine that ends when there is nothing more: nats.go leaves some connections to the garbage collector. An error is that of
// an earlier write.
func (w *coalescing) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && !w.closed && len(w.pending) >= coalesceRoom {
		w.change.Wait()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.closed:
		return 0, net.ErrClosed
	}
	w.pending = append(w.pending, p...)
	if !w.writing && len(w.pending) > 0 {
		w.writing = true
		go w.write()
	}
	return len(p), nil
}

// write writes what lies there. If that fails it closes the connection, of which the connection's reader learns.
func (w *coalescing) write() {
	for {
		runtime.Gosched() // those who are about to write go first
		batch := w.take()
		if batch == nil {
			return
		}
		if _, err := w.Conn.Write(batch); err != nil {
			_ = w.Conn.Close()
			w.fail(err)
			return
		}
	}
}

// take takes what lies there; nil: nothing does, and the writing has ended.
func (w *coalescing) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.change.Broadcast()
	if len(w.pending) == 0 {
		w.writing = false
		return nil
	}
	batch := w.pending
	w.pending = w.spare[:0]
	if w.spare = batch; cap(batch) > 2*coalesceRoom {
		w.spare = nil
	}
	return batch
}

func (w *coalescing) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.writing, w.pending = err, false, nil
	w.change.Broadcast()
}

// Close writes what lies there, for a short time at most, and closes the connection.
func (w *coalescing) Close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		w.change.Broadcast()
		_ = w.Conn.SetWriteDeadline(time.Now().Add(closeTime)) // if it fails the connection is closed already
	}
	for w.writing {
		w.change.Wait()
	}
	w.mu.Unlock()
	return w.Conn.Close()
}
