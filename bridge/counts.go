package bridge

import "expvar"

// counts are the bridge's metrics.
type counts struct {
	sent     expvar.Int // acknowledged
	retries  expvar.Int // failed attempts that are followed by another
	rejected expvar.Int // attempts at events that can't be sent
}

func (c *counts) publish(m *expvar.Map) {
	m.Set("sent", &c.sent)
	m.Set("retries", &c.retries)
	m.Set("rejected", &c.rejected)
}
