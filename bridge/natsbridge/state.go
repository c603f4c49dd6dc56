package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	goneTTL      = 24 * time.Hour // that a tombstone stays at least, for those who were away for less
	stateTries   = 8              // of one Send, when another server sends states of the same resource at the same time
	witnessEvery = time.Second    // between two looks for whether the states are still there
)

// states is what a sink that keeps states has beside.
type states struct {
	renewed chan struct{}

	mu      sync.Mutex
	witness string // a subject on which there must be a message
	newest  string // the next witness
	checked time.Time
}

// KeepsState reports whether the sink was made with Options.State.
func (s *Sink) KeepsState() bool { return s.options.State }

// Renewed gets a value when the sink has found a stream that isn't the one it knew, or that somebody has purged; the latter when something is sent.
func (s *Sink) Renewed() <-chan struct{} { return s.states.renewed }

func (s *states) tell() {
	select {
	case s.renewed <- struct{}{}:
	default:
	}
}

// due returns the witness if it is time to look for it.
func (s *states) due(now time.Time) (subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.witness == "" || now.Sub(s.checked).Abs() < witnessEvery {
		return ""
	}
	s.checked = now
	return s.witness
}

// seen has the newest message be the witness after one was found in its place, or wasn't.
func (s *states) seen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witness, s.newest = s.newest, ""
}

// sent notes where a message lies that doesn't go away by itself.
func (s *states) sent(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest = subject; s.witness == "" {
		s.witness, s.newest = subject, ""
	}
}

// sendState puts m in the place of what lies on its subject, if it is newer. It is nil, too, if it isn't; the receipt is then zero.
func (s *Sink) sendState(ctx, span context.Context, m bridge.Message) (jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.AckTimeout)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
	receipt, err := s.replace(ctx, span, m)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w within %v", ErrNoAck, s.options.AckTimeout)
	}
	return receipt, err
}

func (s *Sink) replace(ctx, span context.Context, m bridge.Message) (jetstream.PubAck, error) {
	if err := s.lookForWitness(ctx); err != nil {
		return jetstream.PubAck{}, err
	}
	for range stateTries {
		there, err := s.newer(ctx, m)
		if err != nil || there == nil {
			return jetstream.PubAck{}, err
		}
		receipt, err := s.keeper.publish(ctx, span, s.stateMessage(m, *there), s.options.AckTimeout)
		var api *jetstream.APIError
		if errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
			continue // somebody was quicker
		}
		if err == nil && !bridge.Gone(m.Header) {
			s.states.sent(m.Subject)
		}
		return receipt, err
	}
	return jetstream.PubAck{}, fmt.Errorf("natsbridge: %s: others have written there each time", m.Subject)
}

// newer returns the number of what lies on m's subject, 0 for nothing; nil if m isn't to replace it.
func (s *Sink) newer(ctx context.Context, m bridge.Message) (*uint64, error) {
	there, err := s.memory.handle().GetLastMsgForSubject(ctx, m.Subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return new(uint64), nil
	case err != nil:
		return nil, err
	}
	e, err := bridge.DecodeLetter(bridge.Letter{Header: there.Header, Data: there.Data})
	if err == nil && !bridge.Newer(m.Header, e.Header) {
		return nil, nil
	}
	return &there.Sequence, nil // what isn't a state of ours is replaced, too
}

// lookForWitness tells when what was there is there no more.
func (s *Sink) lookForWitness(ctx context.Context) error {
	subject := s.states.due(time.Now())
	if subject == "" {
		return nil
	}
	_, err := s.memory.handle().GetLastMsgForSubject(ctx, subject)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	s.states.seen()
	if err != nil {
		s.states.tell()
	}
	return nil
}

// stateMessage is m as the successor of number there. A repeat must not be dropped for its id: it may have been replaced, and be the newest again after a loss.
func (s *Sink) stateMessage(m bridge.Message, there uint64) *nats.Msg {
	header := bridge.WriteHeader(m.ContentType, m.Attributes)
	header[jetstream.ExpectedStreamHeader] = []string{s.options.Stream}
	header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(there, 10)}
	if bridge.Gone(m.Header) && s.memory.ttl() {
		header[jetstream.MsgTTLHeader] = []string{goneTTL.String()}
	}
	return &nats.Msg{Subject: m.Subject, Data: m.Data, Header: header}
}

var _ bridge.StateKeeper = (*Sink)(nil)
