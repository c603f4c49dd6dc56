package metrics

import (
	"errors"
	"expvar"
	"fmt"
	"regexp"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrPlugins: WatchPlugins was called before, or after Close.
var ErrPlugins = errors.New("metrics: plugins are watched already, or Close was called")

// WatchPlugins has scrapes tell the figures of plugins, a map of maps of numbers (plugins.Manager's Metrics): "sent" of bridge_nats is cloudbus_plugin_sent{plugin="bridge_nats"}.
// What isn't a number, or isn't called [a-z][a-z0-9_]*, isn't shown. Errors: ErrPlugins, what the registerer says.
func (m *Metrics) WatchPlugins(all *expvar.Map) error {
	if all == nil {
		return errors.New("metrics: WatchPlugins wants a map that isn't nil")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.plugins || m.closed {
		return ErrPlugins
	}
	if err := m.register(&pluginCollector{m, all}); err != nil {
		return err
	}
	m.plugins = true
	return nil
}

// pluginCollector tells what plugins count. What that is it learns at each scrape, so it describes nothing; a registry keeps for good what describes nothing, so
// after Close it tells nothing either.
type pluginCollector struct {
	metrics *Metrics
	all     *expvar.Map
}

func (m *Metrics) over() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

var figureName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Describe sends nothing.
func (*pluginCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the numbers.
func (c *pluginCollector) Collect(out chan<- prometheus.Metric) {
	if c.metrics.over() {
		return
	}
	c.all.Do(func(plugin expvar.KeyValue) {
		figures, ok := plugin.Value.(*expvar.Map)
		if !ok {
			return
		}
		figures.Do(func(figure expvar.KeyValue) {
			if value, ok := number(figure.Value); ok && figureName.MatchString(figure.Key) {
				desc := prometheus.NewDesc("cloudbus_plugin_"+figure.Key, "A figure that plugins give.", []string{"plugin"}, nil)
				out <- prometheus.MustNewConstMetric(desc, prometheus.UntypedValue, value, plugin.Key)
			}
		})
	})
}

// number reads a figure. A plugin's function that panics has none.
func number(v expvar.Var) (value float64, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	switch v := v.(type) {
	case nil, *expvar.Map, *expvar.String:
		return 0, false
	case expvar.Func:
		value, err := strconv.ParseFloat(fmt.Sprint(v()), 64)
		return value, err == nil
	}
	value, err := strconv.ParseFloat(v.String(), 64)
	return value, err == nil
}

var _ prometheus.Collector = (*pluginCollector)(nil)
