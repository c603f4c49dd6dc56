package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

func TestAtLeastOnceEachRecordedEventReachesTheSink(t *testing.T) {
	sink := &fakeSink{}
	h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
	h.record(fact{Tenant: "a.b", ID: "1", What: "created"})
	eventually(t, sink.has(1))
	m := sink.messages()[0]
	if m.Subject != "cloudbus.a=2Eb.thing.created" || m.ContentType != bridge.ContentType || m.ID != m.Header.ID.String() || m.Header.Seq != 1 {
		t.Errorf("message %+v", m)
	}
	e, err := bridge.Decode(m.Data)
	must(t, err)
	if e.Header != m.Header || e.Source != "cloudbus/test" || e.Subject() != "thing/1" {
		t.Errorf("the CloudEvent has %+v, the event %+v", e.Header, m.Header)
	}
	records, err := h.store.Journal().Read(t.Context(), 0, 10)
	must(t, err)
	if string(e.Payload) != string(records[0].Data) {
		t.Errorf("data %s, stored %s", e.Payload, records[0].Data)
	}
}

func TestOrderPerResourceWithOneMessageInFlight(t *testing.T) {
	const resources, each = 40, 25
	sink := &fakeSink{}
	var calls atomic.Int64
	sink.send = func(context.Context, bridge.Message) error {
		if calls.Add(1)%7 == 0 {
			return errors.New("a blip")
		}
		return nil
	}
	h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 16})
	for n := range each {
		for id := range resources {
			h.record(fact{ID: fmt.Sprint(id), What: "counted", N: n})
		}
	}
	eventually(t, sink.has(resources*each))
	next := map[string]int{}
	for _, f := range facts(t, sink.messages()) {
		if f.N != next[f.ID] {
			t.Fatalf("thing %s: got event %d, want %d", f.ID, f.N, next[f.ID])
		}
		next[f.ID]++
	}
	if sink.overlap != "" {
		t.Errorf("two messages about %s were in flight at once", sink.overlap)
	}
}

func TestManyResourcesAtOnce(t *testing.T) {
	const lanes = 8
	sink := &fakeSink{}
	full := make(chan struct{})
	var once sync.Once
	sink.send = func(ctx context.Context, _ bridge.Message) error {
		sink.mu.Lock()
		if len(sink.flying) >= lanes/2 {
			once.Do(func() { close(full) })
		}
		sink.mu.Unlock()
		select {
		case <-full:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: lanes})
	for id := range 100 {
		h.record(fact{ID: fmt.Sprint(id), What: "created"})
	}
	eventually(t, sink.has(100))
	if sink.most < lanes/2 || sink.most > lanes {
		t.Errorf("%d messages were under way at once, want %d to %d", sink.most, lanes/2, lanes)
	}
}

func TestBrokerAwayEventsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("the broker is on holiday")
		var back atomic.Bool
		sink := &fakeSink{send: func(context.Context, bridge.Message) error {
			if !back.Load() {
				return away
			}
			return nil
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
		if err := h.bridge.Health(t.Context()); err != nil {
			t.Errorf("health before the first event: %v", err)
		}
		before := time.Now()
		for n := range 10 {
			h.record(fact{ID: fmt.Sprint(n % 3), What: "counted", N: n})
		}
		var health *bridge.AwayError
		eventually(t, func() error {
			if err := h.bridge.Health(t.Context()); !errors.As(err, &health) {
				return fmt.Errorf("health is %v", err)
			}
			return nil
		})
		if !errors.Is(health, away) || health.Behind != 10 || health.Since.Before(before) || health.Since.After(time.Now()) {
			t.Errorf("health %+v", health)
		}
		// More tries than the subscription's own policy would have.
		eventually(t, func() error {
			sink.mu.Lock()
			defer sink.mu.Unlock()
			if sink.attempts < 15 {
				return fmt.Errorf("%d attempts", sink.attempts)
			}
			return nil
		})
		back.Store(true)
		eventually(t, sink.has(10))
		eventually(t, func() error { return h.bridge.Health(t.Context()) })
		if log := h.log.String(); strings.Count(log, "they wait in the journal") != 1 || strings.Count(log, "takes events again") != 1 {
			t.Errorf("the outage isn't in the log once:\n%s", log)
		}
	})
}

func TestStartsAtTheEndOrWithTheBacklog(t *testing.T) {
	for name, c := range map[string]struct {
		backlog bool
		want    int
	}{"end": {false, 1}, "backlog": {true, 3}} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New(memstore.Options{})
			b := bus.New(bus.Options{Journal: store.Journal()})
			must(t, bus.Register[fact](b, "thing.>", 1))
			h := &house{t: t, store: store, bus: b}
			h.record(fact{ID: "1", What: "created"}, fact{ID: "2", What: "created"})
			must(t, b.Close(t.Context()))

			sink := &fakeSink{}
			h = newHouse(t, store, sink, bridge.Options{Backlog: c.backlog})
			h.record(fact{ID: "3", What: "created"})
			must(t, h.bus.Flush(t.Context()))
			if err := sink.has(c.want)(); err != nil {
				t.Error(err)
			}
		})
	}
}

// readySink is away until it is told otherwise, and says so.
type readySink struct {
	fakeSink
	here chan struct{}
}

func (s *readySink) Ready(ctx context.Context) error {
	select {
	case <-s.here:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *readySink) Health(context.Context) error {
	select {
	case <-s.here:
		return nil
	default:
		return errNobody
	}
}

var errNobody = errors.New("nobody answers")

func TestSinkThatKnowsWhenItsBrokerIsThereIsntAskedInVain(t *testing.T) {
	sink := &readySink{here: make(chan struct{})}
	sink.send = func(ctx context.Context, _ bridge.Message) error { return sink.Health(ctx) }
	h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
	if err := h.bridge.Health(t.Context()); !errors.Is(err, errNobody) {
		t.Errorf("health before the first event is %v, want the sink's", err)
	}
	h.record(fact{ID: "1", What: "created"})
	eventually(t, func() error {
		var away *bridge.AwayError
		if err := h.bridge.Health(t.Context()); !errors.As(err, &away) || !errors.Is(err, errNobody) {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	close(sink.here)
	eventually(t, sink.has(1))
	if sink.attempts != 2 {
		t.Errorf("%d attempts, want the first and the one when the broker was there", sink.attempts)
	}
}

// failingSink can't be opened.
type failingSink struct{ fakeSink }

func (*failingSink) Open(context.Context, *slog.Logger) error { return errNobody }

func TestInitFails(t *testing.T) {
	for name, c := range map[string]struct {
		sink   bridge.Sink
		source string
		want   string
	}{
		"sink":   {&failingSink{}, "cloudbus/test", "nobody answers"},
		"source": {&fakeSink{}, "my cloud", "must be a URI reference"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bus.New(bus.Options{Source: c.source, Journal: memstore.New(memstore.Options{}).Journal(), Logger: slog.New(slog.DiscardHandler)})
			defer func() { must(t, b.Close(context.Background())) }()
			manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)})
			must(t, err)
			relay, err := bridge.New(c.sink, bridge.Options{})
			must(t, err)
			must(t, manager.Add(relay, plugins.Required()))
			if err := manager.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Start: %v, want %q", err, c.want)
			}
		})
	}
}
