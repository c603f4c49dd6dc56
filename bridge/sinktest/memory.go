package sinktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

var (
	// ErrAway: the broker in memory was stopped.
	ErrAway = errors.New("sinktest: the broker is away")
	// ErrClosed: the sink isn't open.
	ErrClosed = errors.New("sinktest: the sink is closed, or was never opened")
)

// Memory is a broker in memory, for tests. The zero value takes everything. All methods may be called concurrently.
type Memory struct {
	MaxBytes int     // of a message's data. Defaults to without end.
	Repeats  Repeats // what becomes of a message whose id it has. Defaults to Kept.
	State    bool    // Its sinks keep states: one message for each subject, the newest (bridge.StateKeeper). Defaults to no.

	mu       sync.Mutex
	received []Received
	ids      map[string]bool
	away     chan struct{} // closed when the broker comes back; nil while it is there
	hanging  chan struct{} // closed when it acknowledges again; nil while it does
	states   map[string]bus.Header
	renewed  chan struct{}
}

// Broker returns the broker as the suite wants it.
func (m *Memory) Broker() *Broker {
	b := &Broker{
		New:      func() (bridge.Sink, error) { return m.Sink(), nil },
		Received: func(context.Context) ([]Received, error) { return m.Received(), nil },
		Stop:     func() error { m.Stop(); return nil },
		Start:    func() error { m.Start(); return nil },
		Hang:     func() (func(), error) { return m.Hang(), nil },
		Repeats:  m.Repeats,
	}
	if m.State {
		b.Lose = func() error { m.Lose(); return nil }
	}
	if m.MaxBytes > 0 {
		b.TooLarge = m.MaxBytes + 1
	}
	return b
}

// Sink returns a sink of the broker, which isn't open yet.
func (m *Memory) Sink() bridge.Sink { return &memorySink{broker: m} }

// Received returns all that was acknowledged, in order.
func (m *Memory) Received() []Received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.received)
}

// Stop takes the broker away.
func (m *Memory) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away == nil {
		m.away = make(chan struct{})
	}
}

// Start has it come back.
func (m *Memory) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		close(m.away)
		m.away = nil
	}
}

// Hang has the broker acknowledge nothing until resume is called.
func (m *Memory) Hang() (resume func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hanging := make(chan struct{})
	m.hanging = hanging
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.hanging = nil
		close(hanging)
	})
}

// Lose takes away all that was received.
func (m *Memory) Lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received, m.ids, m.states = nil, nil, nil
	select {
	case m.renewals() <- struct{}{}:
	default:
	}
}

// renewals is the channel that tells of losses. m.mu is held.
func (m *Memory) renewals() chan struct{} {
	if m.renewed == nil {
		m.renewed = make(chan struct{}, 1)
	}
	return m.renewed
}

// gates returns what a send, or one who waits, has to wait for.
func (m *Memory) gates() (away, hanging <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away, m.hanging
}

// take keeps a message. It is asked under the lock whether the broker is there, so that nothing is taken after Stop has returned.
func (m *Memory) take(r Received, h bus.Header) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return ErrAway
	}
	if m.State {
		m.keep(r, h)
		return nil
	}
	if m.Repeats == Dropped && m.ids[r.ID] {
		return nil
	}
	if m.ids == nil {
		m.ids = map[string]bool{}
	}
	m.ids[r.ID] = true
	m.received = append(m.received, r)
	return nil
}

// keep has a state take the place of the one before, if it is newer. m.mu is held.
func (m *Memory) keep(r Received, h bus.Header) {
	if there, ok := m.states[r.Subject]; ok && !bridge.Newer(h, there) {
		return
	}
	if m.states == nil {
		m.states = map[string]bus.Header{}
	}
	m.states[r.Subject] = h
	m.received = append(slices.DeleteFunc(m.received, func(old Received) bool { return old.Subject == r.Subject }), r)
}

// memorySink is a Sink of a Memory.
type memorySink struct {
	broker *Memory

	mu   sync.Mutex
	open bool
}

func (s *memorySink) set(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = open
}

// Open implements bridge.Opener.
func (s *memorySink) Open(context.Context, *slog.Logger) error { s.set(true); return nil }

// Close implements bridge.Closer.
func (s *memorySink) Close(context.Context) error { s.set(false); return nil }

// Health implements bridge.Healther.
func (s *memorySink) Health(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		return ErrClosed
	}
	if away, _ := s.broker.gates(); away != nil {
		return ErrAway
	}
	return nil
}

// Ready implements bridge.Readier.
func (s *memorySink) Ready(ctx context.Context) error {
	for {
		err := s.Health(ctx)
		if err == nil {
			return nil
		}
		var back <-chan struct{}
		if errors.Is(err, ErrAway) {
			if back, _ = s.broker.gates(); back == nil {
				continue
			}
		}
		select {
		case <-back:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Send implements bridge.Sink.
func (s *memorySink) Send(ctx context.Context, m bridge.Message) error {
	if err := errors.Join(ctx.Err(), s.Health(ctx)); err != nil {
		return err
	}
	if limit := s.broker.MaxBytes; limit > 0 && len(m.Data) > limit {
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: fmt.Errorf("sinktest: %d bytes of data, the most is %d", len(m.Data), limit)}
	}
	if _, hanging := s.broker.gates(); hanging != nil {
		select {
		case <-hanging:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.broker.take(Received{
		ID: m.ID, Subject: m.Subject, ContentType: m.ContentType, Attributes: slices.Clone(m.Attributes), Data: bytes.Clone(m.Data),
	}, m.Header)
}

// KeepsState implements bridge.StateKeeper.
func (s *memorySink) KeepsState() bool { return s.broker.State }

// Renewed implements bridge.StateKeeper.
func (s *memorySink) Renewed() <-chan struct{} {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	return s.broker.renewals()
}

var (
	_ bridge.Opener   = (*memorySink)(nil)
	_ bridge.Readier  = (*memorySink)(nil)
	_ bridge.Healther = (*memorySink)(nil)
	_ bridge.Closer   = (*memorySink)(nil)

	_ bridge.StateKeeper = (*memorySink)(nil)
)
