package bus_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

// world is a bus over a journal in memory, with one client and what it logged.
type world struct {
	t *testing.T
	j *bustest.MemJournal
	b *bus.Bus
	c *bus.Client

	log *logBuffer
}

// inBubble runs a test in a synctest bubble with a world that is closed at its end.
func inBubble(t *testing.T, run func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, bustest.NewJournal())
		run(w)
		w.close()
	})
}

func newWorld(t *testing.T, j *bustest.MemJournal) *world {
	t.Helper()
	w := &world{t: t, j: j, log: &logBuffer{}}
	w.b = bus.New(bus.Options{Journal: j, Source: "test", Logger: slog.New(slog.NewTextHandler(w.log, nil))})
	if err := bus.Register[noted](w.b, "test.>", 1); err != nil {
		t.Fatal(err)
	}
	w.c = w.b.Client("client")
	return w
}

// restart closes the bus and opens another one on the same journal.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	*w = *newWorld(w.t, w.j)
}

func (w *world) close() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.b.Close(ctx); err != nil {
		w.t.Errorf("Close: %v", err)
	}
}

func (w *world) publish(payloads ...noted) {
	w.t.Helper()
	for _, p := range payloads {
		if err := bus.Publish(context.Background(), w.c, p); err != nil {
			w.t.Fatalf("Publish: %v", err)
		}
	}
}

// record appends noted with these numbers.
func (w *world) record(numbers ...int) {
	w.t.Helper()
	for _, n := range numbers {
		if _, err := w.j.Append(context.Background(), noted{N: n}); err != nil {
			w.t.Fatalf("Append: %v", err)
		}
	}
}

func (w *world) flush() {
	w.t.Helper()
	w.flushWithin(time.Minute)
}

func (w *world) flushWithin(d time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := w.b.Flush(ctx); err != nil {
		w.t.Fatalf("Flush: %v", err)
	}
}

func (w *world) subscribe(fn func(context.Context, bus.Event[noted]) error, opts ...bus.Option) *bus.Subscription {
	w.t.Helper()
	s, err := bus.Subscribe(w.c, fn, opts...)
	if err != nil {
		w.t.Fatalf("Subscribe: %v", err)
	}
	return s
}

func (w *world) cursor(name string) uint64 {
	w.t.Helper()
	at, known, err := w.j.Cursor(context.Background(), name)
	if err != nil || !known {
		w.t.Fatalf("Cursor(%q): known %v, %v", name, known, err)
	}
	return at
}

// sink is a handler that keeps numbers, and may be held up.
type sink struct {
	gate chan struct{} // nil: open

	mu  sync.Mutex
	got []int
}

// held returns a sink whose handler waits for one receive from gate per event; close it to open it for good.
func held() *sink { return &sink{gate: make(chan struct{})} }

func (s *sink) handle(_ context.Context, e bus.Event[noted]) error {
	if s.gate != nil {
		<-s.gate
	}
	s.add(e.Payload.N)
	return nil
}

func (s *sink) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, n)
}

func (s *sink) numbers() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) want(t *testing.T, want ...int) {
	t.Helper()
	if got := s.numbers(); !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

// upTo is from, from+1, …, to.
func upTo(from, to int) (all []int) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are the log lines that contain all of the words.
func (l *logBuffer) lines(words ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			found = append(found, line)
		}
	}
	return found
}
