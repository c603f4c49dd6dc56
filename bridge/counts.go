package bridge

import (
	"expvar"
	"sync/atomic"
)

// counts are what the bridge counts itself.
type counts struct {
	sent     expvar.Int   // acknowledged messages
	bytes    expvar.Int   // their data
	retries  expvar.Int   // failed attempts that are followed by another
	seeded   expvar.Int   // states that were sent for what there was, with Options.State
	rejected expvar.Int   // attempts at events that can't be sent
	foreign  expvar.Int   // events that came in from elsewhere, and aren't sent
	flying   atomic.Int64 // messages that were handed to the sink and are neither acknowledged nor given up
	rate     rate
}

// Stats is what a bridge has done since it was started, and what it is doing.
type Stats struct {
	Sent     int64   // messages that the broker has acknowledged
	Bytes    int64   // of their data
	Retries  int64   // failed attempts at messages that are tried again
	Rejected int64   // attempts at events that can't be sent
	Seeded   int64   // with Options.State: states among them that were sent for the resources that there are
	Parked   int     // resources whose events are set aside (an event that is about no resource counts as one)
	InFlight int64   // messages under way now
	Lag      uint64  // recorded events that the bridge has not passed yet, those that its filters refuse included
	Rate     float64 // messages acknowledged per second, over the last 10 s
}

// Stats returns the bridge's figures. It may be called at any time, from any goroutine; it asks neither the broker nor the database.
func (b *Bridge) Stats() Stats {
	s := Stats{
		Sent: b.counts.sent.Value(), Bytes: b.counts.bytes.Value(), Retries: b.counts.retries.Value(), Rejected: b.counts.rejected.Value(), Seeded: b.counts.seeded.Value(),
		InFlight: b.counts.flying.Load(),
	}
	if b.counts.rate.now != nil {
		s.Rate = b.counts.rate.perSecond()
	}
	if subscription := b.reader.current.Load(); subscription != nil {
		info := subscription.Inspect()
		s.Parked, s.Lag = info.Parked, info.Lag
	}
	return s
}

// publish shows the figures as the plugin's metrics: sent, bytes, retries, rejected, parked, in_flight, lag, rate; with Options.State seeded.
func (b *Bridge) publish(m *expvar.Map) {
	m.Set("sent", &b.counts.sent)
	m.Set("bytes", &b.counts.bytes)
	m.Set("retries", &b.counts.retries)
	m.Set("rejected", &b.counts.rejected)
	m.Set("foreign", &b.counts.foreign)
	if b.options.State {
		m.Set("seeded", &b.counts.seeded)
	}
	m.Set("in_flight", expvar.Func(func() any { return b.counts.flying.Load() }))
	m.Set("parked", expvar.Func(func() any { return b.Stats().Parked }))
	m.Set("lag", expvar.Func(func() any { return b.Stats().Lag }))
	m.Set("rate", expvar.Func(func() any { return b.Stats().Rate }))
}
