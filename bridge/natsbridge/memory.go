package natsbridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go/jetstream"
)

// memory is what a sink knows of the stream: which one it is, and its newest acknowledgement.
type memory struct {
	mu      sync.Mutex
	stream  string
	created time.Time
	last    uint64 // number of the newest message the stream ever had, when it was looked at
	newest  bridge.Mark
	found   jetstream.Stream
	expires bool // messages can have a time to live
}

// find notes the stream that messages will go to; anew: it isn't the one before.
func (m *memory) find(stream jetstream.Stream) (anew bool) {
	info := stream.CachedInfo()
	m.mu.Lock()
	defer m.mu.Unlock()
	anew = m.found != nil && !m.created.Equal(info.Created)
	m.found, m.expires = stream, info.Config.AllowMsgTTL
	m.stream, m.created, m.last = info.Config.Name, info.Created.UTC(), info.State.LastSeq
	return anew
}

// handle is the stream, nil before it was found.
func (m *memory) handle() jetstream.Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.found
}

func (m *memory) ttl() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.expires
}

// acknowledged notes that the stream has taken a message, or had it already, as number seq.
// A state that isn't newer than the one there has no number.
func (m *memory) acknowledged(seq uint64, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq == 0 {
		return
	}
	if seq > m.newest.Seq || m.newest.Created != m.created {
		m.newest = bridge.Mark{Stream: m.stream, Created: m.created, Seq: seq, ID: id}
	}
}

func (m *memory) mark() (newest bridge.Mark, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest, m.newest.Seq > 0
}

// refresh asks how far the stream is, if what is said to be in it came after it was looked at.
func (m *memory) refresh(ctx context.Context, mark bridge.Mark) error {
	m.mu.Lock()
	stream, behind := m.found, mark.Stream == m.stream && mark.Created.Equal(m.created) && mark.Seq > m.last
	m.mu.Unlock()
	if !behind {
		return nil
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return &StreamError{Stream: mark.Stream, Err: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.created.Equal(info.Created) {
		m.last = info.State.LastSeq
	}
	return nil
}

// lost reports whether what is said to be in the stream can't be there, going by what the stream was when it was looked at.
func (m *memory) lost(mark bridge.Mark) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return mark.Stream != m.stream || !mark.Created.Equal(m.created) || mark.Seq > m.last
}

// forget has the next acknowledgement be the newest, if mark was it.
func (m *memory) forget(mark bridge.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == mark {
		m.newest = bridge.Mark{}
	}
}

// Mark is the place in the stream of the newest message that JetStream has acknowledged.
func (s *Sink) Mark() (newest bridge.Mark, ok bool) { return s.memory.mark() }

// Holds reports whether the stream still is the one that had the message, and has either that message under that number, or none any more:
// a number that the stream has given is never given again, unless the stream has lost its end.
func (s *Sink) Holds(ctx context.Context, m bridge.Mark) (bool, error) {
	holds, err := s.holds(ctx, m)
	if err == nil && !holds {
		s.memory.forget(m)
	}
	return holds, err
}

func (s *Sink) holds(ctx context.Context, m bridge.Mark) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if err := s.memory.refresh(ctx, m); err != nil {
		return false, err
	}
	if s.memory.lost(m) {
		return false, nil
	}
	message, err := s.memory.handle().GetMsg(ctx, m.Seq)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return true, nil
	case err != nil:
		return false, &StreamError{Stream: s.options.Stream, Err: err}
	}
	if !s.options.State {
		return message.Header.Get(jetstream.MsgIDHeader) == m.ID, nil
	}
	e, err := bridge.DecodeLetter(bridge.Letter{Header: message.Header, Data: message.Data})
	return err == nil && e.ID.String() == m.ID, nil // what isn't ours isn't it
}

// OnConnect has check called each time when the stream was found to be right, before anything is sent. It is called before Open.
func (s *Sink) OnConnect(check func(ctx context.Context) error) { s.keeper.settle = check }

var _ bridge.Checkpointer = (*Sink)(nil)
