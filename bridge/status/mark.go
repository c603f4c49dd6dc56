package status

import "math"

// mark is where a report stands among others of the same resource.
type mark struct {
	source   string
	event    string // id
	sequence int64  // 0: the provider sends none
	time     int64  // Unix nanoseconds
	seq      int64  // in the stream
}

// markOf returns the mark of a report that came at a place of the stream, where it was stored at a time.
func markOf(r *Report, seq uint64, stored int64) mark {
	m := mark{source: r.Source, event: r.ID, time: stored, seq: int64(min(seq, math.MaxInt64))}
	if !r.Time.IsZero() {
		m.time = r.Time.UnixNano()
	}
	if r.Sequence <= math.MaxInt64 {
		m.sequence = int64(r.Sequence)
	}
	return m
}

// same: it is the same event.
func (m mark) same(o mark) bool { return m.source == o.source && m.event == o.event }

// after reports whether m is newer: by sequence if both have one from the same source, else by time; where these are equal the stream decides.
// The statement that writes an observation says the same in SQL (orderGuard).
func (m mark) after(o mark) bool {
	switch {
	case m.same(o):
		return false
	case m.source == o.source && m.sequence > 0 && o.sequence > 0 && m.sequence != o.sequence:
		return m.sequence > o.sequence
	case m.source == o.source && m.sequence > 0 && o.sequence > 0:
		return m.seq > o.seq
	case m.time != o.time:
		return m.time > o.time
	}
	return m.seq > o.seq
}
