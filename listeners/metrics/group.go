package metrics

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// groupKey is the labels of subscriptions that are one series.
type groupKey struct{ client, subscription, mode string }

// stored reports whether the subscriptions have a durable name, read that they read the journal.
func (k groupKey) stored() bool { return k.mode == "durable" || k.mode == "batch" }
func (k groupKey) read() bool   { return k.stored() || k.mode == "from" }

// group is subscriptions that have their labels in common: one, mostly. What those counted that are gone stays in its sums, as far as
// the scrape before their end saw it: a counter must not fall.
type group struct {
	ended flow            // of subscriptions that are gone
	flows map[uint64]flow // of those that are there, by number
	seen  map[uint64]flow // of those that were there at the last scrape

	states   [4]int // as in states
	queued   int
	capacity int
	parked   int
	lag      uint64
	oldest   time.Duration
	running  time.Duration
	slowest  time.Duration
}

// flow is what passed through a subscription.
type flow struct{ delivered, dropped, coalesced, failed, retried, ignored uint64 }

func (f *flow) add(g flow) {
	f.delivered += g.delivered
	f.dropped += g.dropped
	f.coalesced += g.coalesced
	f.failed += g.failed
	f.retried += g.retried
	f.ignored += g.ignored
}

var states = [4]string{"running", "standby", "closing", "halted"}

// begin forgets what isn't summed up.
func (g *group) begin() { *g = group{ended: g.ended, flows: map[uint64]flow{}, seen: g.flows} }

// add adds a subscription.
func (g *group) add(s *bus.Info) {
	g.flows[s.Number] = flow{
		delivered: s.Delivered, dropped: s.Dropped, coalesced: s.Coalesced, failed: s.Failed, retried: s.Retried, ignored: s.LiveIgnored,
	}
	for i, name := range states {
		if s.State == name {
			g.states[i]++
		}
	}
	g.queued += s.Depth
	g.capacity += s.Capacity
	g.parked += s.Parked
	g.lag = max(g.lag, s.Lag)
	g.oldest = max(g.oldest, s.OldestFor)
	g.running = max(g.running, s.RunningFor)
	g.slowest = max(g.slowest, s.Slowest)
}

// end keeps what those counted that are gone.
func (g *group) end() {
	for number, f := range g.seen {
		if _, there := g.flows[number]; !there {
			g.ended.add(f)
		}
	}
	g.seen = nil
}

// total is what passed through all there ever were.
func (g *group) total() flow {
	all := g.ended
	for _, f := range g.flows {
		all.add(f)
	}
	return all
}

// print adds the group's numbers to a page.
func (g *group) print(p *page, key groupKey) {
	labels := []string{key.client, key.subscription, key.mode}
	for i, n := range g.states {
		p.gauge(subscriptionsDesc, float64(n), append(labels[:3:3], states[i])...)
	}
	total := g.total()
	for _, c := range groupCounters {
		if c.of == nil || c.of(key) {
			p.counter(c.desc, c.value(&total), labels...)
		}
	}
	for _, c := range groupGauges {
		if c.of == nil || c.of(key) {
			p.gauge(c.desc, c.value(g), labels...)
		}
	}
}
