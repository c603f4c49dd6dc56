package natsbridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
)

// connected returns both ends of a TCP connection.
func connected(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if here, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = there.Close() })
	return here, there
}

// What several write at once arrives whole, each writer's in its order, also what was written just before the end.
func TestCoalescingLosesNothing(t *testing.T) {
	const writers, lines = 8, 2000
	here, there := connected(t)
	c, _ := natsbridge.Coalesce(here)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range lines {
				line := fmt.Appendf(nil, "%d %d\n", w, n)
				if got, err := c.Write(line); err != nil || got != len(line) {
					t.Errorf("wrote %d of %d: %v", got, len(line), err)
				}
			}
		})
	}
	go func() {
		all.Wait()
		_ = c.Close()
	}()
	text, err := io.ReadAll(there)
	if err != nil {
		t.Fatal(err)
	}
	next := [writers]int{}
	for line := range bytes.Lines(text) {
		var w, n int
		if _, err := fmt.Sscanf(string(line), "%d %d\n", &w, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if n != next[w] {
			t.Fatalf("writer %d: line %d came, want %d", w, n, next[w])
		}
		next[w]++
	}
	for w, n := range next {
		if n != lines {
			t.Errorf("writer %d: %d lines came, want %d", w, n, lines)
		}
	}
}

// stuck is a connection that takes nothing until it is closed.
type stuck struct {
	net.Conn
	writing chan struct{} // holds a token for each write that has begun
	closed  chan struct{}
	once    sync.Once
}

func (s *stuck) Write([]byte) (int, error) {
	s.writing <- struct{}{}
	<-s.closed
	return 0, os.ErrClosed
}

func (s *stuck) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.Conn.Close()
}

func TestCoalescingHoldsNoMoreThanItsRoom(t *testing.T) {
	here, _ := connected(t)
	s := &stuck{Conn: here, writing: make(chan struct{}, 1), closed: make(chan struct{})}
	c, pending := natsbridge.Coalesce(s)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-s.writing
	chunk := make([]byte, natsbridge.CoalesceRoom/4)
	ended := make(chan error)
	go func() {
		for {
			if _, err := c.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
	}()
	eventually(t, func() error {
		if n := pending(); n < natsbridge.CoalesceRoom {
			return fmt.Errorf("%d bytes wait", n)
		}
		return nil
	})
	select {
	case err := <-ended:
		t.Fatalf("the writer didn't wait: %v", err)
	default:
	}
	_ = s.Close() // the broker is gone
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the writer that waited got %v, want what the connection said", err)
	}
	if n := pending(); n > 2*natsbridge.CoalesceRoom {
		t.Errorf("%d bytes lie there", n)
	}
	if _, err := c.Write([]byte("y")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a later write got %v", err)
	}
	_ = c.Close()
}

func TestCoalescingFailureEndsTheReader(t *testing.T) {
	here, there := connected(t)
	c, _ := natsbridge.Coalesce(here)
	if err := there.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := io.ReadAll(c)
		read <- err
	}()
	_ = there.Close() // with a reset
	for {
		if _, err := c.Write([]byte("x")); err != nil {
			break
		}
	}
	<-read
	if err := c.Close(); err == nil {
		t.Error("the connection was open after a write had failed")
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("a closed connection takes bytes")
	}
}
