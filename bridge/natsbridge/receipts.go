package natsbridge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// receipts brings JetStream's acknowledgements to those who wait for them: one subscription for all publishers of a connection, and slots that
// are used again. nats.go's futures do the same with two channels, a timer and an entry in a table for each message.
type receipts struct {
	conn   *nats.Conn
	prefix string // of the subjects that are answered to
	answer *nats.Subscription

	mu    sync.Mutex
	slots []*slot
	free  []*slot
}

// slot is where one publisher waits at a time.
type slot struct {
	address string // prefix and number
	timer   *time.Timer
	receipt chan *nats.Msg // room for one

	mu      sync.Mutex
	turn    uint64 // which message of the slot it is; what answers an earlier one comes too late
	waiting bool
}

// collect begins to receive on a connection.
func collect(conn *nats.Conn) (*receipts, error) {
	r := &receipts{conn: conn, prefix: conn.NewInbox() + "."}
	var err error
	if r.answer, err = conn.Subscribe(r.prefix+"*", r.take); err != nil {
		return nil, err
	}
	return r, r.answer.SetPendingLimits(-1, -1) // as many as are under way, which the bridge bounds
}

func (r *receipts) close() { _ = r.answer.Unsubscribe() } // it fails on a connection that is closed

// publish sends m and waits for its acknowledgement, for a time at most, and no longer than ctx and span last. Errors: ErrNoAck, ctx's, span's cause,
// jetstream.ErrNoStreamResponse, *jetstream.APIError, what the client says. It sets m's reply subject.
func (r *receipts) publish(ctx, span context.Context, m *nats.Msg, patience time.Duration) (jetstream.PubAck, error) {
	if err := checkSubject(m.Subject); err != nil {
		return jetstream.PubAck{}, err
	}
	s := r.slot()
	defer r.giveBack(s)
	m.Reply = s.next()
	if err := r.conn.PublishMsg(m); err != nil {
		return jetstream.PubAck{}, err
	}
	s.timer.Reset(patience)
	defer s.timer.Stop()
	select {
	case answer := <-s.receipt:
		return readReceipt(answer)
	case <-s.timer.C:
		return jetstream.PubAck{}, fmt.Errorf("%w within %v", ErrNoAck, patience)
	case <-span.Done():
		return jetstream.PubAck{}, context.Cause(span)
	case <-ctx.Done():
		return jetstream.PubAck{}, ctx.Err()
	}
}

func (r *receipts) slot() *slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.free) - 1; last >= 0 {
		s := r.free[last]
		r.free = r.free[:last]
		return s
	}
	s := &slot{address: r.prefix + strconv.Itoa(len(r.slots)) + "-", timer: time.NewTimer(time.Hour), receipt: make(chan *nats.Msg, 1)}
	s.timer.Stop()
	r.slots = append(r.slots, s)
	return s
}

func (r *receipts) giveBack(s *slot) {
	s.mu.Lock()
	s.waiting = false
	select {
	case <-s.receipt: // it came when nobody waited any more
	default:
	}
	s.mu.Unlock()
	r.mu.Lock()
	r.free = append(r.free, s)
	r.mu.Unlock()
}

// next begins another turn and returns the subject that is to be answered to.
func (s *slot) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	s.waiting = true
	return s.address + strconv.FormatUint(s.turn, 36)
}

// take gives an answer to who waits for it.
func (r *receipts) take(m *nats.Msg) {
	number, turn, _ := strings.Cut(strings.TrimPrefix(m.Subject, r.prefix), "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		return
	}
	t, err := strconv.ParseUint(turn, 36, 64)
	if err != nil {
		return
	}
	r.mu.Lock()
	if n < 0 || n >= len(r.slots) {
		r.mu.Unlock()
		return
	}
	s := r.slots[n]
	r.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting && s.turn == t {
		s.waiting = false
		s.receipt <- m
	}
}

const statusNoResponders = "503"

// readReceipt reads what JetStream answers to a publish.
func readReceipt(m *nats.Msg) (jetstream.PubAck, error) {
	if len(m.Data) == 0 && m.Header.Get("Status") == statusNoResponders {
		return jetstream.PubAck{}, jetstream.ErrNoStreamResponse
	}
	if ack, ok := plainReceipt(m.Data); ok {
		return ack, nil
	}
	var receipt struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(m.Data, &receipt); {
	case err != nil:
		return jetstream.PubAck{}, fmt.Errorf("%w: %w", jetstream.ErrInvalidJSAck, err)
	case receipt.Error != nil:
		return jetstream.PubAck{}, receipt.Error
	case receipt.Stream == "":
		return jetstream.PubAck{}, jetstream.ErrInvalidJSAck
	}
	return receipt.PubAck, nil
}

// plainReceipt reads the acknowledgement that is all but usual, {"stream":"cloudbus", "seq":12345}: encoding/json takes as long as the rest of
// the way back. What looks different in any way is left to it.
func plainReceipt(data []byte) (ack jetstream.PubAck, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok {
		return ack, false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || len(name) == 0 || bytes.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) {
		return ack, false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`, "seq":`)); !ok {
		return ack, false
	}
	number, ok := bytes.CutSuffix(rest, []byte("}"))
	if !ok || len(number) == 0 || number[0] == '0' || len(number) > 18 {
		return ack, false
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return ack, false
		}
		ack.Sequence = 10*ack.Sequence + uint64(c-'0')
	}
	ack.Stream = string(name)
	return ack, true
}
