package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/resources"
)

// engineCollector tells what the engine itself counts.
type engineCollector struct{ engine *resources.Engine }

var (
	conflictsDesc = prometheus.NewDesc("cloudbus_engine_conflicts_total", "Tries that began again since somebody else had changed the resource.", nil, nil)
	liftedDesc    = prometheus.NewDesc("cloudbus_engine_lifted_times_total", "Changes whose time was lifted to when the resource entered its state.", nil, nil)
	stuckDesc     = prometheus.NewDesc("cloudbus_stuck_total", "Reports of this engine that a resource is in a transitional state for longer than its limit.", []string{"kind", "state"}, nil)
)

// Describe sends what Collect may send.
func (*engineCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{conflictsDesc, liftedDesc, stuckDesc} {
		out <- d
	}
}

// Collect sends the numbers.
func (c *engineCollector) Collect(out chan<- prometheus.Metric) {
	stats := c.engine.Stats()
	out <- prometheus.MustNewConstMetric(conflictsDesc, prometheus.CounterValue, float64(stats.Conflicts))
	out <- prometheus.MustNewConstMetric(liftedDesc, prometheus.CounterValue, float64(stats.Lifted))
	for _, kind := range c.engine.Kinds() {
		h, err := c.engine.Kind(kind)
		if err != nil {
			continue
		}
		for state, n := range h.StuckReports() {
			out <- prometheus.MustNewConstMetric(stuckDesc, prometheus.CounterValue, float64(n), kind, string(state))
		}
	}
}

var _ prometheus.Collector = (*engineCollector)(nil)
