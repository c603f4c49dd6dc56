package plugins_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// started returns the runtime of a plugin that runs.
func started(t *testing.T, o plugins.Options) (*plugins.Runtime, *plugins.Manager) {
	t.Helper()
	var rt *plugins.Runtime
	m := manager(t, o, &guest{name: "a", init: func(_ context.Context, r *plugins.Runtime) error { rt = r; return nil }})
	start(t, m)
	return rt, m
}

func TestAClosedPluginDoesNothing(t *testing.T) {
	rt, m := started(t, plugins.Options{Bus: durableBus(t)})
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := rt.Write(t.Context(), func(*journal.Tx) error { return nil }); !errors.Is(err, plugins.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	rt.Go("late", func(context.Context) error { t.Error("a goroutine was started"); return nil })
}
