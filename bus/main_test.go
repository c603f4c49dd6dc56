package bus_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noted is the payload of most tests.
type noted struct {
	N      int    `json:"n"`
	Type   string `json:"type,omitempty"`
	Tenant string `json:"tenant,omitempty"`
	VM     string `json:"vm,omitempty"`
}

func (n noted) EventType() string {
	if n.Type == "" {
		return "test.noted"
	}
	return n.Type
}

func (n noted) Address() (tenant, kind, id string) {
	if n.VM == "" {
		return n.Tenant, "", ""
	}
	return n.Tenant, "vm", n.VM
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// newBus returns a bus without a voice, that must close without anything left.
func newBus(t testing.TB, j bus.Journal) *bus.Bus {
	t.Helper()
	return newBusWith(t, bus.Options{Journal: j})
}

func newBusWith(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet()
	}
	b := bus.New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil && !errors.Is(err, bus.ErrClosed) {
			t.Errorf("closing the bus: %v", err)
		}
	})
	return b
}
