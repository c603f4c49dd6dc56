package main

// checkLedger: the ledger is the one that follows from the journal, and its events are those of its intervals.
func (e *evidence) checkLedger(f *findings, events map[string][]*entry) {
	want := map[intervalKey]interval{}
	for _, i := range bill(events) {
		want[i.key()] = i
	}
	for _, have := range e.Intervals {
		i, ok := want[have.key()]
		switch {
		case !ok:
			f.add(checkLedger, have.Resource, "%s, opened by event %d, shouldn't be there: %+v", have.Meter, have.OpenedSeq, have)
		case i != have:
			f.add(checkLedger, have.Resource, "%s, opened by event %d, is %+v; computed anew it is %+v", have.Meter, have.OpenedSeq, have, i)
		}
		delete(want, have.key())
	}
	for _, i := range want {
		f.add(checkLedger, i.Resource, "%s, opened by event %d, is missing: %+v", i.Meter, i.OpenedSeq, i)
	}
	e.checkMetered(f)
}

// intervalKey is what an interval is known by.
type intervalKey struct {
	seq   uint64
	meter string
}

func (i interval) key() intervalKey { return intervalKey{i.OpenedSeq, i.Meter} }

// checkMetered: one event for each beginning and for each end of an interval, and no others.
func (e *evidence) checkMetered(f *findings) {
	type edge struct {
		intervalKey
		what string
	}
	due := map[edge]stamp{}
	for _, i := range e.Intervals {
		due[edge{i.key(), "opened"}] = stamp(i.StartedAt)
		if i.ClosedSeq != 0 {
			due[edge{i.key(), "closed"}] = stamp(i.EndedAt)
		}
	}
	for _, r := range e.Journal {
		m := r.Metered
		if m == nil {
			continue
		}
		k := edge{intervalKey{m.OpenedSeq, m.Meter}, m.What}
		at, ok := due[k]
		if have := m.at(); !ok || at != have {
			f.add(checkLedger, r.Resource, "event %d says that %s of event %d was %s at %d; the ledger has no such thing, or not again", r.Seq, m.Meter, m.OpenedSeq, m.What, have)
		}
		delete(due, k)
	}
	for k := range due {
		f.add(checkLedger, "", "%s of event %d was %s, and no event says so", k.meter, k.seq, k.what)
	}
}

func (m *metered) at() stamp {
	if m.What == "closed" {
		return m.EndedAt
	}
	return m.StartedAt
}

// openIntervals counts those that run on.
func (e *evidence) openIntervals() (n int) {
	for _, i := range e.Intervals {
		if i.ClosedSeq == 0 {
			n++
		}
	}
	return n
}
