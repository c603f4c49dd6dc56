package evbus_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// newBelow returns a bus that must close without anything left.
func newBelow(t testing.TB) *bus.Bus {
	t.Helper()
	b := bus.New(bus.Options{Logger: silent, Source: "test"})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("closing the bus: %v", err)
		}
	})
	return b
}

func newBus(t testing.TB, o evbus.Options) *evbus.Bus {
	t.Helper()
	if o.Logger == nil {
		o.Logger = silent
	}
	return evbus.New(newBelow(t), o)
}

// both runs a test on the original and on ours.
func both(t *testing.T, test func(t *testing.T, b EventBus.Bus)) {
	t.Run("original", func(t *testing.T) { test(t, EventBus.New()) })
	t.Run("ours", func(t *testing.T) { test(t, newBus(t, evbus.Options{})) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within fails the test if what takes no time takes ten seconds.
func within(t testing.TB, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing happens", what)
	}
}

// in runs f on a goroutine of its own, and returns a channel that is closed when it has returned.
func in(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}
