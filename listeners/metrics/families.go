package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// families are the metrics that are counted on the way, in After.
type families struct {
	transitions, creations, updates, removals *prometheus.CounterVec
	durations, stays                          *prometheus.HistogramVec
}

var (
	// A call takes some 100 µs in memory or in a group, and the disk's time alone.
	callBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	// Limits of transitional states are from two minutes to a day.
	stayBuckets = []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400}
)

func newFamilies() families {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cloudbus_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		o := prometheus.HistogramOpts{
			Name: "cloudbus_" + name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, // for servers that ask for them
		}
		return prometheus.NewHistogramVec(o, labels)
	}
	return families{
		transitions: counter("transitions_total", "Triggers fired at resources, by how that ended.", "kind", "trigger", "result"),
		creations:   counter("creations_total", "Resources created, and not, by how that ended.", "kind", "result"),
		updates:     counter("updates_total", "Updates of resources without a move, by how that ended.", "kind", "result"),
		removals:    counter("removals_total", "Removals of resources by a purge, by how that ended.", "kind", "result"),
		durations: histogram("transition_duration_seconds", "How long firing a trigger took, listeners and commit included.",
			callBuckets, "kind", "result"),
		stays: histogram("transitional_state_seconds", "How long resources were in a transitional state, by the trigger that ended it.",
			stayBuckets, "kind", "state", "trigger"),
	}
}

func (f *families) all() []prometheus.Collector {
	return []prometheus.Collector{f.transitions, f.creations, f.updates, f.removals, f.durations, f.stays}
}
