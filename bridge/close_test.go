package bridge_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

func TestCloseIsPromptWhileTheBrokerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{send: func(context.Context, bridge.Message) error { return errors.New("away") }}
		store := memstore.New(memstore.Options{})
		h := newHouse(t, store, sink, bridge.Options{})
		h.record(fact{ID: "1", What: "created"}, fact{ID: "2", What: "created"})
		eventually(t, func() error {
			if h.bridge.Health(t.Context()) == nil {
				return errors.New("healthy")
			}
			return nil
		})
		began := time.Now()
		must(t, h.manager.Close(t.Context()))
		if took := time.Since(began); took > 0 {
			t.Errorf("Close took %v", took)
		}
		if !sink.closed {
			t.Error("the sink wasn't closed")
		}
		must(t, h.bus.Close(t.Context()))

		again := &fakeSink{}
		newHouse(t, store, again, bridge.Options{})
		eventually(t, again.has(2))
	})
}

func TestCloseWaitsForAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, release := make(chan struct{}), make(chan struct{})
		sink := &fakeSink{send: func(ctx context.Context, _ bridge.Message) error {
			close(started)
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		store := memstore.New(memstore.Options{})
		h := newHouse(t, store, sink, bridge.Options{})
		h.record(fact{ID: "1", What: "created"})
		<-started
		closed := make(chan error, 1)
		go func() { closed <- h.manager.Close(context.Background()) }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Fatalf("closed with a message under way: %v", err)
		default:
		}
		close(release)
		must(t, <-closed)
		must(t, h.bus.Close(t.Context()))
		if cursor, _, err := store.Journal().Cursor(t.Context(), "bridge_nats"); err != nil || cursor != 1 {
			t.Errorf("the cursor is at %d, %v; the message was acknowledged", cursor, err)
		}
	})
}

func TestCloseGivesUpASendThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{send: func(ctx context.Context, _ bridge.Message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
		h.record(fact{ID: "1", What: "created"})
		eventually(t, func() error {
			sink.mu.Lock()
			defer sink.mu.Unlock()
			if len(sink.flying) == 0 {
				return errors.New("nothing under way")
			}
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		must(t, h.manager.Close(ctx))
		if !sink.closed {
			t.Error("the sink wasn't closed")
		}
	})
}

func TestBridgeStartsOnce(t *testing.T) {
	store := memstore.New(memstore.Options{})
	h := newHouse(t, store, &fakeSink{}, bridge.Options{})
	must(t, h.manager.Close(t.Context()))
	again, err := plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	must(t, again.Add(h.bridge, plugins.Required()))
	if err := again.Start(t.Context()); !errors.Is(err, bridge.ErrUsed) {
		t.Errorf("a second start: %v", err)
	}
}
