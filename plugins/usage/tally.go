package usage

import (
	"maps"
	"slices"
	"sort"
	"time"
)

// tally sums up stretches of time by group and bucket, in one pass and in any order. What it keeps of a group is what begins and ends in each bucket; all between follows from
// that, so a stretch costs the same however many buckets it fills.
type tally struct {
	window
	bounds []int64     // of the buckets, rising
	local  []time.Time // the same; nil if the window isn't cut
	groups map[string]*group
	cells  int // of all groups; a report has a row for each, and more
}

// group is what a report makes rows of.
type group struct {
	row   Row // what its stretches have in common
	cells map[int]*cell
}

// cell is what happens to a group in a bucket.
type cell struct {
	metered, corrected flow
	running            int64  // of the intervals that the flow says end here, those that are still open
	added              Amount // corrections that are of one moment
}

// flow is what begins and ends in a bucket.
type flow struct {
	begun, ended int64  // stretches
	net          int64  // how many more run at the end of the bucket than at its beginning; those that take time away count as -1
	before       Amount // from the beginning of the bucket until stretches begin
	until        Amount // from the beginning of the bucket until stretches end
}

func newTally(w window, bounds []time.Time) *tally {
	t := &tally{window: w, local: bounds, groups: make(map[string]*group)}
	for _, b := range bounds {
		t.bounds = append(t.bounds, nanoseconds(b))
	}
	if bounds == nil {
		t.bounds = []int64{w.from, w.to}
	}
	return t
}

// full reports whether there are too many cells for a report.
func (t *tally) full() bool { return t.local != nil && t.cells > MaxRows }

// at returns the bucket that a moment of the window is in.
func (t *tally) at(moment int64) int {
	return sort.Search(len(t.bounds)-2, func(i int) bool { return t.bounds[i+1] > moment })
}

// end returns the bucket in which a stretch ends, a bound belonging to the bucket before it; one of no length ends where it begins.
func (t *tally) end(begin int, moment int64) int {
	return max(begin, sort.Search(len(t.bounds)-2, func(i int) bool { return t.bounds[i+1] >= moment }))
}

func (t *tally) cell(g *group, bucket int) *cell {
	c := g.cells[bucket]
	if c == nil {
		c = new(cell)
		g.cells[bucket] = c
		t.cells++
	}
	return c
}

// meter counts an interval that the window overlaps.
func (t *tally) meter(g *group, started, ended int64, open bool) {
	from := max(started, t.from)
	begin := t.at(from)
	c := t.cell(g, begin)
	c.metered.begin(1, between(t.bounds[begin], from))
	if !open && ended > t.to || open && t.now >= t.to {
		return // it runs beyond the window
	}
	if open {
		ended = max(from, t.now) // and no further
	}
	end := t.end(begin, ended)
	c = t.cell(g, end)
	c.metered.end(1, between(t.bounds[end], ended))
	if open {
		c.running++
	}
}

// correct counts a correction of a stretch that the window overlaps; sign is 1, or -1 if it takes time away.
func (t *tally) correct(g *group, sign, from, to int64) {
	from = max(from, t.from)
	begin := t.at(from)
	t.cell(g, begin).corrected.begin(sign, between(t.bounds[begin], from))
	if to > t.to {
		return
	}
	end := t.end(begin, to)
	t.cell(g, end).corrected.end(sign, between(t.bounds[end], to))
}

// add counts a correction of one moment.
func (t *tally) add(g *group, moment int64, a Amount) {
	c := t.cell(g, t.at(moment))
	c.added = c.added.Add(a)
}

func (f *flow) begin(sign int64, after Amount) {
	f.begun++
	f.net += sign
	f.before = f.before.Add(after.times(sign))
}

func (f *flow) end(sign int64, after Amount) {
	f.ended++
	f.net -= sign
	f.until = f.until.Add(after.times(sign))
}

// stream is what runs through the buckets of a group.
type stream struct{ count, net int64 }

// pass lets a bucket's flow pass and returns what ran in it: how many stretches, and for how long.
func (s *stream) pass(f flow, length Amount) (count int64, ran Amount) {
	count = s.count + f.begun
	s.count = count - f.ended
	s.net += f.net
	return count, length.times(s.net).Add(f.until).Add(f.before.Neg())
}

// rows returns the rows of all groups, in no order; ok is false if there are too many.
func (t *tally) rows() (all []Row, ok bool) {
	if t.full() {
		return nil, false
	}
	for _, g := range t.groups {
		var metered, corrected stream
		for _, bucket := range slices.Sorted(maps.Keys(g.cells)) {
			c := g.cells[bucket]
			for next := bucket; next == bucket || g.cells[next] == nil && next < len(t.bounds)-1 && metered.count+corrected.count > 0; next++ {
				all = append(all, t.row(g, next, c, &metered, &corrected))
				if t.local != nil && len(all) > MaxRows {
					return nil, false
				}
				c = new(cell) // up to the next cell nothing begins or ends
			}
		}
	}
	return all, true
}

func (t *tally) row(g *group, bucket int, c *cell, metered, corrected *stream) Row {
	r := g.row
	if t.local != nil {
		r.From, r.To = t.local[bucket], t.local[bucket+1]
	}
	length := between(t.bounds[bucket], t.bounds[bucket+1])
	r.Intervals, r.Seconds = metered.pass(c.metered, length)
	_, r.Corrections = corrected.pass(c.corrected, length)
	r.Open, r.Corrections = metered.count+c.running, r.Corrections.Add(c.added)
	return r
}

// of returns the group that a key stands for, and makes it if it is new.
func (t *tally) of(k *key) *group {
	g := t.groups[string(k.bytes())] // without a copy
	if g == nil {
		g = &group{row: k.row(), cells: make(map[int]*cell)}
		t.groups[string(k.packed)] = g
	}
	return g
}
