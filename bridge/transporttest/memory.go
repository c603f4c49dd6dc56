package transporttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

var (
	// ErrAway: the test has said so.
	ErrAway = errors.New("transporttest: the broker is away")
	// ErrAckLost: the letter is kept, but its sender isn't told.
	ErrAckLost = errors.New("transporttest: the acknowledgement is lost")
	// ErrCrashed: Receive has ended after handle and before the acknowledgement, as a process that dies there.
	ErrCrashed = errors.New("transporttest: died before the acknowledgement")
	// ErrClosed: the transport is closed.
	ErrClosed = errors.New("transporttest: closed")
)

const (
	firstPause = 10 * time.Millisecond
	longPause  = time.Second
)

// Memory is a bridge.Transport and the broker behind it. All methods may be called concurrently.
type Memory struct {
	mu       sync.Mutex
	stream   []bridge.Delivery
	ids      map[string]bool
	durables map[string]*durable
	sent     []bridge.Letter // by Send
	changed  chan struct{}   // closed at the next change
	closed   bool

	away     bool
	maxSize  int // of Data; 0: none
	lostAcks int // of the next publishes
	crashes  int // of the next acknowledgements
}

// durable is the place of a receiver.
type durable struct {
	place int           // in the stream: what lies before it is acknowledged
	again map[int]bool  // what is delivered once more though it is acknowledged
	tries map[int]int   // by place in the stream
	turn  chan struct{} // held by the Receive that runs under the name
}

// New returns a broker that holds nothing.
func New() *Memory {
	return &Memory{ids: map[string]bool{}, durables: map[string]*durable{}, changed: make(chan struct{})}
}

// Publish keeps l.
func (m *Memory) Publish(_ context.Context, l bridge.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuse(l); err != nil {
		return err
	}
	m.keep(l)
	if m.lostAcks > 0 {
		m.lostAcks--
		return ErrAckLost
	}
	return nil
}

// Send keeps l as Publish does; Sent returns what came this way.
func (m *Memory) Send(_ context.Context, l bridge.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuse(l); err != nil {
		return err
	}
	m.keep(l)
	m.sent = append(m.sent, clone(l))
	return nil
}

// refuse expects m.mu to be held.
func (m *Memory) refuse(l bridge.Letter) error {
	switch {
	case m.closed:
		return ErrClosed
	case m.away:
		return ErrAway
	case l.Subject == "":
		return &bridge.RejectedError{ID: l.ID, Err: errors.New("no subject")}
	case m.maxSize > 0 && len(l.Data) > m.maxSize:
		return &bridge.RejectedError{ID: l.ID, Subject: l.Subject, Err: fmt.Errorf("%d bytes, at most %d are allowed", len(l.Data), m.maxSize)}
	}
	return nil
}

// keep expects m.mu to be held. What has the ID of a letter that is there is dropped.
func (m *Memory) keep(l bridge.Letter) {
	if l.ID != "" && m.ids[l.ID] {
		return
	}
	m.ids[l.ID] = true
	m.stream = append(m.stream, bridge.Delivery{Letter: clone(l), Seq: uint64(len(m.stream) + 1), Time: time.Now()})
	m.change()
}

// change wakes who waits. It expects m.mu to be held.
func (m *Memory) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Ready waits until the broker isn't away.
func (m *Memory) Ready(ctx context.Context) error {
	return m.until(ctx, func() bool { return !m.away })
}

// Health is ErrAway, ErrClosed or nil.
func (m *Memory) Health(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case m.away:
		return ErrAway
	}
	return nil
}

// Close ends each Receive. What is in the stream stays there for Letters.
func (m *Memory) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.change()
	return nil
}

// until waits for a condition, which is called with m.mu held.
func (m *Memory) until(ctx context.Context, condition func() bool) error {
	for {
		m.mu.Lock()
		met, closed, changed := condition(), m.closed, m.changed
		m.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case closed:
			return ErrClosed
		case met:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Letters returns all that the stream holds, in its order.
func (m *Memory) Letters() []bridge.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.stream)
}

// Sent returns what came by Send, in its order.
func (m *Memory) Sent() []bridge.Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sent)
}

// Until waits until the stream holds n letters, and returns them.
func (m *Memory) Until(ctx context.Context, n int) ([]bridge.Delivery, error) {
	err := m.until(ctx, func() bool { return len(m.stream) >= n })
	return m.Letters(), err
}

func clone(l bridge.Letter) bridge.Letter {
	l.Header, l.Data = maps.Clone(l.Header), slices.Clone(l.Data)
	for key, values := range l.Header {
		l.Header[key] = slices.Clone(values)
	}
	return l
}

// matches says whether a subject is one of a pattern's: "*" is one token, ">" the rest.
func matches(pattern, subject string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range want {
		if token == ">" {
			return len(have) > i
		}
		if i >= len(have) || token != "*" && token != have[i] {
			return false
		}
	}
	return len(want) == len(have)
}

var _ bridge.Transport = (*Memory)(nil)
