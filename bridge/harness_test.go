package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

// fact is a recorded event about a thing.
type fact struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"`
	What   string `json:"what"`
	N      int    `json:"n"`
}

func (f fact) EventType() string                  { return "thing." + f.What }
func (f fact) Address() (tenant, kind, id string) { return f.Tenant, "thing", f.ID }

// house is a server with a bridge to a sink.
type house struct {
	t       *testing.T
	store   *memstore.Store
	bus     *bus.Bus
	manager *plugins.Manager
	bridge  *bridge.Bridge
	log     *logBuffer
}

// newHouse starts a server on a store; it is closed at the end of the test.
func newHouse(t *testing.T, store *memstore.Store, sink bridge.Sink, o bridge.Options) *house {
	t.Helper()
	h := &house{t: t, store: store, log: &logBuffer{}}
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	h.bus = bus.New(bus.Options{Logger: logger, Source: "cloudbus/test", Journal: store.Journal()})
	var err error
	must(t, bus.Register[fact](h.bus, "thing.>", 1))
	if h.bridge, err = bridge.New(sink, o); err != nil {
		t.Fatal(err)
	}
	if h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: logger}); err != nil {
		t.Fatal(err)
	}
	must(t, h.manager.Add(h.bridge, plugins.Required()))
	must(t, h.manager.Start(t.Context()))
	t.Cleanup(h.close)
	return h
}

func (h *house) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.manager.Close(ctx); err != nil {
		h.t.Errorf("close the plugins: %v", err)
	}
	if err := h.bus.Close(ctx); err != nil {
		h.t.Errorf("close the bus: %v", err)
	}
}

// record puts facts into the journal, each in a transaction of its own.
func (h *house) record(facts ...fact) {
	h.t.Helper()
	for _, f := range facts {
		must(h.t, h.store.Do(context.Background(), func(tx resources.StoreTx) error {
			_, err := tx.Append(f)
			return err
		}))
	}
}

// eventually waits until ok returns nil.
func eventually(t *testing.T, ok func() error) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %v", err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fakeSink is a broker in memory.
type fakeSink struct {
	send func(ctx context.Context, m bridge.Message) error // asked before a message is taken; nil takes all

	mu       sync.Mutex
	taken    []bridge.Message
	attempts int
	opened   bool
	closed   bool
	flying   map[string]int // by subject of the event
	most     int            // in flight at once
	overlap  string         // a resource that had two in flight
}

func (s *fakeSink) Open(context.Context, *slog.Logger) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = true
	return nil
}

func (s *fakeSink) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.flying) > 0 {
		return errors.New("closed while a message was under way")
	}
	s.closed = true
	return nil
}

func (s *fakeSink) Send(ctx context.Context, m bridge.Message) error {
	s.begin(m)
	err := errors.New("panicked")
	defer func() { s.end(m, err) }()
	if s.send != nil {
		err = s.send(ctx, m)
		return err
	}
	err = nil
	return err
}

func (s *fakeSink) begin(m bridge.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying == nil {
		s.flying = map[string]int{}
	}
	s.attempts++
	s.flying[m.Header.Subject()]++
	if s.flying[m.Header.Subject()] > 1 {
		s.overlap = m.Header.Subject()
	}
	s.most = max(s.most, len(s.flying))
}

func (s *fakeSink) end(m bridge.Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying[m.Header.Subject()]--; s.flying[m.Header.Subject()] == 0 {
		delete(s.flying, m.Header.Subject())
	}
	if err == nil {
		s.taken = append(s.taken, m)
	}
}

func (s *fakeSink) messages() []bridge.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]bridge.Message(nil), s.taken...)
}

// has is nil when exactly n messages have been taken.
func (s *fakeSink) has(n int) func() error {
	return func() error {
		if got := len(s.messages()); got != n {
			return fmt.Errorf("%d messages were taken, want %d", got, n)
		}
		return nil
	}
}

// facts decodes what was taken.
func facts(t *testing.T, messages []bridge.Message) []fact {
	t.Helper()
	decoded := make([]fact, len(messages))
	for i, m := range messages {
		e, err := bridge.Decode(m.Data)
		must(t, err)
		must(t, json.Unmarshal(e.Payload, &decoded[i]))
	}
	return decoded
}

// logBuffer is a log that tests read.
type logBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
