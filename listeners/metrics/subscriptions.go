package metrics

import "github.com/prometheus/client_golang/prometheus"

// subscriptionsDesc counts subscriptions; one that has halted or stands by is seen here.
var subscriptionsDesc = busDesc("subscriptions", "Subscriptions by state: running, standby, closing, halted.",
	"client", "subscription", "mode", "state")

// groupMetric is a number of a group; of is nil if every group has it.
type groupMetric[T, N any] struct {
	desc  *prometheus.Desc
	of    func(groupKey) bool
	value func(T) N
}

func subscriptionDesc(name, help string) *prometheus.Desc {
	return busDesc("subscription_"+name, help, "client", "subscription", "mode")
}

// groupCounters are what passed through a subscription.
var groupCounters = []groupMetric[*flow, uint64]{
	{subscriptionDesc("delivered_total", "Events that were handled."), nil, func(f *flow) uint64 { return f.delivered }},
	{subscriptionDesc("dropped_total", "Events that a full queue dropped."), nil, func(f *flow) uint64 { return f.dropped }},
	{subscriptionDesc("coalesced_total", "Events that a newer one of their type and resource replaced."), nil, func(f *flow) uint64 { return f.coalesced }},
	{subscriptionDesc("failures_total", "Tries of the handler that failed."), nil, func(f *flow) uint64 { return f.failed }},
	{subscriptionDesc("retries_total", "Tries of the handler after one that failed."), nil, func(f *flow) uint64 { return f.retried }},
	{subscriptionDesc("ignored_live_events_total", "Live events that match, and never reach a durable subscription."), groupKey.stored,
		func(f *flow) uint64 { return f.ignored }},
}

// groupGauges are how a subscription does.
var groupGauges = []groupMetric[*group, float64]{
	{subscriptionDesc("queued_events", "Events in the queue."), nil, func(g *group) float64 { return float64(g.queued) }},
	{subscriptionDesc("queue_capacity_events", "Events that the queue has room for."), nil, func(g *group) float64 { return float64(g.capacity) }},
	{subscriptionDesc("oldest_event_seconds", "How long the oldest event in the queue has waited."), nil, func(g *group) float64 { return g.oldest.Seconds() }},
	{subscriptionDesc("running_seconds", "How long the handler has been at the event at hand; 0 if it is at none."), nil, func(g *group) float64 { return g.running.Seconds() }},
	{subscriptionDesc("slowest_seconds", "The longest call of the handler."), nil, func(g *group) float64 { return g.slowest.Seconds() }},
	{subscriptionDesc("lag_events", "Recorded events that were not looked at yet."), groupKey.read, func(g *group) float64 { return float64(g.lag) }},
	{subscriptionDesc("parked_resources", "Resources whose events are set aside."), groupKey.stored, func(g *group) float64 { return float64(g.parked) }},
}
