package bus

import "time"

// add counts a dropped event.
func (g *Gap) add(seq uint64, now time.Time) {
	g.merge(Gap{Count: 1, FirstSeq: seq, LastSeq: seq, Since: now})
}

func (g *Gap) merge(o Gap) {
	if g.Count == 0 || o.Since.Before(g.Since) {
		g.Since = o.Since
	}
	g.Count += o.Count
	if o.FirstSeq == 0 {
		return
	}
	if g.FirstSeq == 0 || o.FirstSeq < g.FirstSeq {
		g.FirstSeq = o.FirstSeq
	}
	g.LastSeq = max(g.LastSeq, o.LastSeq)
}
