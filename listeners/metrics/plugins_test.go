package metrics

import (
	"context"
	"errors"
	"expvar"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestFiguresOfPluginsAreOnThePage(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m, err := New(Options{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	var all, nats, amqp, none expvar.Map
	var sent, other expvar.Int
	var rate expvar.Float
	sent.Set(42)
	rate.Set(1.5)
	nats.Set("sent", &sent)
	nats.Set("rate", &rate)
	nats.Set("lag", expvar.Func(func() any { return uint64(7) }))
	nats.Set("broken", expvar.Func(func() any { panic("a plugin's fault") }))
	nats.Set("text", expvar.Func(func() any { return "seven" }))
	nats.Set("said", new(expvar.String))
	nats.Set("Not A Name", &sent)
	nats.Set("by_type", new(expvar.Map))
	amqp.Set("sent", &other)
	all.Set("bridge_nats", &nats)
	all.Set("bridge_amqp", &amqp)
	all.Set("none", &none)
	all.Set("number", &sent)
	if err := m.WatchPlugins(&all); err != nil {
		t.Fatal(err)
	}
	want := `# HELP cloudbus_plugin_lag A figure that plugins give.
# TYPE cloudbus_plugin_lag untyped
cloudbus_plugin_lag{plugin="bridge_nats"} 7
# HELP cloudbus_plugin_rate A figure that plugins give.
# TYPE cloudbus_plugin_rate untyped
cloudbus_plugin_rate{plugin="bridge_nats"} 1.5
# HELP cloudbus_plugin_sent A figure that plugins give.
# TYPE cloudbus_plugin_sent untyped
cloudbus_plugin_sent{plugin="bridge_amqp"} 0
cloudbus_plugin_sent{plugin="bridge_nats"} 42
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if err := m.WatchPlugins(&all); !errors.Is(err, ErrPlugins) {
		t.Errorf("a second time: %v", err)
	}
	if err := m.WatchPlugins(nil); err == nil {
		t.Error("no map was taken")
	}
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(registry); err != nil || n != 0 {
		t.Errorf("%d metrics after Close, %v", n, err)
	}
}
