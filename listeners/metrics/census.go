package metrics

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// countShare is how many times as long as a count took the next one waits at least.
const countShare = 20

// census has the store count the resources by state, for scrapes. It has one goroutine at most, while something is counted.
type census struct {
	engine *resources.Engine
	opts   Options
	ctx    context.Context // of counting; ends with close
	cancel context.CancelFunc

	resources, countedAt, took, failures *prometheus.Desc

	mu      sync.Mutex
	kinds   map[string]*tally
	next    time.Time     // before it nothing is counted again
	running chan struct{} // closed when the count under way is done; nil: there is none
}

// tally is what is known of a kind.
type tally struct {
	states   []fsm.State
	counts   map[fsm.State]int64 // nil: no count has succeeded yet
	at       time.Time
	took     time.Duration
	failures uint64
}

func newCensus(e *resources.Engine, o Options) *census {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("cloudbus_resources"+name, help, labels, nil)
	}
	c := &census{
		engine: e, opts: o, kinds: map[string]*tally{},
		resources: desc("", "Resources by kind and state, as the store counted them last.", "kind", "state"),
		countedAt: desc("_counted_timestamp_seconds", "When the resources of a kind were last counted, in Unix time.", "kind"),
		took:      desc("_counting_seconds", "How long the last count of a kind's resources took.", "kind"),
		failures:  desc("_counting_failures_total", "Counts of a kind's resources that failed or took too long.", "kind"),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Describe sends what Collect may send.
func (c *census) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.resources, c.countedAt, c.took, c.failures} {
		out <- d
	}
}

// Collect waits a little for a count if one is due or under way, and sends what is known by then.
func (c *census) Collect(out chan<- prometheus.Metric) {
	if counting := c.begin(); counting != nil {
		timer := time.NewTimer(c.opts.CountWait)
		defer timer.Stop()
		select {
		case <-counting:
		case <-timer.C:
		}
	}
	for _, m := range c.known() {
		out <- m
	}
}

// begin starts a count if one is due. It returns the end of the one that is under way, nil if none is.
func (c *census) begin() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil && c.ctx.Err() == nil && !time.Now().Before(c.next) {
		c.running = make(chan struct{})
		go c.count()
	}
	return c.running
}

// count counts all kinds, one after the other.
func (c *census) count() {
	begun := time.Now()
	for _, kind := range c.engine.Kinds() {
		if h, err := c.engine.Kind(kind); err == nil {
			c.countKind(h)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = time.Now().Add(max(c.opts.CountEvery, countShare*time.Since(begun)))
	close(c.running)
	c.running = nil
}

func (c *census) countKind(h *resources.Handle) {
	begun := time.Now()
	counts, err := c.ask(h)
	if c.ctx.Err() != nil {
		return // it is being closed, and nobody failed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.kinds[h.Name()]
	if t == nil {
		t = &tally{states: h.Machine().States()}
		c.kinds[h.Name()] = t
	}
	t.took = time.Since(begun)
	if err != nil {
		t.failures++
		return
	}
	t.counts, t.at = counts, begun
}

// ask has the store count, for as long as it may. What panics has failed.
func (c *census) ask(h *resources.Handle) (counts map[fsm.State]int64, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("metrics: counting %s panicked: %v", h.Name(), v)
		}
	}()
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.CountLimit)
	defer cancel()
	return h.CountStates(ctx)
}

// known are the metrics of what was counted so far, of all states of each kind.
func (c *census) known() []prometheus.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []prometheus.Metric
	for kind, t := range c.kinds {
		all = append(all,
			prometheus.MustNewConstMetric(c.failures, prometheus.CounterValue, float64(t.failures), kind),
			prometheus.MustNewConstMetric(c.took, prometheus.GaugeValue, t.took.Seconds(), kind))
		if t.counts == nil {
			continue
		}
		all = append(all, prometheus.MustNewConstMetric(c.countedAt, prometheus.GaugeValue, float64(t.at.UnixMilli())/1000, kind))
		for _, s := range t.states {
			all = append(all, prometheus.MustNewConstMetric(c.resources, prometheus.GaugeValue, float64(t.counts[s]), kind, string(s)))
		}
	}
	return all
}

// close ends what is under way.
func (c *census) close(ctx context.Context) error {
	c.cancel()
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if running == nil {
		return nil
	}
	select {
	case <-running:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("metrics: close: resources are still being counted: %w", ctx.Err())
	}
}

var _ prometheus.Collector = (*census)(nil)
